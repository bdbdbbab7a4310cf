/** The protocol between a transport and a reader and writer. @module */

import type { Body } from "../../kernel/coroutines.ts";
import type { AbstractEventLoop } from "../../kernel/events.ts";
import { getRunningLoop } from "../../kernel/events.ts";
import { TimeoutError } from "../../base/exceptions.ts";
import { functionName, inspectAsString, keepName } from "../../base/format.ts";
import type { Protocol, Transport } from "../contracts.ts";
import type { Task } from "../../kernel/tasks.ts";
import { StreamTransport } from "../stream-transport.ts";
import type { StreamReader } from "./stream-reader.ts";
import { StreamWriter } from "./stream-writer.ts";
import { DrainGate } from "./drain-gate.ts";

/** What a server calls for each client, as a task of its own: a function of either syntax. */
export type ClientConnectedCallback = (reader: StreamReader, writer: StreamWriter) => ReturnType<Body<unknown>> | void;

/**
 * Feeds a {@link StreamReader} with what a transport receives, and lets `drain` wait while the transport cannot send.
 *
 * CPython: `asyncio.StreamReaderProtocol`.
 */
export class StreamReaderProtocol implements Protocol {
  readonly #loop: AbstractEventLoop;
  readonly #reader: StreamReader;
  readonly #clientConnected: ClientConnectedCallback | null;
  /** @internal */
  readonly _gate: DrainGate;
  #transport: Transport | null = null;
  /** In a server: the task that serves the client, until it ends. */
  #task: Task<unknown> | null = null;
  #isIdle: boolean = false;

  /** @param clientConnected in a server: called when the connection is there, as a task of its own. */
  constructor(
    reader: StreamReader,
    clientConnected: ClientConnectedCallback | null = null,
    options: { readonly loop?: AbstractEventLoop } = {},
  ) {
    this.#loop = options.loop ?? getRunningLoop();
    this.#reader = reader;
    this.#clientConnected = clientConnected;
    this._gate = new DrainGate(this.#loop);
  }

  connectionMade(transport: Transport): void {
    this.#transport = transport;
    this.#reader.setTransport(transport);
    const clientConnected = this.#clientConnected;
    if (clientConnected === null) return;
    const writer = new StreamWriter(transport, this, this.#reader, { loop: this.#loop });
    const serve = (): ReturnType<Body<unknown>> => clientConnected(this.#reader, writer) ?? Promise.resolve();
    keepName(functionName(clientConnected), serve);
    const task = this.#loop.createTask(serve);
    this.#task = task;
    task._onDone(() => this.#served(task, transport));
  }

  /** The callback has ended. If it failed or was cancelled, it did not close the connection, so that is done here. */
  #served(task: Task<unknown>, transport: Transport): void {
    this.#task = null;
    if (task.cancelled()) {
      (this.#transport ?? transport).close();
    } else if (task._failed) {
      const exception = task.exception();
      // The timeout of a slow peer is not worth a report: there may be many such peers.
      const isTimedOut = exception instanceof TimeoutError && exception === this.#reader.exception();
      if (!isTimedOut || this.#loop.getDebug()) {
        this.#loop.callExceptionHandler({
          message: "Unhandled exception in client_connected_cb",
          exception,
          transport,
        });
      }
      (this.#transport ?? transport).close();
    }
  }

  dataReceived(data: Uint8Array): void {
    this.#reader.feedData(data);
  }

  eofReceived(): boolean {
    this.#reader.feedEof();
    return true;
  }

  connectionLost(error: unknown): void {
    if (error === null) this.#reader.feedEof();
    else this.#reader.setException(error);
    this._gate.lose(error);
    this.#transport = null;
  }

  pauseWriting(): void {
    this._gate.pause();
  }

  resumeWriting(): void {
    this._gate.resume();
  }

  /** @internal */
  get _isServer(): boolean {
    return this.#clientConnected !== null;
  }

  /** @internal The task that serves the client. */
  get _task(): Task<unknown> | null {
    return this.#task;
  }

  /** @internal */
  get _isIdle(): boolean {
    return this.#isIdle && this.#reader._isEmpty;
  }

  /** @internal */
  set _isIdle(isIdle: boolean) {
    this.#isIdle = isIdle;
    if (isIdle && this.#transport instanceof StreamTransport) this.#transport._owner?._idles(this.#transport);
  }

  /** @internal */
  _takeUnread(): Uint8Array {
    return this.#reader._takeUnread();
  }

  /** @internal After STARTTLS. */
  _replaceTransport(transport: Transport): void {
    this.#transport = transport;
    this.#reader._replaceTransport(transport);
  }

  toString(): string {
    return `<StreamReaderProtocol ${this._gate.isLost ? "lost" : this.#transport === null ? "new" : "connected"}>`;
  }
}
inspectAsString("StreamReaderProtocol", StreamReaderProtocol);
