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
import type { LoopSnapshot } from "../core/loop/snapshots.ts";
import { openUnixConnection } from "../core/network/streams/connections.ts";

/** What is wrong, in words for the person who asked. */
export class KnockError extends Error {
  override readonly name: string = "KnockError";
}

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

/** What the tasks of a process are doing. @throws {KnockError} if that cannot be known. */
export async function askForTasks(pid: number): Promise<readonly LoopSnapshot[]> {
  if (process.platform !== "linux") {
    throw new KnockError("ps and pstree look into /proc, which Linux has; elsewhere, print drawTasks() on a signal");
  }
  const { uid, start } = check(pid);
  try {
    const loops = await timeout(PATIENCE, async () => await knock(pid, uid));
    if (startOf(pid) !== start) throw new KnockError(`process ${pid} has ended`);
    return loops;
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    const why = REASONS[stateOf(pid)] ?? "its loop is blocked";
    throw new KnockError(`process ${pid} does not answer: ${why}`, { cause: error });
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
  const caught = BigInt(`0x${field(status, "SigCgt")}`);
  const catches = (signal: number): boolean => ((caught >> BigInt(signal - 1)) & 1n) === 1n;
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

async function knock(pid: number, uid: number): Promise<readonly LoopSnapshot[]> {
  for (let waited = Infinity; ; waited += 0.005) {
    if (waited >= KNOCK_AGAIN) {
      process.kill(pid, "SIGURG");
      waited = 0;
    }
    const path = socketOf(pid, uid);
    if (path !== null) {
      try {
        return await ask(path, pid);
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
  const inodes = new Set(linksOf(pid).flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
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
  readonly ok?: { readonly loops: readonly LoopSnapshot[] };
  readonly error?: string;
}

async function ask(path: string, pid: number): Promise<readonly LoopSnapshot[]> {
  const [reader, writer] = await openUnixConnection(path, { limit: LONGEST_ANSWER });
  const next = async (): Promise<Message> => {
    const line = String(await reader.readline());
    if (!line.endsWith("\n")) throw new ClosedError();
    return JSON.parse(line, plain) as Message;
  };
  try {
    const hello = await next();
    if (hello["asyncio-ts"] !== 1) throw new KnockError(`process ${pid} answers what this version does not understand`);
    writer.write(`${JSON.stringify({ id: 1, do: "snapshot" })}\n`);
    const { ok, error } = await next();
    if (ok === undefined) throw new KnockError(`process ${pid} answers with an error: ${error}`);
    return ok.loops;
  } finally {
    writer.close();
  }
}

/** Names come from the process: nothing in them speaks to the terminal. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  // oxlint-disable-next-line no-control-regex -- those are what is looked for
  return value.replaceAll(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "?");
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
