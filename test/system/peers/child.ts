/** Child processes of tests: what they say, and their certain end. */

import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";

/** How a program ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/**
 * A running program. It is killed when the test is finished, in whatever way, and waited for.
 *
 * `says` waits for a text in its output, so that tests go on when something has happened and not some time later.
 */
export class Child {
  /** Fulfilled when the program has ended and all of its output is there. */
  readonly ended: Promise<Ended>;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #stdout: Buffer[] = [];
  #stderr: string = "";
  #hasEnded: boolean = false;
  /** Those in `says`, who look again when there is more. */
  readonly #listeners: Set<() => void> = new Set();

  constructor(command: string, args: readonly string[]) {
    this.#process = spawn(command, args, { env: { ...process.env, PYTHONUNBUFFERED: "1" } });
    this.ended = this.#watch();
    onTestFinished(async () => {
      this.kill();
      await this.ended;
    });
  }

  async #watch(): Promise<Ended> {
    const child = this.#process;
    child.stdout.on("data", (chunk: Buffer) => this.#heard(() => this.#stdout.push(chunk)));
    child.stderr.setEncoding("utf8").on("data", (text: string) => this.#heard(() => (this.#stderr += text)));
    // A program that ends does not read the rest of its input.
    child.stdin.on("error", () => {});
    const closed = once(child, "close");
    const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
    this.#heard(() => (this.#hasEnded = true));
    return { code, signal, stdout: Buffer.concat(this.#stdout), stderr: this.#stderr };
  }

  #heard(what: () => void): void {
    what();
    for (const listener of this.#listeners) listener();
  }

  /** Waits until its output, or what it wrote to standard error, has `text`; throws if it ends without. */
  async says(text: RegExp): Promise<RegExpMatchArray> {
    return await new Promise((resolve, reject) => {
      const look = (): void => {
        const said = `${Buffer.concat(this.#stdout).toString()}\n${this.#stderr}`;
        const match = said.match(text);
        if (match === null && !this.#hasEnded) return;
        this.#listeners.delete(look);
        if (match === null) reject(new Error(`the program ended and did not say ${String(text)}, but: ${said}`));
        else resolve(match);
      };
      this.#listeners.add(look);
      look();
    });
  }

  write(text: string | Uint8Array): void {
    this.#process.stdin.write(text);
  }

  endInput(text?: string | Uint8Array): void {
    this.#process.stdin.end(text);
  }

  /** Without warning, as by `kill -9`. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }
}

/** Runs a program to its end, with `input`, and fails if it does not end well. */
export async function output(
  command: string,
  args: readonly string[],
  input: string | Uint8Array = "",
): Promise<Buffer> {
  const child = new Child(command, args);
  child.endInput(input);
  const { code, signal, stdout, stderr } = await child.ended;
  if (code !== 0) throw new Error(`${command} ended with ${code ?? signal}: ${stderr}`);
  return stdout;
}
