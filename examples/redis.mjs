// A client of Redis: one connection, commands, pipelines, and errors. All of its protocol (RESP2) fits on a page.
//
//   npm run build
//   redis-server --port 6379 --save '' &
//   node examples/redis.mjs 127.0.0.1:6379       # or the path of a Unix socket
//
// It shows `readuntil` and `readexactly`, a lock around a request and its reply, and what cancellation means for a
// connection: whoever stops waiting between the two leaves a reply behind, which the next one would take for his own.
// So the connection is closed then.

import { fileURLToPath } from "node:url";
import * as asyncio from "asyncio-ts";

/** @typedef {string | number | Uint8Array} Argument */
/** @typedef {string | number | null | RedisError | Reply[]} Reply */

/** What Redis has against a command. */
export class RedisError extends Error {
  name = "RedisError";
}

export class Redis {
  #reader;
  #writer;
  /** Held by the one who waits for replies. */
  #lock = new asyncio.Lock();

  /**
   * @param {asyncio.StreamReader} reader
   * @param {asyncio.StreamWriter} writer
   */
  constructor(reader, writer) {
    this.#reader = reader;
    this.#writer = writer;
  }

  /**
   * Connects to `host:port`, or to the Unix socket at a path.
   *
   * @param {string} place
   */
  static async connect(place) {
    const [, host, port] = /^(.+):(\d+)$/.exec(place) ?? [];
    const streams = port === undefined ? asyncio.openUnixConnection(place) : asyncio.openConnection(host, Number(port));
    return new Redis(...(await streams));
  }

  /**
   * Sends one command and waits for its reply. As all that comes from `hold`, it is lazy, and cancelled by `waitFor`.
   *
   * @param {Argument[]} args
   * @returns {asyncio.Coroutine<Reply>}
   * @throws {RedisError}
   */
  command(...args) {
    return this.#lock.hold(async () => {
      const [reply = null] = await this.#exchange([args]);
      if (reply instanceof RedisError) throw reply;
      return reply;
    });
  }

  /**
   * Sends all commands at once and waits for all replies. An error is one of the replies: the others are not lost.
   *
   * @param {Argument[][]} commands
   * @returns {asyncio.Coroutine<Reply[]>}
   */
  pipeline(commands) {
    return this.#lock.hold(() => this.#exchange(commands));
  }

  async close() {
    this.#writer.close();
    await this.#writer.waitClosed();
  }

  /** @param {Argument[][]} commands */
  async #exchange(commands) {
    if (this.#writer.isClosing()) throw new asyncio.ConnectionResetError("the connection to Redis is closed");
    try {
      this.#writer.writelines(commands.flatMap(encode));
      await this.#writer.drain();
      const replies = [];
      for (const _ of commands) replies.push(await this.#readReply());
      return replies;
    } catch (error) {
      // Cancelled, or no Redis: nobody knows any more whose reply comes next.
      this.#writer.transport.abort();
      throw error;
    }
  }

  /** @returns {Promise<Reply>} */
  async #readReply() {
    const line = String(await this.#reader.readuntil("\r\n")).slice(0, -2);
    const [kind, rest] = [line[0], line.slice(1)];
    switch (kind) {
      case "+":
        return rest;
      case "-":
        return new RedisError(rest);
      case ":":
        return Number(rest);
      case "$":
        return await this.#readText(Number(rest));
      case "*":
        return await this.#readArray(Number(rest));
      default:
        throw new Error(`this is no reply of Redis: ${line}`);
    }
  }

  /** @param {number} length in bytes; -1 for no text */
  async #readText(length) {
    if (length === -1) return null;
    const bytes = await this.#reader.readexactly(length + 2); // with \r\n
    return String(bytes.subarray(0, length));
  }

  /** @param {number} length -1 for no array */
  async #readArray(length) {
    if (length === -1) return null;
    const items = [];
    while (items.length < length) items.push(await this.#readReply());
    return items;
  }
}

/**
 * A command as RESP: an array of strings, each with its length in bytes.
 *
 * @param {Argument[]} args
 */
function encode(args) {
  return [`*${args.length}\r\n`, ...args.flatMap(encodeArgument)];
}

/** @param {Argument} arg */
function encodeArgument(arg) {
  const bytes = arg instanceof Uint8Array ? arg : Buffer.from(String(arg));
  return [`$${bytes.length}\r\n`, bytes, "\r\n"];
}

/** @param {string} place */
async function demo(place) {
  const redis = await Redis.connect(place);
  console.log("SET", await redis.command("SET", "greeting", "grüß dich"));
  console.log("GET", await redis.command("GET", "greeting"));

  await redis.command("DEL", "visits");
  console.log(
    "pipeline",
    await redis.pipeline([
      ["INCR", "visits"],
      ["INCRBY", "visits", 10],
      ["GET", "visits"],
    ]),
  );

  try {
    await redis.command("INCR", "greeting");
  } catch (error) {
    if (!(error instanceof RedisError)) throw error;
    console.log("error", error.message);
  }

  try {
    await asyncio.waitFor(redis.command("BLPOP", "nothing", 0), { milliseconds: 50 });
  } catch (error) {
    if (!(error instanceof asyncio.TimeoutError)) throw error;
    console.log("BLPOP took too long, so the connection is closed");
  }

  const another = await Redis.connect(place);
  console.log("GET", await another.command("GET", "greeting"));
  await another.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await asyncio.run(() => demo(process.argv[2] ?? "127.0.0.1:6379"));
}
