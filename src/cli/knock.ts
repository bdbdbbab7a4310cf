/**
 * The asking side of a knock; `node/platform/knocks` is the other, and has the picture. Linux: what is known of a process
 * before it is asked comes from `/proc`.
 *
 * @module
 */

import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { dirname } from "node:path";
import { TimeoutError } from "../core/base/exceptions.ts";
import { sleep } from "../core/coordination/sleep.ts";
import { timeout } from "../core/coordination/timeouts.ts";
import { openUnixConnection } from "../core/network/streams/connections.ts";
import type { StreamReader } from "../core/network/streams/stream-reader.ts";
import type { StreamWriter } from "../core/network/streams/stream-writer.ts";
import type { LoopSnapshot } from "../inspection/snapshots.ts";

/** What is wrong, in words for the person who asked. */
export class KnockError extends Error {
  override readonly name: string = "KnockError";
}

/** The process is there, and says nothing. */
export class SilenceError extends KnockError {}

const SIGURG = 23;
/**
 * SIGTTIN and SIGTTOU. Nobody catches them but programs that catch every signal, to end when any comes; Bun has some of its
 * own, and the package signal-exit wants many, but not these.
 */
const UNUSUAL = [21, 22];
/** How long an answer may take, in seconds. */
const PATIENCE = 2;
const KNOCK_AGAIN = 0.2;
/** In bytes: some hundred for each task. */
const LONGEST_ANSWER = 1 << 28;
/** What the state of a process that does not answer says; see proc(5). */
const REASONS: Readonly<Record<string, string>> = {
  T: "it is stopped (SIGSTOP)",
  R: "its loop is blocked, and computes",
};

/** One question to the process, and its answer. */
export type Ask = <T>(request: Readonly<Record<string, unknown>>) => Promise<T>;

/** What the tasks of a process are doing. @throws {KnockError} if that cannot be known. */
export async function askForTasks(ask: Ask): Promise<readonly LoopSnapshot[]> {
  return (await ask<{ readonly loops: readonly LoopSnapshot[] }>({ do: "snapshot" })).loops;
}

/** Connects to a process for as long as `visit` runs. @throws {KnockError} if it cannot be asked, or does not answer. */
export async function visitProcess<T>(pid: number, visit: (ask: Ask) => Promise<T>): Promise<T> {
  if (process.platform !== "linux") {
    throw new KnockError("processes are found in /proc, which Linux has; elsewhere, print drawTasks() on a signal");
  }
  const { uid, start } = check(pid);
  let line: Line | null = null;
  try {
    line = await patiently(pid, async () => await knock(pid, uid));
    const { ask } = line;
    if (startOf(pid) !== start) throw new KnockError(`process ${pid} has ended`);
    return await visit(async <A>(request: object) => await patiently(pid, async () => await ask<A>(request)));
  } catch (error) {
    if (!(error instanceof ClosedError) && !isOfSystem(error)) throw error;
    throw new KnockError(`process ${pid} has ended`, { cause: error });
  } finally {
    line?.close();
  }
}

async function patiently<T>(pid: number, work: () => Promise<T>): Promise<T> {
  try {
    return await timeout(PATIENCE, work);
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    const why = REASONS[stateOf(pid)] ?? "its loop is blocked";
    throw new SilenceError(`process ${pid} does not answer: ${why}`, { cause: error });
  }
}

/** Whether it can be asked; whose it is, and when it has begun. */
function check(pid: number): { readonly uid: number; readonly start: string } {
  const status = fileOf(pid, "status");
  if (status === null) throw new KnockError(`process ${pid} not found`);
  const uid = Number(field(status, "Uid").split(/\s+/)[1]);
  const own = process.geteuid!();
  if (own !== 0 && own !== uid) {
    throw new KnockError(`process ${pid} is another user's (uid ${uid}): ask as that user, or with sudo`);
  }
  const catches = (signal: number): boolean => isCaught(status, signal);
  if (!catches(SIGURG)) {
    throw new KnockError(`process ${pid} runs no loop of asyncio-ts (or has ASYNCIO_TS_ATTACH=0)`);
  }
  if (UNUSUAL.every(catches))
    throw new KnockError(`process ${pid} catches every signal: it is not asked, lest it ends`);
  // As root, what is done in the folders of others is done as they.
  if (own === 0 && uid !== 0) {
    process.setegid!(Number(field(status, "Gid").split(/\s+/)[1]));
    process.seteuid!(uid);
  }
  return { uid, start: startOf(pid) };
}

export function catchesSignal(pid: number, signal: number): boolean {
  return isCaught(fileOf(pid, "status") ?? "", signal);
}

function isCaught(status: string, signal: number): boolean {
  const caught = BigInt(`0x${field(status, "SigCgt") || "0"}`);
  return ((caught >> BigInt(signal - 1)) & 1n) === 1n;
}

/** The ports of this machine alone, 127.0.0.1, on which a process listens. */
export function listeningPorts(pid: number): number[] {
  const inodes = socketsOf(pid);
  const lines = (fileOf(pid, "net/tcp") ?? "").split("\n").map((line) => line.trim().split(/\s+/));
  return lines.flatMap(([, local = "", , state, , , , , , inode = ""]) => {
    const [address, port = ""] = local.split(":");
    const isOwn = state === "0A" && address === "0100007F" && inodes.has(inode);
    return isOwn ? [Number.parseInt(port, 16)] : [];
  });
}

/** The inodes of the sockets that a process has open. */
function socketsOf(pid: number): Set<string> {
  return new Set(linksOf(pid).flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
}

async function knock(pid: number, uid: number): Promise<Line> {
  for (let waited = Infinity; ; waited += 0.005) {
    if (waited >= KNOCK_AGAIN) {
      process.kill(pid, "SIGURG");
      waited = 0;
    }
    const path = socketOf(pid, uid);
    if (path !== null) {
      try {
        return await Line.open(path, pid);
      } catch (error) {
        // Somebody else's connection has taken the door: again.
        if (!(error instanceof ClosedError) && !isOfSystem(error)) throw error;
        waited = Infinity;
      }
    }
    await sleep(0.005);
  }
}

/** The socket that the process has made for who knocks: by its inode, and therefore no other. */
function socketOf(pid: number, uid: number): string | null {
  const inodes = socketsOf(pid);
  for (const line of (fileOf(pid, "net/unix") ?? "").split("\n")) {
    const [, , , flags, , , inode = "", path = ""] = line.trim().split(/\s+/);
    const isListening = flags === "00010000";
    if (!isListening || !inodes.has(inode) || !/\/asyncio-ts-\w{6}\/sock$/.test(path)) continue;
    const place = `/proc/${pid}/root${path}`;
    const [folder, socket] = [
      lstatSync(dirname(place), { throwIfNoEntry: false }),
      lstatSync(place, { throwIfNoEntry: false }),
    ];
    if (folder === undefined || socket === undefined) return null;
    const isPrivate = folder.uid === uid && (folder.mode & 0o077) === 0 && socket.uid === uid && socket.isSocket();
    if (!isPrivate) throw new KnockError(`${path} is not private to the user of process ${pid} (uid ${uid})`);
    return place;
  }
  return null;
}

/** The connection has ended before the answer. */
class ClosedError extends Error {}

/** What the process says on a line. */
interface Message {
  readonly "asyncio-ts"?: number;
  readonly ok?: unknown;
  readonly error?: string;
}

/** A connection to a process. */
class Line {
  readonly #reader: StreamReader;
  readonly #writer: StreamWriter;
  readonly #pid: number;
  #asked: number = 0;

  static async open(path: string, pid: number): Promise<Line> {
    const line = new Line(...(await openUnixConnection(path, { limit: LONGEST_ANSWER })), pid);
    try {
      const hello = await line.#next();
      if (hello["asyncio-ts"] !== 1) {
        throw new KnockError(`process ${pid} answers what this version does not understand`);
      }
      return line;
    } catch (error) {
      line.close();
      throw error;
    }
  }

  constructor(reader: StreamReader, writer: StreamWriter, pid: number) {
    this.#reader = reader;
    this.#writer = writer;
    this.#pid = pid;
  }

  readonly ask = async <T>(request: object): Promise<T> => {
    this.#writer.write(`${JSON.stringify({ ...request, id: ++this.#asked })}\n`);
    const { ok, error } = await this.#next();
    if (ok === undefined) throw new KnockError(`process ${this.#pid} answers with an error: ${error}`);
    return ok as T;
  };

  close(): void {
    this.#writer.close();
  }

  async #next(): Promise<Message> {
    const line = String(await this.#reader.readline());
    if (!line.endsWith("\n")) throw new ClosedError();
    return JSON.parse(line, plain) as Message;
  }
}

/** Names come from the process: nothing in them speaks to the terminal. */
export function plainText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- those are what is looked for
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "?");
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === "string" ? plainText(value) : value;
}

/** Whether the system has refused or ended the connection. */
function isOfSystem(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).syscall !== undefined;
}

function fileOf(pid: number, name: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return null;
  }
}

function linksOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch {
        return []; // closed meanwhile
      }
    });
  } catch {
    return [];
  }
}

function field(status: string, name: string): string {
  return new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "";
}

/** The fields of `/proc/PID/stat` after the name, which may have spaces and parentheses. */
function statOf(pid: number): string[] {
  const stat = fileOf(pid, "stat") ?? "";
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function stateOf(pid: number): string {
  return statOf(pid)[0] ?? "";
}

function startOf(pid: number): string {
  return statOf(pid)[19] ?? "";
}
