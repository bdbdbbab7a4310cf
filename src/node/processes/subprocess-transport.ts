/**
 * The transport of a child process.
 *
 * **Order.** The pipes are connected; then the protocol hears `connectionMade`, and after it what has happened meanwhile.
 * It hears `processExited` when the child has ended, and `connectionLost` when the child has ended and all pipes are
 * closed: a grandchild may hold them for longer.
 *
 * | state     | it holds                                               | next                |
 * | --------- | ------------------------------------------------------- | ------------------- |
 * | `open`    | until `close`, also when the child has ended            | `closing`, `closed` |
 * | `closing` | from `close`, until the child and its pipes have ended  | `closed`            |
 * | `closed`  | for good; `connectionLost` is on its way or was called  | –                   |
 *
 * Whether the child has ended is told by its return code alone.
 *
 * @module
 */

import type { ChildProcess, SpawnOptions, StdioOptions } from "node:child_process";
import { spawn } from "node:child_process";
import { constants } from "node:os";
import type { ByteChannel } from "../../core/network/byte-channels.ts";
import type { CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import type { AbstractEventLoop } from "../../core/kernel/events.ts";
import type { Resource } from "../../core/base/resource.ts";
import { ProcessLookupError } from "../../core/base/exceptions.ts";
import { inspectAsString, repr } from "../../core/base/format.ts";
import type { Future } from "../../core/kernel/futures.ts";
import { callProtocol, Inbox } from "../../core/network/inbox.ts";
import type { Protocol, SubprocessProtocol, SubprocessTransport, Transport } from "../../core/network/contracts.ts";
import { StreamTransport } from "../../core/network/stream-transport.ts";
import type { NodeStream } from "../network/stream-channel.ts";
import { readPipe, writePipe } from "../network/pipes.ts";
import { socketPair } from "../network/socket-pair.ts";
import { pastLevels } from "../../core/kernel/levels.ts";

/** A pipe to or from the child. CPython: `asyncio.subprocess.PIPE`. */
export const PIPE: -1 = -1;
/** For `stderr`: where `stdout` goes, in the order in which the child writes. CPython: `asyncio.subprocess.STDOUT`. */
export const STDOUT: number = -2;
/** Reading finds the end at once, and what is written is dropped. CPython: `asyncio.subprocess.DEVNULL`. */
export const DEVNULL: number = -3;

/** Where one of the child's streams leads: `PIPE`, `DEVNULL`, a descriptor, a stream of Node's; `null` is the parent's. */
export type Stdio = number | NodeStream | null;

/** Options of `createSubprocessExec` and its like. */
export interface SubprocessOptions {
  readonly stdin?: Stdio;
  readonly stdout?: Stdio;
  /** Also `STDOUT`. */
  readonly stderr?: Stdio;
  /** The folder the child runs in. */
  readonly cwd?: string | URL;
  /** The child's environment; the parent's by default. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Makes the child the leader of a session of its own, which Ctrl-C does not reach. */
  readonly startNewSession?: boolean;
  /** The ids under which the child runs. */
  readonly user?: number;
  readonly group?: number;
  /** The name of the program as the child sees it. */
  readonly argv0?: string;
}

/** A program and its arguments, or a line for the shell. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly shell: boolean;
}

/** See `EventLoop.subprocessExec`. Cancelled, the child is killed and waited for. */
export function* connectSubprocess<P extends SubprocessProtocol>(
  loop: AbstractEventLoop,
  makeProtocol: () => P,
  command: Command,
  options: SubprocessOptions,
): CoroutineGenerator<[ChildTransport, P]> {
  const protocol = makeProtocol();
  const merged = options.stderr === STDOUT && options.stdout === PIPE ? yield* socketPair(loop) : null;
  let transport: ChildTransport | null = null;
  try {
    const stdio = stdioOf(options, merged?.theirs ?? null);
    const child = spawn(command.program, command.args, { ...spawnOptions(options), shell: command.shell, stdio });
    if (child.pid === undefined) yield* failed(loop, child);
    transport = new ChildTransport(loop, child, protocol, merged?.ours ?? null);
    merged?.theirs.destroy();
    yield* transport._connectPipes();
    return [transport, protocol];
  } catch (error) {
    merged?.theirs.destroy();
    if (transport === null) {
      merged?.ours.destroy();
    } else {
      transport.close();
      yield* pastLevels(transport._wait());
    }
    throw error;
  }
}

/** The child could not be started: waits for the system's error, and raises it. */
function* failed(loop: AbstractEventLoop, child: ChildProcess): CoroutineGenerator<never> {
  const failure = loop.createFuture<never>();
  child.on("error", (error) => {
    if (!failure.done()) failure.setException(error);
  });
  try {
    return yield* failure;
  } finally {
    failure.logTraceback = false;
  }
}

function spawnOptions(options: SubprocessOptions): SpawnOptions {
  const { cwd, env, startNewSession, user, group, argv0 } = options;
  return {
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env: { ...env } }),
    ...(startNewSession === true ? { detached: true } : {}),
    ...(user === undefined ? {} : { uid: user }),
    ...(group === undefined ? {} : { gid: group }),
    ...(argv0 === undefined ? {} : { argv0 }),
  };
}

function stdioOf(options: SubprocessOptions, merged: NodeStream | null): StdioOptions {
  const { stdin = null, stdout = null, stderr = null } = options;
  if (stdin === STDOUT || stdout === STDOUT) throw new RangeError("STDOUT is for stderr alone");
  const out = merged ?? stdioEntry(stdout, 1);
  const error = stderr === STDOUT ? out : stdioEntry(stderr, 2);
  return [stdioEntry(stdin, 0), out, error] as StdioOptions;
}

function stdioEntry(stdio: Stdio, fd: number): unknown {
  if (stdio === null) return fd;
  if (stdio === PIPE) return "pipe";
  if (stdio === DEVNULL) return "ignore";
  if (typeof stdio === "number" && !(Number.isInteger(stdio) && stdio >= 0)) {
    throw new RangeError(`stdio: expected PIPE, DEVNULL, a descriptor, a stream or null, received ${repr(stdio)}`);
  }
  return stdio;
}

/** A call of the protocol that waits for its turn. */
interface ProtocolCall {
  /** The method, for the report of an error. */
  readonly name: string;
  tell(protocol: SubprocessProtocol): void;
}

/** CPython: `base_subprocess.BaseSubprocessTransport`. */
class ChildTransport implements SubprocessTransport, Resource {
  readonly #loop: AbstractEventLoop;
  readonly #child: ChildProcess;
  readonly #inbox: Inbox<ProtocolCall>;
  readonly #pipes: Map<number, StreamTransport> = new Map();
  #protocol: SubprocessProtocol;
  #returncode: number | null = null;
  /** Pending calls of {@link _wait}. */
  #exitWaiters: Future<void>[] = [];
  /** What happened before `connectionMade`; `null` from then on. */
  #early: ProtocolCall[] | null = [];
  #state: "open" | "closing" | "closed" = "open";

  /** @param merged where the child's output and errors arrive together. */
  constructor(loop: AbstractEventLoop, child: ChildProcess, protocol: SubprocessProtocol, merged: NodeStream | null) {
    this.#loop = loop;
    this.#child = child;
    this.#protocol = protocol;
    this.#inbox = new Inbox(loop, (call) => this.#call(call));
    loop._adopt(this);
    // Not later: Node reads the pipes to their end and drops the data when the child has ended and nothing listens.
    this.#addPipe(0, child.stdin === null ? null : writePipe(child.stdin));
    const output = merged ?? child.stdout;
    this.#addPipe(1, output === null ? null : readPipe(output));
    this.#addPipe(2, merged !== null || child.stderr === null ? null : readPipe(child.stderr));
    child.on("error", () => {});
    child.on("exit", (code, signal) => this.#exited(code, signal));
    if (child.exitCode !== null || child.signalCode !== null) this.#exited(child.exitCode, child.signalCode);
  }

  #addPipe(fd: number, channel: ByteChannel | null): void {
    if (channel === null) return;
    this.#pipes.set(fd, new StreamTransport(this.#loop, channel, new PipeProtocol(this, fd)));
  }

  /** @internal Connects the pipes, and then tells the protocol. */
  *_connectPipes(): CoroutineGenerator<void> {
    const waiters = [...this.#pipes.values()].map((pipe) => {
      const waiter = this.#loop.createFuture();
      pipe.start(waiter);
      return waiter;
    });
    for (const waiter of waiters) yield* waiter;
    const early = this.#early ?? [];
    this.#early = null;
    this.#tell("connectionMade", (protocol) => protocol.connectionMade?.(this));
    for (const event of early) this.#inbox.push(event);
    const made = this.#loop.createFuture();
    this.#tell("connectionMade", () => {
      if (!made.done()) made.setResult();
    });
    yield* made;
    this.#loseIfOver();
  }

  getExtraInfo(name: string, fallback: unknown = null): unknown {
    return name === "subprocess" ? this.#child : fallback;
  }

  getProtocol(): SubprocessProtocol {
    return this.#protocol;
  }

  setProtocol(protocol: SubprocessProtocol): void {
    this.#protocol = protocol;
  }

  getPid(): number {
    return this.#child.pid!;
  }

  getReturncode(): number | null {
    return this.#returncode;
  }

  getPipeTransport(fd: number): Transport | null {
    return this.#pipes.get(fd) ?? null;
  }

  /** Whether it is closing, or will be because the child has ended. */
  isClosing(): boolean {
    return this.#state !== "open" || this.#returncode !== null;
  }

  /** A child that has ended gets no signal; that is an error only once its transport is gone too. */
  sendSignal(signal: NodeJS.Signals | number): void {
    if (this.#state === "closed") throw new ProcessLookupError(`the process ${this.getPid()} is gone`);
    if (this.#returncode === null) this.#child.kill(signal);
  }

  terminate(): void {
    this.sendSignal("SIGTERM");
  }

  kill(): void {
    this.sendSignal("SIGKILL");
  }

  /** Closes the pipes, and kills a child that is still running. */
  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    for (const pipe of this.#pipes.values()) pipe.close();
    if (this.#returncode === null) this.#child.kill("SIGKILL");
    else this.#loseIfOver();
  }

  /** @internal Waits until the child has ended: its exit code. */
  *_wait(): CoroutineGenerator<number> {
    if (this.#returncode === null) {
      const waiter = this.#loop.createFuture();
      this.#exitWaiters.push(waiter);
      try {
        yield* waiter;
      } finally {
        this.#exitWaiters = this.#exitWaiters.filter((other) => other !== waiter);
      }
    }
    return this.#returncode!;
  }

  /** @internal */
  get _loop(): AbstractEventLoop {
    return this.#loop;
  }

  /** @internal */
  _pipeData(fd: number, data: Uint8Array): void {
    this.#tell("pipeDataReceived", (protocol) => protocol.pipeDataReceived?.(fd, data));
  }

  /** @internal The loss of the child's input is told at once, as its pauses are: who drains waits for one turn only. */
  _pipeLost(fd: number, error: unknown): void {
    const lost: ProtocolCall = {
      name: "pipeConnectionLost",
      tell: (protocol) => protocol.pipeConnectionLost?.(fd, error),
    };
    if (fd === 0 && this.#early === null) this.#call(lost);
    else this.#tell(lost.name, lost.tell);
    this.#loseIfOver();
  }

  #call({ name, tell }: ProtocolCall): void {
    callProtocol(this.#loop, this, name, () => tell(this.#protocol));
  }

  #tell(name: string, tell: ProtocolCall["tell"]): void {
    if (this.#early === null) this.#inbox.push({ name, tell });
    else this.#early.push({ name, tell });
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#returncode !== null) return;
    this.#returncode = code ?? -constants.signals[signal!];
    this.#tell("processExited", (protocol) => protocol.processExited?.());
    for (const waiter of this.#exitWaiters) if (!waiter.done()) waiter.setResult();
    this.#loseIfOver();
  }

  #loseIfOver(): void {
    if (this.#state === "closed" || this.#returncode === null || this.#early !== null) return;
    if ([...this.#pipes.values()].some((pipe) => !(pipe.getProtocol() as PipeProtocol).closed.done())) return;
    this.#state = "closed";
    this.#tell("connectionLost", (protocol) => {
      this.#loop._release(this);
      protocol.connectionLost?.(null);
    });
  }

  /** @internal */
  _abandon(): void {
    if (this.#state === "open") this.#state = "closing";
    if (this.#returncode === null) this.#child.kill("SIGKILL");
    for (const pipe of this.#pipes.values()) pipe._abandon();
  }

  toString(): string {
    const state = this.#returncode === null ? "running" : `returncode=${this.#returncode}`;
    return `<SubprocessTransport ${this.#state === "open" ? "" : "closed "}pid=${this.#child.pid} ${state}>`;
  }
}
inspectAsString("ChildTransport", ChildTransport);

/** The protocol of one of the child's pipes: it tells the child's protocol. */
class PipeProtocol implements Protocol {
  readonly #child: ChildTransport;
  readonly #fd: number;
  readonly closed: Future<void>;

  constructor(child: ChildTransport, fd: number) {
    this.#child = child;
    this.#fd = fd;
    this.closed = child._loop.createFuture();
  }

  dataReceived(data: Uint8Array): void {
    this.#child._pipeData(this.#fd, data);
  }

  connectionLost(error: unknown): void {
    this.closed.setResult();
    this.#child._pipeLost(this.#fd, error);
  }

  pauseWriting(): void {
    this.#child.getProtocol().pauseWriting?.();
  }

  resumeWriting(): void {
    this.#child.getProtocol().resumeWriting?.();
  }
}
