/**
 * Where a blocked loop is, by Node's inspector: code that it is asked to evaluate runs also inside of a `while (true)`.
 * While it is open, for a tenth of a second, any user of the machine can run code in the process, so that it is never done
 * without consent.
 *
 * @module
 */

import { sleep } from "../core/coordination/sleep.ts";
import { timeout } from "../core/coordination/timeouts.ts";
import { TimeoutError } from "../core/base/exceptions.ts";
import { fromPromise } from "../core/kernel/promises.ts";
import { catchesSignal, KnockError, listeningPorts, plainText } from "./knock.ts";

const SIGUSR1 = 10;
/** In seconds: a main thread in native code answers nothing. */
const PATIENCE = 3;
const STACK = `(() => {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 50;
  const { stack } = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  return stack;
})()`;
const CLOSE = `require("node:inspector").close()`;

/** Node 20 has a WebSocket only behind a flag. */
export const NEEDED_FLAGS: readonly string[] =
  typeof WebSocket === "undefined" ? ["--experimental-websocket", "--no-warnings"] : [];

/** The functions that a blocked process is in, innermost first. @throws {KnockError} where there is no inspector. */
export async function blockedStack(pid: number): Promise<string[]> {
  if (!catchesSignal(pid, SIGUSR1)) throw new KnockError(`process ${pid} has no inspector: the line cannot be told`);
  try {
    return await timeout(PATIENCE, async () => {
      const { address, wasOpen } = await openInspector(pid);
      const inspector = await Inspector.connect(address);
      try {
        return linesOf(await inspector.evaluate(STACK));
      } finally {
        if (!wasOpen) inspector.evaluate(CLOSE).catch(() => {});
        else inspector.close();
      }
    });
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    throw new KnockError(`process ${pid} does not answer its inspector either: it is in native code`, { cause: error });
  }
}

async function openInspector(pid: number): Promise<{ readonly address: string; readonly wasOpen: boolean }> {
  const before = await Promise.all(listeningPorts(pid).map(async (port) => await inspectorAt(port)));
  const open = before.find((address) => address !== null);
  if (open !== undefined && open !== null) return { address: open, wasOpen: true };
  const known = new Set(listeningPorts(pid));
  process.kill(pid, "SIGUSR1");
  for (;;) {
    await sleep(0.01);
    const fresh = listeningPorts(pid).filter((port) => !known.has(port));
    const [address] = await Promise.all(fresh.map(async (port) => await inspectorAt(port)));
    if (typeof address === "string") return { address, wasOpen: false };
  }
}

/** The address of the inspector that listens on `port` of this machine; `null` if that is something else. */
async function inspectorAt(port: number): Promise<string | null> {
  try {
    const answer = await fromPromise(fetch(`http://127.0.0.1:${port}/json/list`, { signal: AbortSignal.timeout(300) }));
    const [target] = (await fromPromise(answer.json())) as [{ readonly webSocketDebuggerUrl?: string }?];
    return target?.webSocketDebuggerUrl ?? null;
  } catch {
    return null;
  }
}

class Inspector {
  readonly #socket: WebSocket;
  readonly #answers: Map<number, (value: string) => void> = new Map();
  #asked: number = 0;

  static async connect(address: string): Promise<Inspector> {
    const socket = new WebSocket(address);
    await fromPromise(
      new Promise((resolve, reject) => {
        socket.addEventListener("open", resolve);
        socket.addEventListener("error", () => reject(new KnockError("the inspector refuses the connection")));
      }),
    );
    return new Inspector(socket);
  }

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const { id, result } = JSON.parse(String(data)) as { id?: number; result?: { result?: { value?: string } } };
      if (id !== undefined) this.#answers.get(id)?.(result?.result?.value ?? "");
    });
  }

  /** @param code whose value is a string. */
  async evaluate(code: string): Promise<string> {
    const id = ++this.#asked;
    // With the command line API, there is a `require` also where modules have none.
    const params = { expression: code, returnByValue: true, includeCommandLineAPI: true };
    this.#socket.send(JSON.stringify({ id, method: "Runtime.evaluate", params }));
    return await fromPromise(new Promise((resolve) => this.#answers.set(id, resolve)));
  }

  close(): void {
    this.#socket.close();
  }
}

/** The lines of the stack, without those of the question. */
function linesOf(stack: string): string[] {
  const lines = stack
    .split("\n")
    .slice(1)
    .map((line) => plainText(line));
  return lines.filter((line) => !/^\s*at (?:<anonymous>:\d+:\d+|(?:\S+ )?\(<anonymous>:\d+:\d+\))$/.test(line));
}
