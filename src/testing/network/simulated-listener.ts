/** One address that a server of a simulated host listens at. @module */

import type { ByteChannel } from "../../core/network/byte-channels.ts";
import type { CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import type { SocketAddress } from "../../core/network/contracts.ts";
import { Inbox } from "../../core/network/inbox.ts";
import type { Listener, Server } from "../../core/network/server.ts";
import type { Welcome } from "../../core/network/welcome.ts";
import { welcome } from "../../core/network/welcome.ts";
import type { Acceptor, Connection, Stack } from "./stack.ts";

export class SimulatedListener implements Listener, Acceptor {
  readonly boundTo: string;
  readonly #stack: Stack;
  readonly #port: number;
  readonly #welcome: Welcome;
  readonly #backlog: number;
  /** Clients are taken in turns of the loop, in the context that the server was made in. */
  readonly #accepted: Inbox<ByteChannel & Connection>;
  #waiting: number = 0;
  /** The port it listens at; `null` while it does not. */
  #bound: number | null = null;
  #server: Server | null = null;

  constructor(stack: Stack, host: string, port: number, reception: Welcome, backlog: number) {
    this.boundTo = host;
    this.#stack = stack;
    this.#port = port;
    this.#welcome = reception;
    this.#backlog = backlog;
    this.#accepted = new Inbox(stack.loop, (channel) => this.#take(channel));
  }

  /** The server that the connections are counted by. */
  set server(server: Server) {
    this.#server = server;
  }

  // oxlint-disable-next-line require-yield -- a listener of another network may wait
  *listen(): CoroutineGenerator<void> {
    this.#bound ??= this.#stack.acceptors.bind(this, this.#port);
  }

  close(): void {
    if (this.#bound === null) return;
    this.#stack.acceptors.free(this, this.#bound);
    this.#bound = null;
    for (const channel of this.#accepted) channel.reset();
  }

  get socket(): this {
    return this;
  }

  get address(): SocketAddress | null {
    return this.#bound === null ? null : { host: this.boundTo, port: this.#bound, family: 4 };
  }

  get hasRoom(): boolean {
    return this.#waiting < this.#backlog;
  }

  accept(channel: ByteChannel & Connection): void {
    this.#waiting++;
    this.#accepted.push(channel);
  }

  #take(channel: ByteChannel & Connection): void {
    this.#waiting--;
    if (this.#server?._admit() === true) welcome(this.#stack.loop, channel, this.#welcome, this.#server);
    else channel.destroy();
  }
}
