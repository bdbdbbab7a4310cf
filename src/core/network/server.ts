/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Server: what listens, and the connections it has accepted.
 *
 * **The end of a server.** `close` stops listening. `waitClosed` waits until it is closed and the last connection is
 * gone. `shutdown` does it all, with a time by which it is done.
 *
 * @module
 */

import type { Coroutine, CoroutineGenerator } from "../kernel/coroutines.ts";
import { GeneratorCoroutine } from "../kernel/coroutines.ts";
import type { Duration } from "../base/duration.ts";
import { toSeconds } from "../base/duration.ts";
import type { AbstractEventLoop, Resource } from "../kernel/events.ts";
import { CancelledError, RuntimeError } from "../base/exceptions.ts";
import { inspectAsString, repr } from "../base/format.ts";
import type { Future } from "../kernel/futures.ts";
import { sleep } from "../coordination/sleep.ts";
import type { StreamTransport, TransportOwner } from "./stream-transport.ts";
import type { Task } from "../kernel/tasks.ts";
import type { SocketAddress } from "./contracts.ts";
import { wait } from "../coordination/wait.ts";

/** One address a server listens at. */
export interface Listener {
  /** Begins to accept connections. It may wait, and throws what the system has against it. */
  listen(): CoroutineGenerator<void>;
  /** Stops accepting, and frees the address. */
  close(): void;
  /** What it listens with; on Node.js a `net.Server`. */
  readonly socket: unknown;
  /** Where it listens, or the path of the socket; `null` while it does not. */
  readonly address: SocketAddress | string | null;
}

/** What a {@link Server} has to say of itself. */
export interface ServerStatistics {
  /** Connections that are open. */
  readonly connections: number;
  /** Connections accepted since the server was made, those that were refused not counted. */
  readonly accepted: number;
  /** Connections refused because there were `maxConnections` of them, or because the server was closed. */
  readonly refused: number;
}

/** Options of {@link Server.shutdown}. */
export interface ShutdownOptions {
  /** How long connections may take to come to their end; without it, as long as they like. */
  readonly grace?: Duration;
}

/**
 * A server that listens at one or more addresses. Made by `startServer`, `loop.createServer` and their like.
 *
 * CPython: `asyncio.Server`.
 */
export class Server implements AsyncDisposable, TransportOwner, Resource {
  readonly #loop: AbstractEventLoop;
  readonly #listeners: readonly Listener[];
  readonly #maxConnections: number;
  readonly #transports: Set<StreamTransport> = new Set();
  #isServing: boolean = false;
  #isClosed: boolean = false;
  /** Clients that are let in, and have no transport yet: they shake hands. */
  #arriving: number = 0;
  #accepted: number = 0;
  #refused: number = 0;
  /** Those in `waitClosed`. */
  #waiters: Future<void>[] = [];
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

  /** What it listens with; nothing once it is closed. */
  get sockets(): readonly unknown[] {
    return this.#isClosed ? [] : this.#listeners.map((listener) => listener.socket);
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
    return this.#isServing && !this.#isClosed;
  }

  /** @internal */
  isClosing(): boolean {
    return this.#isClosed;
  }

  /**
   * Begins to accept connections, if it does not yet.
   *
   * @throws {RuntimeError} if it is closed; what the system says, such as `EADDRINUSE`.
   */
  startServing(): Coroutine<void> {
    return new GeneratorCoroutine(this.#starting(), "Server.startServing");
  }

  *#starting(): CoroutineGenerator<void> {
    if (this.#isClosed) throw new RuntimeError(`server ${this.toString()} is closed`);
    if (this.#isServing) return;
    this.#isServing = true;
    try {
      for (const listener of this.#listeners) {
        yield* listener.listen();
        this.#checkOpen(listener);
      }
      yield* sleep(0);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** It may be closed while it begins. */
  #checkOpen(listener: Listener): void {
    if (!this.#isClosed) return;
    listener.close();
    throw new RuntimeError(`server ${this.toString()} is closed`);
  }

  /**
   * Accepts connections until it is cancelled; then it closes the server and every connection, aborts those that have
   * not gone a moment later, and raises the `CancelledError` on.
   *
   * @throws {RuntimeError} if it is closed, or in this method already.
   */
  serveForever(): Coroutine<never> {
    return new GeneratorCoroutine(this.#servingForever(), "Server.serveForever");
  }

  *#servingForever(): CoroutineGenerator<never> {
    if (this.#forever !== null)
      throw new RuntimeError(`server ${this.toString()} is already being awaited on serveForever()`);
    if (this.#isClosed) throw new RuntimeError(`server ${this.toString()} is closed`);
    const forever = this.#loop.createFuture();
    this.#forever = forever;
    try {
      yield* this.startServing();
      yield* forever;
    } catch (error) {
      if (error instanceof CancelledError) {
        const wasClosed = this.#isClosed;
        this.close();
        // Whoever closed it before has said what is to become of the clients.
        if (wasClosed) yield* this.waitClosed();
        else yield* this.#endClients();
      }
      throw error;
    } finally {
      this.#forever = null;
    }
    throw new CancelledError();
  }

  /** Stops listening. Connections go on. Closing twice does nothing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isServing = false;
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
   * Ends the server in good order: it stops listening, gives connections `grace` to come to their end, then cancels the
   * tasks that serve them and closes what is left, and aborts what has not gone a moment later.
   *
   * @returns how many connections had to be ended.
   */
  shutdown(options: ShutdownOptions = {}): Coroutine<number> {
    const grace = options.grace === undefined ? Infinity : toSeconds(options.grace, "grace");
    return new GeneratorCoroutine(this.#shuttingDown(grace), "Server.shutdown");
  }

  *#shuttingDown(grace: number): CoroutineGenerator<number> {
    this.close();
    if (yield* this.#areGoneAfter(grace)) return 0;
    const left = this.#transports.size;
    const services = this.#services();
    for (const task of services) task.cancel();
    // They may say goodbye, as long as their connections are there.
    if (services.length > 0) yield* wait(services, { timeout: FAREWELL_SECONDS });
    yield* this.#endClients();
    return left;
  }

  /** Closes what is left, and aborts what does not go. */
  *#endClients(): CoroutineGenerator<void> {
    this.closeClients();
    if (!(yield* this.#areGoneAfter(FAREWELL_SECONDS))) this.abortClients();
    yield* this.waitClosed();
  }

  /** Waits for the end of all connections, at most so long; whether it came. */
  *#areGoneAfter(seconds: number): CoroutineGenerator<boolean> {
    const over = this.#loop.createTask(this.waitClosed());
    try {
      const { done } = yield* wait([over], seconds === Infinity ? {} : { timeout: seconds });
      return done.size > 0;
    } finally {
      over.cancel();
    }
  }

  /** The tasks that serve the clients of a server on streams. */
  #services(): Task<unknown>[] {
    return [...this.#transports].flatMap((transport) => transport.getProtocol()._task ?? []);
  }

  /** How many connections there are and were. */
  statistics(): ServerStatistics {
    return { connections: this.#transports.size, accepted: this.#accepted, refused: this.#refused };
  }

  /** @internal Whether one more connection may come; one that may not is counted as refused. */
  _admit(): boolean {
    if (!this.#isClosed && this.#transports.size + this.#arriving < this.#maxConnections) return true;
    this.#refused++;
    return false;
  }

  /** @internal A client that was admitted takes its time, until the function returned is called. */
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
    this.#wakeIfOver();
  }

  /** @internal */
  _replace(transport: StreamTransport, other: StreamTransport): void {
    this.#transports.delete(transport);
    this.#transports.add(other);
  }

  get #isOver(): boolean {
    return this.#isClosed && this.#transports.size + this.#arriving === 0;
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
    const state = this.#isClosed ? "closed" : this.#isServing ? "serving" : "new";
    return `<Server ${state} connections=${this.#transports.size}>`;
  }
}
inspectAsString(Server);

/** After the grace, tasks may clean up and writes may leave for so long. */
const FAREWELL_SECONDS = 1;
