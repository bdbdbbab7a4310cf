/** examples/redis.mjs, against a real Redis: Debian's `redis-server`. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as asyncio from "asyncio-ts";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { build, hasRedis, IN_GOOD_ORDER, Lines, portOf, Program } from "./program.ts";

beforeAll(build);

type Argument = string | number | Uint8Array;

interface Redis {
  command(...args: readonly Argument[]): asyncio.Coroutine<unknown>;
  pipeline(commands: readonly (readonly Argument[])[]): asyncio.Coroutine<unknown[]>;
  close(): Promise<void>;
}
/** The example is JavaScript: its types are named here. */
interface Example {
  readonly Redis: { connect(place: string): Promise<Redis> };
  readonly RedisError: new (message: string) => Error;
}

async function importExample(): Promise<Example> {
  const url = new URL("../../../examples/redis.mjs", import.meta.url).href;
  return (await import(/* @vite-ignore */ url)) as Example;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}

/** A Redis that lives as long as the test: where it listens. */
async function startRedis(): Promise<{ tcp: string; unix: string }> {
  const folder = mkdtempSync(join(tmpdir(), "asyncio-ts-"));
  const [port, path] = [await freePort(), join(folder, "socket")];
  const args = ["--bind", "127.0.0.1", "--port", String(port), "--unixsocket", path, "--dir", folder];
  const server = spawn("redis-server", [...args, "--save", "", "--appendonly", "no"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(server, "close");
  onTestFinished(async () => {
    server.kill("SIGKILL");
    await closed;
    rmSync(folder, { recursive: true });
  });
  await new Lines(server.stdout).until(/ready to accept connections at/i);
  return { tcp: `127.0.0.1:${port}`, unix: path };
}

/** Runs `main` with two connections to a Redis. */
async function withRedis(main: (redis: Redis, other: Redis, example: Example) => Promise<void>): Promise<void> {
  const example = await importExample();
  const { unix } = await startRedis();
  await asyncio.run(async () => {
    const [redis, other] = [await example.Redis.connect(unix), await example.Redis.connect(unix)];
    await main(redis, other, example);
    await other.close();
  });
}

/** Waits until Redis has got somebody's BLPOP. */
async function untilBlocked(other: Redis): Promise<void> {
  while (!String(await other.command("CLIENT", "LIST")).includes("cmd=blpop")) continue;
}

/** What `work` fails with. */
async function failureOf(work: asyncio.Awaitable<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}

const mustBeThere = process.env["CI"] === "true";
if (!hasRedis && !mustBeThere) console.warn("SKIPPED: the tests of the Redis client; install redis-server to run them");

describe.runIf(hasRedis || mustBeThere)("the Redis client", () => {
  beforeAll(() => {
    if (!hasRedis) throw new Error("there is no redis-server here: install Debian's package of that name");
  });

  test.each(["tcp", "unix"] as const)("the program shows commands, a pipeline and an error over %s", async (way) => {
    const places = await startRedis();
    const program = new Program("examples/redis.mjs", places[way]);
    expect(await program.lines.rest()).toEqual([
      "SET OK",
      "GET grüß dich",
      "pipeline [ 1, 11, '11' ]",
      "error ERR value is not an integer or out of range",
      "BLPOP took too long, so the connection is closed",
      "GET grüß dich",
    ]);
    expect(await program.end()).toEqual(IN_GOOD_ORDER);
  });

  test("each of many tasks gets its own reply", async () => {
    await withRedis(async (redis) => {
      const numbers = Array.from({ length: 200 }, (_, i) => i);
      expect(await asyncio.gather(numbers.map((n) => redis.command("ECHO", n)))).toEqual(numbers.map(String));
      await redis.close();
    });
  });

  test("a reply may be large, empty, nothing, a number, or an array of arrays", async () => {
    await withRedis(async (redis) => {
      const large = "ä\r\n".repeat(100_000);
      expect(await redis.command("SET", "large", large)).toBe("OK");
      expect(await redis.command("GET", "large")).toBe(large);
      expect(await redis.command("GET", "nobody")).toBe(null);
      expect(await redis.command("ECHO", "")).toBe("");
      expect(await redis.command("SET", "bytes", new Uint8Array([0, 10, 13, 65]))).toBe("OK");
      expect(await redis.command("GET", "bytes")).toBe("\0\n\rA");
      expect(await redis.command("EVAL", "return {1, {'a', {}}, false}", 0)).toEqual([1, ["a", []], null]);
      await redis.close();
    });
  });

  test("an error reply is an error, and the connection is as good as before", async () => {
    await withRedis(async (redis, _other, { RedisError }) => {
      const error = await failureOf(redis.command("NONSENSE"));
      expect(error).toBeInstanceOf(RedisError);
      expect(String(error)).toMatch(/^RedisError: ERR unknown command/);
      expect(await redis.command("PING")).toBe("PONG");
      await redis.close();
    });
  });

  test("in a pipeline an error is one of the replies", async () => {
    await withRedis(async (redis, _other, { RedisError }) => {
      const replies = await redis.pipeline([
        ["SET", "text", "a"],
        ["INCR", "text"],
        ["GET", "text"],
      ]);
      expect(replies).toEqual(["OK", expect.any(RedisError), "a"]);
      expect(await redis.pipeline([])).toEqual([]);
      await redis.close();
    });
  });

  test("a command cancelled while it waits for its reply closes the connection: no one gets that reply", async () => {
    await withRedis(async (redis, other) => {
      const task = asyncio.createTask(redis.command("BLPOP", "list", 0));
      const next = asyncio.createTask(redis.command("PING"));
      await untilBlocked(other);
      task.cancel();
      expect(await failureOf(next)).toBeInstanceOf(asyncio.ConnectionResetError);
      expect(task.cancelled()).toBe(true);
      expect(await other.command("RPUSH", "list", "late")).toBe(1);
      expect(await failureOf(redis.command("PING"))).toBeInstanceOf(asyncio.ConnectionResetError);
    });
  });

  test("a command with a deadline does, too", async () => {
    await withRedis(async (redis) => {
      const late = asyncio.waitFor(redis.command("BLPOP", "list", 0), 0.01);
      expect(await failureOf(late)).toBeInstanceOf(asyncio.TimeoutError);
      expect(await failureOf(redis.command("PING"))).toBeInstanceOf(asyncio.ConnectionResetError);
    });
  });

  test("a command cancelled before it was sent disturbs nobody", async () => {
    await withRedis(async (redis, other) => {
      const first = asyncio.createTask(redis.command("BLPOP", "list", 0));
      const second = asyncio.createTask(redis.command("PING"));
      await untilBlocked(other);
      second.cancel();
      expect(await other.command("RPUSH", "list", "item")).toBe(1);
      expect(await first).toEqual(["list", "item"]);
      expect(second.cancelled()).toBe(true);
      expect(await redis.command("ECHO", "still here")).toBe("still here");
      await redis.close();
    });
  });

  test("when Redis closes the connection, whoever waits hears of it, and so does the next", async () => {
    await withRedis(async (redis, other) => {
      const waiting = asyncio.createTask(redis.command("BLPOP", "list", 0));
      await untilBlocked(other);
      await other.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      expect(await failureOf(waiting)).toBeInstanceOf(asyncio.IncompleteReadError);
      expect(await failureOf(redis.command("PING"))).toBeInstanceOf(asyncio.ConnectionResetError);
    });
  });
});
