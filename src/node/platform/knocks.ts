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
 * `record` begins a record of what the tasks do, which ends with the connection; a later `snapshot` tells what it has, and
 * `trace` the last steps.
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
import { loopsThatRun } from "../../core/kernel/running.ts";
import type { BaseEventLoop } from "../../core/loop/base-events.ts";
import { chromeTrace } from "../../inspection/chrome-trace.ts";
import type { RecordLevel } from "../../inspection/recorder.ts";
import { isRecordLevel, recorderOf } from "../../inspection/recorder.ts";
import { snapshotOf } from "../../inspection/snapshots.ts";

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
  const session = new Session();
  const say = (message: object): void => void client.write(`${JSON.stringify(message)}\n`);
  let text = "";
  client
    .unref()
    .setEncoding("utf8")
    .setTimeout(PATIENCE, () => client.destroy());
  client.on("error", () => {});
  client.on("close", () => session.end());
  client.on("data", (chunk: string) => {
    text += chunk;
    const lines = text.split("\n");
    text = lines.pop()!;
    if (text.length > LONGEST_REQUEST) client.destroy();
    for (const line of lines) say(session.answer(line));
    // Who records says nothing for as long as it likes.
    client.setTimeout(session.isRecording ? 0 : PATIENCE);
  });
  say({ "asyncio-ts": 1, pid: process.pid, uid: process.getuid?.() ?? null });
}

/** One client. */
class Session {
  /** Ends what is recorded on its behalf. */
  readonly #watches: Map<BaseEventLoop, () => void> = new Map();

  get isRecording(): boolean {
    return this.#watches.size > 0;
  }

  answer(line: string): object {
    try {
      const { id, do: what, level } = JSON.parse(line) as { readonly id: unknown; do: unknown; level?: unknown };
      if (what === "snapshot") return { id, ok: { loops: loops().map((loop) => snapshotOf(loop, process.pid)) } };
      if (what === "record" && isRecordLevel(level)) return { id, ok: { recording: this.#record(level) } };
      if (what === "trace") return { id, ok: this.#trace() };
      return { id, error: "unknown" };
    } catch (error) {
      return { error: String(error) };
    }
  }

  end(): void {
    for (const stop of this.#watches.values()) stop();
    this.#watches.clear();
  }

  /** Records what the loops do that run now; how many they are. */
  #record(level: RecordLevel): number {
    this.end();
    for (const loop of loops()) this.#watches.set(loop, recorderOf(loop).watch(level));
    return this.#watches.size;
  }

  #trace(): object {
    const rings = [...this.#watches.keys()].flatMap((loop) => recorderOf(loop).events ?? []);
    const dropped = rings.reduce((sum, ring) => sum + ring.dropped, 0);
    return chromeTrace(
      rings.flatMap((ring) => [...ring]),
      process.pid,
      dropped,
    );
  }
}

function loops(): BaseEventLoop[] {
  return [...loopsThatRun()] as BaseEventLoop[];
}
