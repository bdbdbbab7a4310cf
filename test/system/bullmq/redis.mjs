/** A Redis of a test's own: Debian's `redis-server`, on a Unix socket. @module */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { start } from "../interop/servers.mjs";

/** Whether there is one; where tests must not be left out (`CI`), a missing one is an error. */
export function hasRedis() {
  const isThere = spawnSync("redis-server", ["--version"]).status === 0;
  const cure = "there is no redis-server here: install Debian's package of that name";
  if (!isThere && process.env.CI) throw new Error(cure);
  if (!isThere) console.warn(`SKIPPED: what needs Redis; ${cure}`);
  return isThere;
}

/** Starts a Redis; with `args` besides the usual ones. */
export async function startRedis(args = []) {
  const folder = mkdtempSync(join(tmpdir(), "asyncio-ts-redis-"));
  const redis = new Redis(folder, args);
  await redis.start();
  return redis;
}

class Redis {
  #args;
  #server = null;

  constructor(folder, args) {
    this.folder = folder;
    this.connection = { path: join(folder, "redis.sock") };
    const place = ["--port", "0", "--unixsocket", this.connection.path, "--dir", folder];
    this.#args = place.concat("--save", "", "--maxmemory-policy", "noeviction", args);
  }

  async start() {
    this.#server = start("redis-server", this.#args);
    await this.#server.says(/ready to accept connections at/i);
  }

  /** As by `kill -9`; what it had in memory is gone, unless `args` say otherwise. */
  async kill() {
    await this.#server.stop("SIGKILL");
  }

  async stop() {
    await this.kill();
    rmSync(this.folder, { recursive: true });
  }
}
