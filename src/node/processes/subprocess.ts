/// <reference lib="esnext.disposable" preserve="true" />
/** Subprocesses: other programs, with streams to and from them. @module */

import { STREAM_LIMIT } from "../../core/base/constants.ts";
import type { Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import type { AbstractEventLoop } from "../../core/kernel/events.ts";
import { getRunningLoop } from "../../core/kernel/events.ts";
import { inspectAsString } from "../../core/base/format.ts";
import { gather } from "../../core/coordination/gather.ts";
import type {
  Data,
  ReadTransport,
  SubprocessProtocol,
  SubprocessTransport,
  WriteTransport,
} from "../../core/network/contracts.ts";
import { checkHas } from "../../core/network/network-loop.ts";
import { StreamReader } from "../../core/network/streams/stream-reader.ts";
import { StreamWriter } from "../../core/network/streams/stream-writer.ts";
import { DrainGate } from "../../core/network/streams/drain-gate.ts";
import { toBytes } from "../../core/network/bytes.ts";
import type { BufferReader } from "../network/streams.ts";
import type { ProcessLoop } from "./process-loop.ts";
import type { PIPE, SubprocessOptions } from "./subprocess-transport.ts";
import { pastLevels } from "../../core/kernel/levels.ts";

/** Options of {@link createSubprocessExec} and {@link createSubprocessShell}. */
export interface ProcessOptions extends SubprocessOptions {
  /** See the `limit` of a {@link StreamReader}; 64 KiB by default. */
  readonly limit?: number;
}

/** A {@link Process}, whose pipes are there where `PIPE` was given. */
export type ProcessOf<O> = {
  readonly stdin: Piped<O, "stdin", StreamWriter>;
  readonly stdout: Piped<O, "stdout", BufferReader>;
  readonly stderr: Piped<O, "stderr", BufferReader>;
} & Process;
type Piped<O, Name extends string, Pipe> = O extends { readonly [N in Name]: typeof PIPE } ? Pipe : Pipe | null;

/** What {@link Process.communicate} read; `null` for what was no pipe. */
export interface Output {
  readonly stdout: Uint8Array | null;
  readonly stderr: Uint8Array | null;
}

/**
 * Runs `program`, found on the path, with `args`. Its three streams are this process's, unless they are `PIPE`s.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const child = await asyncio.createSubprocessExec(process.execPath, ["--version"], { stdout: asyncio.PIPE });
 *   const { stdout } = await child.communicate();
 *   assert.equal(String(stdout).trim(), process.version);
 *   assert.equal(child.returncode, 0);
 * });
 * ```
 *
 * @throws the system's error, such as `ENOENT` for a program that is not there. Cancelled, the child is killed.
 *
 * CPython: `asyncio.create_subprocess_exec`.
 */
export function createSubprocessExec<const O extends ProcessOptions = {}>(
  program: string,
  args: readonly string[] = [],
  options: O = {} as O,
): Coroutine<ProcessOf<O>> {
  const run: Run = (loop, makeProtocol, given) => loop.subprocessExec(makeProtocol, program, args, given);
  const starting = start("subprocessExec", "createSubprocessExec", run, options);
  return new GeneratorCoroutine(starting as CoroutineGenerator<ProcessOf<O>>, "createSubprocessExec");
}

/**
 * Runs `command` in the shell. Never put what a user typed into it: give it as an argument to
 * {@link createSubprocessExec}.
 *
 * CPython: `asyncio.create_subprocess_shell`.
 */
export function createSubprocessShell<const O extends ProcessOptions = {}>(
  command: string,
  options: O = {} as O,
): Coroutine<ProcessOf<O>> {
  const run: Run = (loop, makeProtocol, given) => loop.subprocessShell(makeProtocol, command, given);
  const starting = start("subprocessShell", "createSubprocessShell", run, options);
  return new GeneratorCoroutine(starting as CoroutineGenerator<ProcessOf<O>>, "createSubprocessShell");
}

type Run = (
  loop: ProcessLoop,
  makeProtocol: () => SubprocessStreamProtocol,
  options: SubprocessOptions,
) => Coroutine<[SubprocessTransport, SubprocessStreamProtocol]>;

/** Has the running loop run the child, so that a subclass of it is asked. */
function* start(
  method: "subprocessExec" | "subprocessShell",
  caller: string,
  run: Run,
  options: ProcessOptions,
): CoroutineGenerator<Process> {
  const loop = getRunningLoop() as ProcessLoop;
  checkHas(loop, method, caller);
  const { limit = STREAM_LIMIT } = options;
  void new StreamReader({ limit, loop });
  const makeProtocol = (): SubprocessStreamProtocol => new SubprocessStreamProtocol(loop, limit);
  // A stream that the options do not name is this process's: the loop's method would make a pipe of it.
  const [transport, protocol] = yield* run(loop, makeProtocol, { stdin: null, stdout: null, stderr: null, ...options });
  return new Process(transport, protocol);
}

/** Feeds the readers of a child's output. CPython: `asyncio.subprocess.SubprocessStreamProtocol`. */
class SubprocessStreamProtocol implements SubprocessProtocol {
  readonly #loop: AbstractEventLoop;
  readonly #limit: number;
  readonly #readers: Map<number, StreamReader> = new Map();
  /** @internal */
  readonly _gate: DrainGate;
  stdin: StreamWriter | null = null;
  stdout: StreamReader | null = null;
  stderr: StreamReader | null = null;
  #transport: SubprocessTransport | null = null;
  #hasExited: boolean = false;

  constructor(loop: AbstractEventLoop, limit: number) {
    this.#loop = loop;
    this.#limit = limit;
    this._gate = new DrainGate(loop);
  }

  connectionMade(transport: SubprocessTransport): void {
    this.#transport = transport;
    this.stdout = this.#reader(transport, 1);
    this.stderr = this.#reader(transport, 2);
    const stdin = transport.getPipeTransport(0) as WriteTransport | null;
    if (stdin !== null) this.stdin = new StreamWriter(stdin, this, null, { loop: this.#loop });
  }

  #reader(transport: SubprocessTransport, fd: number): StreamReader | null {
    const pipe = transport.getPipeTransport(fd) as ReadTransport | null;
    if (pipe === null) return null;
    const reader = new StreamReader({ limit: this.#limit, loop: this.#loop });
    reader.setTransport(pipe);
    this.#readers.set(fd, reader);
    return reader;
  }

  pipeDataReceived(fd: number, data: Uint8Array): void {
    this.#readers.get(fd)?.feedData(data);
  }

  pipeConnectionLost(fd: number, error: unknown): void {
    if (fd === 0) {
      this._gate.lose(error);
      return;
    }
    const reader = this.#readers.get(fd);
    this.#readers.delete(fd);
    if (error === null) reader?.feedEof();
    else reader?.setException(error);
    this.#closeIfOver();
  }

  processExited(): void {
    this.#hasExited = true;
    this.#closeIfOver();
  }

  pauseWriting(): void {
    this._gate.pause();
  }

  resumeWriting(): void {
    this._gate.resume();
  }

  #closeIfOver(): void {
    if (this.#readers.size === 0 && this.#hasExited) this.#transport?.close();
  }
}

/**
 * A child process. `stdin`, `stdout` and `stderr` are streams where the options said `PIPE`, else `null`.
 *
 * CPython: `asyncio.subprocess.Process`.
 */
export class Process {
  readonly #transport: SubprocessTransport;
  /** To the child's standard input. */
  readonly stdin: StreamWriter | null;
  /** From the child's standard output. */
  readonly stdout: StreamReader | null;
  /** From the child's standard error. */
  readonly stderr: StreamReader | null;

  /**
   * Reads no more of the child's output: closes this end of its `stdout`, or `stderr`. A child that writes on cannot, and
   * most end for it (an error, or `SIGPIPE`), as before a `head` that has seen enough. What has arrived may still be read.
   *
   * ```ts no-run
   * const child = await asyncio.createSubprocessExec("yes", [], { stdout: asyncio.PIPE });
   * console.log(String(await child.stdout!.readline())); // y
   * child.closeOutput();
   * console.log(await child.wait()); // not 0
   * ```
   */
  closeOutput(name: "stdout" | "stderr" = "stdout"): void {
    this.#transport.getPipeTransport(name === "stdout" ? 1 : 2)?.close();
  }

  /** @internal */
  constructor(transport: SubprocessTransport, protocol: SubprocessStreamProtocol) {
    this.#transport = transport;
    this.stdin = protocol.stdin;
    this.stdout = protocol.stdout;
    this.stderr = protocol.stderr;
  }

  get pid(): number {
    return this.#transport.getPid();
  }

  /** The child's exit code, minus the number of the signal that ended it, or `null` while it runs. */
  get returncode(): number | null {
    return this.#transport.getReturncode();
  }

  /**
   * Waits until the child has ended: its exit code. Output may still be on its way, if a grandchild has the pipe too.
   *
   * A child that writes more than its pipe holds does not end until the pipe is read: use {@link communicate}.
   */
  wait(): Coroutine<number> {
    return new GeneratorCoroutine(this.#transport._wait(), "Process.wait");
  }

  /**
   * Sends the child a signal, by name or number. It does nothing to a child that has ended while a pipe of it is still open.
   *
   * @throws {ProcessLookupError} if the child has ended and its pipes are closed.
   */
  sendSignal(signal: NodeJS.Signals | number): void {
    this.#transport.sendSignal(signal);
  }

  /** Asks the child to end, with `SIGTERM`. @throws {ProcessLookupError} as {@link sendSignal} does. */
  terminate(): void {
    this.#transport.terminate();
  }

  /** Ends the child at once, with `SIGKILL`. @throws {ProcessLookupError} as {@link sendSignal} does. */
  kill(): void {
    this.#transport.kill();
  }

  /**
   * Writes `input`, reads all output, and waits for the end of the child.
   *
   * Cancelled, it kills the child and waits for its end: without a reader the child would wait on a full pipe.
   */
  communicate(input: Data | null = null): Coroutine<Output> {
    return new GeneratorCoroutine(this.#communicating(input), "Process.communicate");
  }

  *#communicating(input: Data | null): CoroutineGenerator<Output> {
    const bytes = input === null ? null : toBytes(input);
    try {
      const [, stdout, stderr] = yield* gather(this.#feed(bytes), all(this.stdout), all(this.stderr));
      yield* this.wait();
      return { stdout, stderr };
    } catch (error) {
      this.#transport.close();
      yield* pastLevels(this.wait());
      throw error;
    }
  }

  /** Writes `input` and closes the pipe. A child may end without reading all of it. */
  *#feed(input: Uint8Array | null): CoroutineGenerator<void> {
    const { stdin } = this;
    if (stdin === null) return;
    try {
      if (input !== null) stdin.write(input);
      yield* stdin.drain();
    } catch (error) {
      if (!isBrokenPipe(error)) throw error;
    }
    stdin.close();
  }

  toString(): string {
    return `<Process ${this.pid}>`;
  }
}
inspectAsString("Process", Process);

function* all(reader: StreamReader | null): CoroutineGenerator<Uint8Array | null> {
  return reader === null ? null : yield* reader.read();
}

function isBrokenPipe(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === "EPIPE" || code === "ECONNRESET";
}
