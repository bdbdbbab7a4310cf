/**
 * Accepting connections: a `net.Server` as the listener of a {@link Server}.
 *
 * ```text
 *   net.Server ──connection──► inbox ──a turn each──► admitted? ──► TLS handshake, if any ──► protocol and transport
 * ```
 *
 * @module
 */

import type { ListenOptions, Socket } from "node:net";
import * as net from "node:net";
import type { CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import type { AbstractEventLoop } from "../../core/kernel/events.ts";
import { isException } from "../../core/base/exception-groups.ts";
import { Inbox } from "../../core/network/inbox.ts";
import type { SocketAddress } from "../../core/network/contracts.ts";
import type { Listener, Server } from "../../core/network/server.ts";
import type { Welcome } from "../../core/network/welcome.ts";
import { welcome } from "../../core/network/welcome.ts";
import type { Task } from "../../core/kernel/tasks.ts";
import { addressOf } from "./addresses.ts";
import { readMemory } from "./fast-reads.ts";
import { untilEvent } from "./node-events.ts";
import { reopen } from "./private-sockets.ts";
import { StreamChannel } from "./stream-channel.ts";
import type { ServerTls } from "./tls.ts";

/** What is done with each client. */
export interface Reception extends Welcome {
  readonly tls: ServerTls | null;
  readonly keepAlive: boolean;
}

/** One address to listen at. */
export class NetListener implements Listener {
  readonly socket: net.Server;
  readonly #loop: AbstractEventLoop;
  readonly #options: ListenOptions;
  readonly #reception: Reception;
  /** The `net.Server` was made here. One made elsewhere may use the sockets it accepts itself. */
  readonly #isOurs: boolean;
  /** Clients are taken in turns of the loop, in the context the server was made in. */
  readonly #accepted: Inbox<Socket>;
  #server: Server | null = null;
  /** The TLS handshakes that are under way. */
  readonly #handshakes: Set<Task<void>> = new Set();

  constructor(loop: AbstractEventLoop, options: ListenOptions, reception: Reception, socket?: net.Server) {
    this.#loop = loop;
    this.#options = options;
    this.#reception = reception;
    this.socket = socket ?? net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
    this.#isOurs = socket === undefined;
    this.socket.on("connection", (accepted) => {
      accepted.on("error", ignore);
      this.#accepted.push(accepted);
    });
    this.socket.on("error", (exception) => {
      // Before it listens, the error is raised by `listen`.
      if (!this.socket.listening) return;
      this.#loop.callExceptionHandler({ message: "socket.accept() out of system resource", exception });
    });
    this.#accepted = new Inbox(loop, (accepted) => this.#takeClient(accepted));
  }

  get address(): SocketAddress | string | null {
    const address = this.socket.listening ? this.socket.address() : null;
    if (address === null || typeof address === "string") return address;
    return addressOf(address.address, address.port);
  }

  /** The server that the connections are counted by. */
  set server(server: Server) {
    this.#server = server;
  }

  *listen(): CoroutineGenerator<void> {
    if (this.socket.listening) return;
    yield* untilEvent(this.#loop, this.socket, "listening", () => this.socket.listen(this.#options));
  }

  close(): void {
    if (this.socket.listening) this.socket.close();
    // `listen` may be waiting: then it closes as soon as it listens.
    else this.socket.once("listening", () => this.socket.close());
    for (const task of this.#handshakes) task.cancel();
    // Clients that wait for their turn, which may never come if the loop ends.
    for (const accepted of this.#accepted) accepted.destroy();
  }

  #takeClient(accepted: Socket): void {
    const server = this.#server;
    if (server?._admit() !== true) {
      accepted.destroy();
      return;
    }
    if (this.#reception.keepAlive) accepted.setKeepAlive(true);
    const { tls } = this.#reception;
    if (tls === null) {
      const channel = this.#isOurs ? channelOf(accepted) : new StreamChannel(accepted);
      welcome(this.#loop, channel, this.#reception, server);
      return;
    }
    const hasArrived = server._arriving();
    const task = this.#loop.createTask(() => this.#shakeHands(accepted, tls));
    this.#handshakes.add(task);
    task._onDone(() => {
      this.#handshakes.delete(task);
      hasArrived();
      // A task that was cancelled before it began has destroyed nothing.
      if (task.cancelled()) accepted.destroy();
    });
  }

  *#shakeHands(accepted: Socket, tls: ServerTls): CoroutineGenerator<void> {
    let channel: StreamChannel;
    try {
      channel = yield* tls.accept(this.#loop, accepted);
    } catch (exception) {
      if (!isException(exception)) throw exception;
      // A client that does not speak TLS is no fault of the server; bad options are.
      const message = "Error on transport creation for incoming connection";
      const isMistake = exception instanceof TypeError || exception instanceof RangeError;
      if (isMistake || this.#loop.getDebug()) this.#loop.callExceptionHandler({ message, exception });
      return;
    }
    welcome(this.#loop, channel, this.#reception, this.#server);
  }
}

/** The channel of a socket that was accepted and not read from. */
export function channelOf(accepted: Socket): StreamChannel {
  const memory = readMemory();
  const reopened = memory === null ? null : reopen(accepted, memory.onread);
  return reopened === null ? new StreamChannel(accepted) : new StreamChannel(reopened, memory);
}

/** For errors of a socket that has no channel yet: the channel finds them in the socket. */
function ignore(): void {}
