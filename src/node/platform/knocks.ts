/**
 * Knocks: `asyncio-ts ps PID` asks what the tasks of this process do, without preparation. Until somebody knocks there is a
 * listener for a signal, and no file, no socket, no thread.
 *
 * ```text
 *   the asking process              this process
 *     SIGURG ──────────────────────►  a fresh folder for this user alone, a Unix socket in it
 *     finds the socket among those that this process listens on, checks whose it is
 *     connects ────────────────────►  folder and listener are gone: one knock, one client
 *             ◄──────────────────────  {"asyncio-ts":1,"pid":17,"uid":1000}
 *     {"id":1,"do":"snapshot"} ────►
 *             ◄──────────────────────  {"id":1,"ok":{"loops":[...]}}
 * ```
 *
 * Who may send a signal to a process may do worse to it. There is nothing to change, nothing to evaluate, and no argument of
 * anything is shown: names of tasks and functions, and who waits for whom. SIGURG, since it is ignored where nobody listens.
 * `ASYNCIO_TS_ATTACH=0` turns it off.
 *
 * @module
 */

import { mkdtempSync, rmSync } from "node:fs";
import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import type { AbstractEventLoop } from "../../core/kernel/events.ts";
import { loopsThatRun } from "../../core/kernel/running.ts";
import { snapshotOf } from "../../core/loop/snapshots.ts";

const KNOCK = "SIGURG";
/** How long an open door waits for who has knocked, and a client may be silent, in milliseconds. */
const PATIENCE = 10_000;
const LONGEST_REQUEST = 65_536;

let isListening = false;
let door: Door | null = null;

/** Hears of knocks from now on, for as long as the process lives. */
export function listenForKnocks(): void {
  if (isListening) return;
  isListening = true;
  // On Deno already a look at the environment takes a permission.
  if ("deno" in process.versions || !isMainThread || process.platform === "win32") return;
  if (process.env["ASYNCIO_TS_ATTACH"] === "0") return;
  process.on(KNOCK, () => {
    door ??= Door.open(() => (door = null));
  });
}

/** A socket that waits for one client. */
class Door {
  readonly #folder: string;
  readonly #server: Server;
  readonly #timer: NodeJS.Timeout;
  readonly #onClose: () => void;

  /** `null` where no socket can be made: whoever asks will say that there is no answer. */
  static open(onClose: () => void): Door | null {
    try {
      return new Door(mkdtempSync(join(process.env["XDG_RUNTIME_DIR"] ?? tmpdir(), "asyncio-ts-")), onClose);
    } catch {
      return null;
    }
  }

  constructor(folder: string, onClose: () => void) {
    this.#folder = folder;
    this.#onClose = onClose;
    this.#server = createServer((client) => {
      this.#close();
      serve(client);
    });
    this.#server.on("error", () => this.#close());
    this.#server.unref().listen(join(folder, "sock"));
    this.#timer = setTimeout(() => this.#close(), PATIENCE).unref();
    process.once("exit", this.#atExit);
  }

  readonly #atExit = (): void => rmSync(this.#folder, { recursive: true, force: true });

  #close(): void {
    clearTimeout(this.#timer);
    process.off("exit", this.#atExit);
    this.#server.close();
    this.#atExit();
    this.#onClose();
  }
}

/** Answers what a client asks, line by line. */
function serve(client: Socket): void {
  const say = (message: object): void => void client.write(`${JSON.stringify(message)}\n`);
  let text = "";
  client
    .unref()
    .setEncoding("utf8")
    .setTimeout(PATIENCE, () => client.destroy());
  client.on("error", () => {});
  client.on("data", (chunk: string) => {
    text += chunk;
    const lines = text.split("\n");
    text = lines.pop()!;
    if (text.length > LONGEST_REQUEST) client.destroy();
    for (const line of lines) say(answerTo(line));
  });
  say({ "asyncio-ts": 1, pid: process.pid, uid: process.getuid?.() ?? null });
}

function answerTo(line: string): object {
  try {
    const { id, do: what } = JSON.parse(line) as { readonly id: unknown; readonly do: unknown };
    if (what !== "snapshot") return { id, error: "unknown" };
    return { id, ok: { loops: [...loopsThatRun()].map((loop) => snapshotOf(loop as AbstractEventLoop, process.pid)) } };
  } catch (error) {
    return { error: String(error) };
  }
}
