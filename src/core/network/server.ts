/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Server: what listens, and the connections it has accepted.
 *
 * | state     | it holds                                           | next                              |
 * | --------- | -------------------------------------------------- | --------------------------------- |
 * | `new`     | until `startServing` or `serveForever`             | `serving`, `closed`               |
 * | `serving` | while it listens, or begins to                     | `closed`, if a listener fails too |
 * | `closed`  | for good; connections that are open go on          | –                                 |
 *
 * **The end of a server.** `close` stops listening. `waitClosed` waits until it is closed and the last connection is
 * gone. `shutdown` does all of it, within a time that is given.
 *
 * The server knows connections as transports, and where it listens as {@link Listener}s, so a network of any kind can
 * have one.
 *
 * @module
 */

import type { Coroutine, CoroutineGenerator } from "../kernel/coroutines.ts";
import { GeneratorCoroutine } from "../kernel/coroutines.ts";
import type { Duration } from "../base/duration.ts";
import { toSeconds } from "../base/duration.ts";
import type { AbstractEventLoop } from "../kernel/events.ts";
import { CancelledError, RuntimeError, TimeoutError } from "../base/exceptions.ts";
import { inspectAsString, repr } from "../base/format.ts";
import type { Future } from "../kernel/futures.ts";
import { sleep } from "../coordination/sleep.ts";
import type { StreamTransport, TransportOwner } from "./stream-transport.ts";
import type { Task } from "../kernel/tasks.ts";
import { currentTask } from "../kernel/create-task.ts";
import type { SocketAddress } from "./contracts.ts";
import { timeout } from "../coordination/timeouts.ts";
import { wait } from "../coordination/wait.ts";
import { pastLevels } from "../kernel/levels.ts";

/** One address a server listens at. */
export interface Listener {
  /** Begins to accept connections. It may wait. @throws the system's error if the address cannot be had. */
  listen(): CoroutineGenerator<void>;
  /** Stops accepting, and frees the address. */
  close(): void;
  /** What it listens with; on Node.js a `net.Server`. */
  readonly socket: unknown;
  /** Where it listens, or the path of the socket; `null` while it does not. */
  readonly address: SocketAddress | string | null;
}

/** Counts of a {@link Server}'s connections. */
export interface ServerStatistics {
  /** Connections that are open. */
  readonly connections: number;
  /** Connections accepted since the server was made, without those that were refused. */
  readonly accepted: number;
  /** Connections refused because there were `maxConnections` of them, or because the server was closed. */
  readonly refused: number;
}

/** Options of {@link Server.shutdown}. */
export interface ShutdownOptions {
  /** How long connections may take to come to their end; without it, there is no limit. */
  readonly grace?: Duration;
}

/**
 * A server that listens at one or more addresses. Made by `startServer`, `loop.createServer` and their like.
 *
 * CPython: `asyncio.Server`.
 */
export class Server implements AsyncDisposable, TransportOwner {
  readonly #loop: AbstractEventLoop;
  readonly #listeners: readonly Listener[];
  readonly #maxConnections: number;
  readonly #transports: Set<StreamTransport> = new Set();
  /** The tasks that serve clients who are gone: they may have something to save. */
  readonly #lingering: Set<Task<unknown>> = new Set();
  /** Connections that wait for a next request are not kept any more. */
  #isEnding: boolean = false;
  #state: "new" | "serving" | "closed" = "new";
  /** Clients that were admitted and have no transport yet: their TLS handshake is under way. */
  #arriving: number = 0;
  #accepted: number = 0;
  #refused: number = 0;
  /** Pending calls of `waitClosed`. */
  #waiters: Future<void>[] = [];
  /** What `serveForever` waits for, while it runs. */
  #forever: Future<void> | null = null;

  /** @internal */
  constructor(loop: AbstractEventLoop, listeners: readonly Listener[], maxConnections: number = Infinity) {
    if (!(maxConnections > 0)) throw new RangeError(`maxConnections must be > 0: received ${repr(maxConnections)}`);
    this.#loop = loop;
    this.#listeners = listeners;
    this.#maxConnections = maxConnections;
    loop._adopt(this);
  }

  /** The loop it runs on. */
  getLoop(): AbstractEventLoop {
    return this.#loop;
  }

  /** What it listens with; empty once it is closed. */
  get sockets(): readonly unknown[] {
    return this.#state === "closed" ? [] : this.#listeners.map((listener) => listener.socket);
  }

  /** Where it listens: an address for each, or a path. */
  get addresses(): readonly (SocketAddress | string)[] {
    return this.#listeners.map((listener) => listener.address).filter((address) => address !== null);
  }

  /** The port it listens at, the first if there are several; `null` for a Unix socket, or while it does not listen. */
  get port(): number | null {
    const internet = this.addresses.find((address) => typeof address !== "string");
    return internet === undefined ? null : internet.port;
  }

  /** Whether it accepts connections. */
  isServing(): boolean {
    return this.#state === "serving";
  }

  /** @internal */
  isClosing(): boolean {
    return this.#state === "closed";
  }

  /**
   * Begins to accept connections, if it does not yet.
   *
   * @throws {RuntimeError} if it is closed; the system's error, such as `EADDRINUSE`.
   */
  startServing(): Coroutine<void> {
    return new GeneratorCoroutine(this.#starting(), "Server.startServing");
  }

  *#starting(): CoroutineGenerator<void> {
    this.#checkNotClosed();
    if (this.#state === "serving") return;
    this.#state = "serving";
    try {
      for (const listener of this.#listeners) {
        yield* listener.listen();
        this.#checkStillServing(listener);
      }
      yield* sleep(0);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The server may have been closed while the listener began: it closed the others. */
  #checkStillServing(listener: Listener): void {
    if (this.#state === "closed") listener.close();
    this.#checkNotClosed();
  }

  #checkNotClosed(): void {
    if (this.#state === "closed") throw new RuntimeError(`server ${this.toString()} is closed`);
  }

  /**
   * Accepts connections until it is cancelled. Then it closes the server and every connection, aborts after a second the
   * connections that are still there, and raises the `CancelledError`.
   *
   * @throws {RuntimeError} if the server is closed, or this method is running already.
   */
  serveForever(): Coroutine<never> {
    return new GeneratorCoroutine(this.#servingForever(), "Server.serveForever");
  }

  *#servingForever(): CoroutineGenerator<never> {
    if (this.#forever !== null)
      throw new RuntimeError(`server ${this.toString()} is already being awaited on serveForever()`);
    this.#checkNotClosed();
    const forever = this.#loop.createFuture();
    this.#forever = forever;
    try {
      yield* this.startServing();
      yield* forever;
    } catch (error) {
      if (error instanceof CancelledError) {
        const wasClosed = this.#state === "closed";
        this.close();
        // A close before the cancellation has left the clients to themselves.
        if (wasClosed) yield* this.waitClosed();
        else yield* pastLevels(this.#endClients());
      }
      throw error;
    } finally {
      this.#forever = null;
    }
    throw new CancelledError();
  }

  /** Stops listening. Connections go on. Closing twice does nothing. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    for (const listener of this.#listeners) listener.close();
    this.#loop._release(this);
    if (this.#forever !== null && !this.#forever.done()) this.#forever.cancel();
    this.#wakeIfOver();
  }

  /** Closes every connection, when what was written to it has been sent. */
  closeClients(): void {
    for (const transport of this.#transports) transport.close();
  }

  /** Closes every connection at once. */
  abortClients(): void {
    for (const transport of this.#transports) transport.abort();
  }

  /** Waits until the server is closed and its last connection is gone. */
  waitClosed(): Coroutine<void> {
    return new GeneratorCoroutine(this.#waitingClosed(), "Server.waitClosed");
  }

  *#waitingClosed(): CoroutineGenerator<void> {
    if (this.#isOver) return;
    const waiter = this.#loop.createFuture();
    this.#waiters.push(waiter);
    try {
      yield* waiter;
    } finally {
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
    }
  }

  /**
   * Ends the server in good order. It stops listening, closes the connections that are idle (see
   * {@link StreamWriter.whileIdle}), and waits for the end of the others and of the tasks that serve them, at most for
   * `grace`; then it cancels the tasks and closes the connections; after a second it aborts those that are still there.
   *
   * A task that serves a client may call it, and is not waited for itself once its connection is closed.
   *
   * @returns how many clients outlived the grace: connections, and tasks whose connection had gone.
   */
  shutdown(options: ShutdownOptions = {}): Coroutine<number> {
    const grace = options.grace === undefined ? Infinity : toSeconds(options.grace, "grace");
    return new GeneratorCoroutine(this.#shuttingDown(grace), "Server.shutdown");
  }

  *#shuttingDown(grace: number): CoroutineGenerator<number> {
    this.close();
    this.#isEnding = true;
    for (const transport of this.#transports) this._idles(transport);
    const caller = currentTask();
    if (yield* this.#isOverAfter(grace, () => this.#servingAll(caller))) return 0;
    const lingering = this.#lingeringBut(caller);
    const left = this.#transports.size + lingering.length;
    const services = [...this.#services(), ...lingering];
    for (const task of services) task.cancel();
    // Their cleanup may still write to the connections.
    if (services.length > 0) yield* wait(services, { timeout: FAREWELL_SECONDS });
    yield* this.#endClients();
    return left;
  }

  /** Closes the connections that are left, and aborts those that do not end within a second. */
  *#endClients(): CoroutineGenerator<void> {
    this.closeClients();
    if (!(yield* this.#isOverAfter(FAREWELL_SECONDS, () => this.#waitingClosed()))) this.abortClients();
    yield* this.waitClosed();
  }

  /** Waits for the last connection, and for those who serve one that has gone. */
  *#servingAll(caller: Task<unknown> | null): CoroutineGenerator<void> {
    yield* this.waitClosed();
    const lingering = this.#lingeringBut(caller);
    if (lingering.length > 0) yield* wait(lingering);
  }

  #lingeringBut(caller: Task<unknown> | null): Task<unknown>[] {
    return [...this.#lingering].filter((task) => task !== caller);
  }

  /** Whether `end` came within `seconds`. */
  *#isOverAfter(seconds: number, end: () => CoroutineGenerator<void>): CoroutineGenerator<boolean> {
    try {
      yield* timeout(seconds, end);
      return true;
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      return false;
    }
  }

  /** The tasks that serve the connections. A protocol made of streams has one; others need not. */
  #services(): Task<unknown>[] {
    return [...this.#transports].flatMap((transport) => transport.getProtocol()._task ?? []);
  }

  /** How many connections there are and were. */
  statistics(): ServerStatistics {
    return { connections: this.#transports.size, accepted: this.#accepted, refused: this.#refused };
  }

  /** @internal Whether one more connection may come; one that may not is counted as refused. */
  _admit(): boolean {
    if (this.#state !== "closed" && this.#transports.size + this.#arriving < this.#maxConnections) return true;
    this.#refused++;
    return false;
  }

  /** @internal A client that was admitted has no transport yet, until the function returned is called. */
  _arriving(): () => void {
    this.#arriving++;
    return () => {
      this.#arriving--;
      this.#wakeIfOver();
    };
  }

  /** @internal */
  _attach(transport: StreamTransport): void {
    this.#accepted++;
    this.#transports.add(transport);
  }

  /** @internal */
  _detach(transport: StreamTransport): void {
    this.#transports.delete(transport);
    const task = transport.getProtocol()._task ?? null;
    if (task !== null) {
      this.#lingering.add(task);
      task._onDone(() => void this.#lingering.delete(task));
    }
    this.#wakeIfOver();
  }

  /** @internal */
  _replace(transport: StreamTransport, other: StreamTransport): void {
    this.#transports.delete(transport);
    this.#transports.add(other);
  }

  /** @internal Closes a connection that waits for a next request, if there are to be no more. */
  _idles(transport: StreamTransport): void {
    if (this.#isEnding && transport.getProtocol()._isIdle === true) transport.close();
  }

  get #isOver(): boolean {
    return this.#state === "closed" && this.#transports.size + this.#arriving === 0;
  }

  #wakeIfOver(): void {
    if (!this.#isOver) return;
    for (const waiter of this.#waiters) if (!waiter.done()) waiter.setResult();
  }

  /** @internal */
  _abandon(): void {
    for (const listener of this.#listeners) listener.close();
  }

  /** `await using`: closes it, and waits until its last client is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.waitClosed();
  }

  toString(): string {
    return `<Server ${this.#state} connections=${this.#transports.size}>`;
  }
}
inspectAsString("Server", Server);

/** How long the cleanup of tasks, and after it the rest of what was written, may take at the end of a server. */
const FAREWELL_SECONDS = 1;
