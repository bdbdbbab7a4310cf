/**
 * The event loop on Node.js: the portable one, and asyncio's methods for the network and the operating system. Each method
 * is one call into the file of its subject. Streams and child processes call these methods, so a subclass can change them.
 *
 * @module
 */

import { keepName } from "../core/base/format.ts";
import type { FileHandle } from "node:fs/promises";
import type { Socket } from "node:net";
import { BaseEventLoop, newEventLoop as newPlatformLoop } from "../core/loop/base-events.ts";
import type { Coroutine, CoroutineGenerator } from "../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../core/kernel/coroutines.ts";
import { getRunningLoop as getRunningPlatformLoop } from "../core/kernel/events.ts";
import type { Callback } from "../core/kernel/handles.ts";
import type { Duration } from "../core/base/duration.ts";
import { RuntimeError } from "../core/base/exceptions.ts";
import type { Executor } from "../core/loop/executors.ts";
import type { Job, NamedTask } from "../core/loop/jobs.ts";
import { DefaultExecutor, EXECUTOR_END_SECONDS } from "./executors/default-executor.ts";
import type { Host } from "../core/loop/host.ts";
import type {
  DatagramProtocol,
  DatagramTransport,
  SocketAddress,
  StreamingProtocol,
  SubprocessProtocol,
  SubprocessTransport,
  Transport,
} from "../core/network/contracts.ts";
import type { NetworkLoop } from "../core/network/network-loop.ts";
import type { Server } from "../core/network/server.ts";
import { attach } from "../core/network/stream-transport.ts";
import type { AddressOptions } from "./network/addresses.ts";
import { getaddrinfo, getnameinfo } from "./network/addresses.ts";
import { channelOf } from "./network/listener.ts";
import type { Pipe } from "./network/pipes.ts";
import { readPipe, writePipe } from "./network/pipes.ts";
import type { SendfileOptions } from "./network/sendfile.ts";
import { sendfile } from "./network/sendfile.ts";
import { listenForKnocks } from "./platform/knocks.ts";
import { SignalHandlers } from "./processes/signals.ts";
import type { UpgradeOptions } from "./network/start-tls.ts";
import { startTls } from "./network/start-tls.ts";
import type { ProcessLoop } from "./processes/process-loop.ts";
import type { Command, SubprocessOptions } from "./processes/subprocess-transport.ts";
import { connectSubprocess, PIPE } from "./processes/subprocess-transport.ts";
import type { ConnectionOptions, ServerOptions } from "./network/tcp.ts";
import { createConnection, createServer } from "./network/tcp.ts";
import type { Ssl, SslTimeouts } from "./network/tls.ts";
import { checkNoSslOptions, ServerTls } from "./network/tls.ts";
import type { Place } from "../core/network/datagram-transport.ts";
import type { DatagramOptions } from "./network/udp.ts";
import { createDatagramEndpoint } from "./network/udp.ts";
import type { UnixConnectionOptions, UnixServerOptions } from "./network/unix.ts";
import { createUnixConnection, createUnixServer } from "./network/unix.ts";

/**
 * An event loop with a network. What `run` makes on Node.js; `getRunningLoop` gives it.
 *
 * CPython: `asyncio.EventLoop`.
 */
export class EventLoop extends BaseEventLoop implements NetworkLoop, ProcessLoop {
  readonly #signals: SignalHandlers = new SignalHandlers(this);
  readonly #executor: DefaultExecutor = new DefaultExecutor();

  /**
   * Has `task(...args)` done by `executor`: its job, a future with the result. `null` is the loop's own, which has threads,
   * and ends with the loop.
   *
   * @throws {TypeError} for a function that was not named; see {@link defineTasks}. CPython: `loop.run_in_executor`.
   */
  runInExecutor<A extends unknown[], R>(executor: Executor | null, task: NamedTask<A, R>, ...args: A): Job<R> {
    return (executor ?? this.#executor.get()).submit(task, ...args);
  }

  /** Replaces the executor of {@link toThread}; the one before is yours to shut down. CPython: `loop.set_default_executor`. */
  setDefaultExecutor(executor: Executor): void {
    this.#executor.set(executor);
  }

  /**
   * Waits until the jobs of the loop's own executor are over, at most for `timeout` seconds, and ends its threads; `run` does
   * so at its end. CPython: `loop.shutdown_default_executor`.
   */
  shutdownDefaultExecutor(timeout: Duration | null = null): Coroutine<void> {
    return new GeneratorCoroutine(this.#executor.shutdown(timeout), "shutdownDefaultExecutor");
  }

  /** @internal */
  override _runForever(): Promise<void> {
    listenForKnocks();
    return super._runForever();
  }

  /** @internal */
  override _endExecutor(): Coroutine<void> | null {
    return this.#executor.isThere ? this.shutdownDefaultExecutor(EXECUTOR_END_SECONDS) : null;
  }

  /**
   * Connects to `host` and `port`: a transport, and the protocol that `makeProtocol` made for it.
   *
   * Every address of the host is tried, in order; see `happyEyeballsDelay`. Cancelled, the connection is closed.
   *
   * @throws the system's error, such as `ECONNREFUSED`; for several addresses, one error with the texts of all.
   *
   * CPython: `loop.create_connection`.
   */
  createConnection<P extends StreamingProtocol>(
    makeProtocol: () => P,
    host: string | null = null,
    port: number | string | null = null,
    options: ConnectionOptions = {},
  ): Coroutine<[Transport, P]> {
    return new GeneratorCoroutine(createConnection(this, makeProtocol, host, port, options), "createConnection");
  }

  /**
   * Listens at `port` of `host`, or of several hosts; `null` is all addresses of this machine, port 0 a free one.
   *
   * @throws the system's error, such as `EADDRINUSE`.
   *
   * CPython: `loop.create_server`.
   */
  createServer(
    makeProtocol: () => StreamingProtocol,
    host: string | null | readonly string[] = null,
    port: number | string | null = null,
    options: ServerOptions = {},
  ): Coroutine<Server> {
    return new GeneratorCoroutine(createServer(this, makeProtocol, host, port, options), "createServer");
  }

  /** Connects to the Unix socket (on Windows: the named pipe) at `path`. CPython: `loop.create_unix_connection`. */
  createUnixConnection<P extends StreamingProtocol>(
    makeProtocol: () => P,
    path: string | null = null,
    options: UnixConnectionOptions = {},
  ): Coroutine<[Transport, P]> {
    return new GeneratorCoroutine(createUnixConnection(this, makeProtocol, path, options), "createUnixConnection");
  }

  /** Listens at the Unix socket `path`, whose file is removed at the end. CPython: `loop.create_unix_server`. */
  createUnixServer(
    makeProtocol: () => StreamingProtocol,
    path: string | null = null,
    options: UnixServerOptions = {},
  ): Coroutine<Server> {
    return new GeneratorCoroutine(createUnixServer(this, makeProtocol, path, options), "createUnixServer");
  }

  /** Uses a socket that was accepted elsewhere and not read from. CPython: `loop.connect_accepted_socket`. */
  connectAcceptedSocket<P extends StreamingProtocol>(
    makeProtocol: () => P,
    sock: Socket,
    options: SslTimeouts & { readonly ssl?: Ssl } = {},
  ): Coroutine<[Transport, P]> {
    return new GeneratorCoroutine(this.#connecting(makeProtocol, sock, options), "connectAcceptedSocket");
  }

  *#connecting<P extends StreamingProtocol>(
    makeProtocol: () => P,
    sock: Socket,
    options: SslTimeouts & { readonly ssl?: Ssl },
  ): CoroutineGenerator<[Transport, P]> {
    const { ssl } = options;
    checkNoSslOptions(options);
    const channel = ssl === undefined ? channelOf(sock) : yield* new ServerTls(ssl, options).accept(this, sock);
    return yield* attach(this, channel, makeProtocol);
  }

  /**
   * Goes on under TLS on an open connection: a new transport; do not use the old one any more.
   *
   * Bytes that have come and that `protocol` was not given, or has not read, are taken for the beginning of the handshake.
   *
   * It waits until what was written has been sent.
   *
   * @throws {RuntimeError} if the transport is closing; the error of the handshake, and then the connection is lost.
   *
   * CPython: `loop.start_tls`.
   */
  startTls(
    transport: Transport,
    protocol: StreamingProtocol,
    ssl: Ssl,
    options: UpgradeOptions = {},
  ): Coroutine<Transport> {
    return new GeneratorCoroutine(startTls(this, transport, protocol, ssl, options), "startTls");
  }

  /**
   * An endpoint for datagrams (UDP).
   *
   * CPython: `loop.create_datagram_endpoint`.
   */
  createDatagramEndpoint<P extends DatagramProtocol<SocketAddress, Place>>(
    makeProtocol: () => P,
    options: DatagramOptions = {},
  ): Coroutine<[DatagramTransport<SocketAddress, Place>, P]> {
    return new GeneratorCoroutine(createDatagramEndpoint(this, makeProtocol, options), "createDatagramEndpoint");
  }

  /**
   * Reads from a pipe, a terminal or another stream of Node's, such as `process.stdin`, which nothing else may use from
   * here on.
   *
   * @throws {RangeError} for the descriptor of a file.
   *
   * CPython: `loop.connect_read_pipe`.
   */
  connectReadPipe<P extends StreamingProtocol>(makeProtocol: () => P, pipe: Pipe): Coroutine<[Transport, P]> {
    return new GeneratorCoroutine(attach(this, readPipe(pipe), makeProtocol), "connectReadPipe");
  }

  /** Writes to a pipe, a terminal or another stream of Node's. CPython: `loop.connect_write_pipe`. */
  connectWritePipe<P extends StreamingProtocol>(makeProtocol: () => P, pipe: Pipe): Coroutine<[Transport, P]> {
    return new GeneratorCoroutine(attach(this, writePipe(pipe), makeProtocol), "connectWritePipe");
  }

  /**
   * Sends a file, or a part of it: how many bytes were sent. The transport's protocol receives nothing meanwhile.
   *
   * @throws {RuntimeError} if the transport is closing; {@link SendfileNotAvailableError} without a fallback.
   *
   * CPython: `loop.sendfile`.
   */
  sendfile(transport: Transport, file: FileHandle, options: SendfileOptions = {}): Coroutine<number> {
    return new GeneratorCoroutine(sendfile(this, transport, file, options), "sendfile");
  }

  /**
   * Runs a program, with pipes to all of its streams unless the options say otherwise.
   *
   * @throws the system's error, such as `ENOENT`. Cancelled, the child is killed.
   *
   * CPython: `loop.subprocess_exec`.
   */
  subprocessExec<P extends SubprocessProtocol>(
    makeProtocol: () => P,
    program: string,
    args: readonly string[] = [],
    options: SubprocessOptions = {},
  ): Coroutine<[SubprocessTransport, P]> {
    return this.#subprocess(makeProtocol, { program, args, shell: false }, options);
  }

  /** Runs a line in the shell; see {@link subprocessExec}. CPython: `loop.subprocess_shell`. */
  subprocessShell<P extends SubprocessProtocol>(
    makeProtocol: () => P,
    command: string,
    options: SubprocessOptions = {},
  ): Coroutine<[SubprocessTransport, P]> {
    return this.#subprocess(makeProtocol, { program: command, args: [], shell: true }, options);
  }

  #subprocess<P extends SubprocessProtocol>(
    makeProtocol: () => P,
    command: Command,
    options: SubprocessOptions,
  ): Coroutine<[SubprocessTransport, P]> {
    const withPipes = { stdin: PIPE, stdout: PIPE, stderr: PIPE, ...options };
    return new GeneratorCoroutine(connectSubprocess(this, makeProtocol, command, withPipes), "subprocess");
  }

  /**
   * Calls `callback(...args)`, in a turn of the loop, when the process gets `signal`. It replaces an earlier handler, and
   * for `SIGINT` what `run` does. While there is a handler, the loop waits for its signal.
   *
   * @throws {RangeError} for an unknown signal, or one that cannot be caught.
   *
   * CPython: `loop.add_signal_handler`.
   */
  addSignalHandler<A extends unknown[]>(signal: NodeJS.Signals, callback: Callback<A>, ...args: A): void {
    if (this.isClosed()) throw new RuntimeError("Event loop is closed");
    this.#signals.add(signal, callback, args);
    this._setExpecting(true);
  }

  /** Puts the default action of `signal` back; whether it had a handler. CPython: `loop.remove_signal_handler`. */
  removeSignalHandler(signal: NodeJS.Signals): boolean {
    const removed = this.#signals.remove(signal);
    this._setExpecting(this.#signals.size > 0);
    return removed;
  }

  /** @internal */
  override _handlesSignal(signal: string): boolean {
    return this.#signals.has(signal);
  }

  override close(): void {
    super.close();
    this.#signals.clear();
  }

  /** The addresses of `host`. CPython: `loop.getaddrinfo`. */
  getaddrinfo(host: string | null, port: number | string, options?: AddressOptions): Coroutine<SocketAddress[]> {
    return getaddrinfo(host, port, options);
  }

  /** The name of the machine and of the service at an address. CPython: `loop.getnameinfo`. */
  getnameinfo(address: { readonly host: string; readonly port: number }): Coroutine<[string, string]> {
    return getnameinfo(address);
  }
}
keepName("EventLoop", EventLoop);

/** A new loop. CPython: `asyncio.new_event_loop`. */
export function newEventLoop(host?: Host): EventLoop {
  return newPlatformLoop(host) as EventLoop;
}

/**
 * The loop that runs the present code.
 *
 * @throws {RuntimeError} if there is none.
 *
 * CPython: `asyncio.get_running_loop`.
 */
export function getRunningLoop(): EventLoop {
  return getRunningPlatformLoop() as EventLoop;
}
