/** An example as its user runs it: a process of its own, whose lines are read and which gets signals. */

import type { ChildProcess } from "node:child_process";
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Whether there is a Redis: Debian's `redis-server`. */
export const hasRedis: boolean = spawnSync("redis-server", ["--version"]).status === 0;

/** The examples run what was built. */
export async function build(): Promise<void> {
  if (existsSync(`${root}/dist/node/index.js`)) return;
  await promisify(execFile)(process.execPath, ["scripts/build.mjs"], { cwd: root });
}

/** The lines of a stream, one by one. */
export class Lines {
  readonly #lines: AsyncIterator<string>;

  constructor(stream: Readable) {
    this.#lines = createInterface({ input: stream, crlfDelay: Infinity })[Symbol.asyncIterator]();
  }

  /** The next line; `null` at the end. */
  async next(): Promise<string | null> {
    const { value, done } = await this.#lines.next();
    return done === true ? null : value;
  }

  /** Reads on to a line that matches; those up to and with it. */
  async until(pattern: RegExp): Promise<string[]> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.next();
      if (line === null) throw new Error(`no line matches ${String(pattern)} in:\n${lines.join("\n")}`);
      lines.push(line);
      if (pattern.test(line)) return lines;
    }
  }

  async rest(): Promise<string[]> {
    const lines: string[] = [];
    for (let line = await this.next(); line !== null; line = await this.next()) lines.push(line);
    return lines;
  }
}

/** The end of a program that did what it should. */
export const IN_GOOD_ORDER = { code: 0, errors: "" } as const;

export class Program {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown[]>;
  readonly lines: Lines;
  #errors: string = "";

  /** Runs `node file ...args`, until the test is over at the latest. */
  constructor(file: string, ...args: readonly string[]) {
    const child = spawn(process.execPath, [file, ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    this.#closed = once(child, "close");
    this.lines = new Lines(child.stdout);
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#errors += text));
    onTestFinished(() => void child.kill("SIGKILL"));
  }

  /** The port it says it listens at. */
  async port(): Promise<number> {
    const [line = ""] = (await this.lines.until(/ at port \d+$/)).slice(-1);
    return Number(/\d+$/.exec(line)?.[0]);
  }

  get pid(): string {
    return String(this.#child.pid);
  }

  signal(name: "SIGINT" | "SIGTERM"): void {
    this.#child.kill(name);
  }

  /** Waits for its end: the exit code, or the name of the signal that ended it; and what it had to complain of. */
  async end(): Promise<{ readonly code: unknown; readonly errors: string }> {
    const [code, signal] = await this.#closed;
    return { code: code ?? signal, errors: this.#errors };
  }
}

/** A connection to a program, whose lines are read when they are asked for. */
export async function dial(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
