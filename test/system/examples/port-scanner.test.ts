/** examples/port-scanner.mjs */

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { build, dial, IN_GOOD_ORDER, Lines, portOf, Program } from "./program.ts";

beforeAll(build);

/** A port of this machine that somebody listens at. */
async function openPort(): Promise<number> {
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return portOf(server);
}

/** A port where somebody listened a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}

/** A process that listens and accepts nobody: its thread sleeps. */
const DEAF = `
  const server = require("node:net").createServer();
  server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    require("node:fs").writeSync(1, server.address().port + "\\n");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

/** A port that does not answer: the system has put its two clients into the line, and drops all others. */
async function deafPort(): Promise<number> {
  const child = spawn(process.execPath, ["-e", DEAF], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const port = Number(await new Lines(child.stdout).next());
  await dial(port);
  await dial(port);
  return port;
}

describe("the port scanner", () => {
  test("finds a port that is open", async () => {
    const port = await openPort();
    const scanner = new Program("examples/port-scanner.mjs", "127.0.0.1", String(port));
    expect(await scanner.lines.rest()).toEqual([`${port} open`, "1 of 1 ports of 127.0.0.1 are open"]);
    expect(await scanner.end()).toEqual(IN_GOOD_ORDER);
  });

  test("says nothing of a port that refuses", async () => {
    const scanner = new Program("examples/port-scanner.mjs", "127.0.0.1", String(await closedPort()));
    expect(await scanner.lines.rest()).toEqual(["0 of 1 ports of 127.0.0.1 are open"]);
    expect(await scanner.end()).toEqual(IN_GOOD_ORDER);
  });

  test.skipIf(process.platform !== "linux")("gives up on a port that does not answer", async () => {
    const port = await deafPort();
    const scanner = new Program("examples/port-scanner.mjs", "127.0.0.1", String(port), "0.05");
    expect(await scanner.lines.rest()).toEqual([`${port} no answer`, "0 of 1 ports of 127.0.0.1 are open"]);
  });

  test.skipIf(process.platform !== "linux")("has no more than a hundred sockets at once", async () => {
    const port = await openPort();
    const first = Math.max(1, port - 1500);
    const root = fileURLToPath(new URL("../../../", import.meta.url));
    const command = `ulimit -n 200; exec "$0" examples/port-scanner.mjs 127.0.0.1 ${first}-${first + 2000}`;
    const { stdout } = await promisify(execFile)("sh", ["-c", command, process.execPath], { cwd: root });
    expect(stdout.split("\n")).toContain(`${port} open`);
    expect(stdout).toMatch(/\d+ of 2001 ports of 127\.0\.0\.1 are open\n$/);
  });
});
