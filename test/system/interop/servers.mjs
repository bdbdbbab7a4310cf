/** Real servers for the libraries to talk to, each in a process or on a port of its own. @module */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A program that the checks need is not on this machine. */
export class Missing extends Error {}

/** PostgreSQL on a Unix socket, as the user that Debian made for it where this one is root. */
export async function startPostgres() {
  const folder = mkdtempSync(join(tmpdir(), "asyncio-ts-postgres-"));
  const bin = postgresFolder();
  const isRoot = process.getuid?.() === 0;
  if (isRoot) spawnSync("chown", ["postgres", folder]);
  const asPostgres = (program, args) =>
    isRoot
      ? ["setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", program, ...args]]
      : [program, args];
  const data = join(folder, "data");
  const [command, args] = asPostgres(join(bin, "initdb"), ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync"]);
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8", cwd: folder });
  if (status !== 0) throw new Error(`initdb: ${stderr}`);
  const server = start(...asPostgres(join(bin, "postgres"), ["-D", data, "-k", folder, "-h", "", "-F"]), folder);
  await server.says(/ready to accept connections/);
  const options = { host: folder, user: "postgres", database: "postgres" };
  return { options, stop: async () => (await server.stop("SIGINT"), rmSync(folder, { recursive: true, force: true })) };
}

function postgresFolder() {
  const versions = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql") : [];
  if (versions.length === 0) throw new Missing("postgresql");
  return join("/usr/lib/postgresql", versions.toSorted((a, b) => Number(b) - Number(a))[0], "bin");
}

/** Starts a program that serves: what it says, and its end. */
export function start(program, args, cwd) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], cwd });
  let output = "";
  const failed = once(child, "error").then(([error]) => {
    throw error.code === "ENOENT" ? new Missing(program) : error;
  });
  failed.catch(() => {});
  const listeners = new Set();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
      for (const listener of listeners) listener();
    });
  }
  const ended = once(child, "close").then(() => {
    throw new Error(`${program} ended:\n${output}`);
  });
  ended.catch(() => {});
  return {
    says: (pattern) =>
      Promise.race([failed, ended, new Promise((resolve) => listeners.add(() => pattern.test(output) && resolve()))]),
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      await ended.catch(() => {});
    },
  };
}

/** HTTP: `/quick` answers at once, `/slow` begins to answer and does not end. */
export async function startHttp() {
  const open = new Set();
  const server = createServer((request, response) => {
    if (request.url === "/quick") {
      response.end("quick");
      return;
    }
    open.add(response);
    response.once("close", () => open.delete(response));
    response.write("slow");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** Whether the requests that were told to stop are gone from the server, too. */
    async hasOpen(count) {
      while (open.size > count) await new Promise((resolve) => setTimeout(resolve, 5));
      return true;
    },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A server of Node's, when it listens, and its end: first the calls that are under way. */
export async function listening(server, calls) {
  if (!server.listening) await once(server, "listening");
  return {
    port: server.address().port,
    async close() {
      await closing(calls);
      server.closeAllConnections();
      server.close();
    },
  };
}

export async function closing(calls) {
  for (const call of calls) await call.shutdown({ grace: 0.1 });
}
