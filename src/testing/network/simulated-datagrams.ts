/** UDP in a simulated network: each datagram takes its own time, and may be lost, come twice, or overtake another. @module */

import type { DatagramChannel, DatagramChannelClient, Place } from "../../core/network/datagram-transport.ts";
import type { SocketAddress } from "../../core/network/contracts.ts";
import { copyToMemory } from "../../core/network/bytes.ts";
import { toPort } from "../../core/network/ports.ts";
import { systemError } from "./errors.ts";
import type { Receiver, Stack } from "./stack.ts";
import { LOOPBACK } from "./stack.ts";

/** Every host of the network. */
const BROADCAST = "255.255.255.255";

/** The most that fits into a datagram of IPv4. */
const MOST_BYTES = 65_507;

export class SimulatedDatagrams implements DatagramChannel, Receiver {
  readonly boundTo: string;
  readonly #stack: Stack;
  readonly #port: number;
  /** The one peer to send to and to receive from. */
  readonly #remote: SocketAddress | null;
  readonly #mayBroadcast: boolean;
  #client: DatagramChannelClient | null = null;

  /** @throws {Error} `EADDRINUSE`. */
  constructor(stack: Stack, local: Place, remote: SocketAddress | null, mayBroadcast: boolean) {
    this.boundTo = local.host;
    this.#stack = stack;
    this.#remote = remote;
    this.#mayBroadcast = mayBroadcast;
    this.#port = stack.receivers.bind(this, local.port);
  }

  open(client: DatagramChannelClient): void {
    this.#client = client;
  }

  getExtraInfo(name: string): unknown {
    if (name === "socket") return this;
    return name === "sockname" ? { host: this.boundTo, port: this.#port, family: 4 } : undefined;
  }

  checkPlace({ port }: Place): void {
    if (toPort(port) === 0) throw new RangeError("sendto: expected a port from 1 to 65535, received 0");
  }

  send(data: Uint8Array, to: Place | null, sent: (problem: unknown) => void): void {
    const place = to ?? this.#remote!;
    const where = `${place.host}:${place.port}`;
    if (data.length > MOST_BYTES) {
      sent(systemError("EMSGSIZE", "send", where));
    } else if (place.host !== BROADCAST) {
      sent(this.#sendTo(copyToMemory(data), place) ? null : systemError("EHOSTUNREACH", "send", where));
    } else if (this.#mayBroadcast) {
      for (const { address } of this.#stack.fabric.stacks())
        this.#sendTo(copyToMemory(data), { ...place, host: address });
      sent(null);
    } else {
      sent(systemError("EACCES", "send", where));
    }
  }

  destroy(): void {
    this.#client = null;
    this.#stack.receivers.free(this, this.#port);
  }

  received(data: Uint8Array, from: SocketAddress): void {
    const remote = this.#remote;
    if (remote !== null && (remote.host !== from.host || remote.port !== from.port)) return;
    this.#client?.received(data, from);
  }

  /** `false` if there is no such host. */
  #sendTo(data: Uint8Array, { host, port }: Place): boolean {
    const { fabric } = this.#stack;
    const local = this.#stack.localFor(host, this.boundTo);
    const link = fabric.linkBetween(local, host);
    if (link === null) return false;
    const copies = link.drawLoss() ? 0 : link.drawDuplicate() ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      fabric.timetable.after(link.drawLatency(), link.name, () => {
        if (!link.isCut) this.#arrive(data, { host: local, port: this.#port, family: 4 }, { host, port });
      });
    }
    return true;
  }

  #arrive(data: Uint8Array, from: SocketAddress, to: Place): void {
    const { fabric } = this.#stack;
    const stack = to.host === LOOPBACK ? this.#stack : fabric.stackAt(to.host);
    if (stack === null || !stack.isUp) return;
    const receiver = stack.receivers.at(to.host, to.port);
    if (receiver !== null) receiver.received(data, from);
    else this.#unreachable(to);
  }

  /** Nobody is there: a system tells that to a socket that is connected. */
  #unreachable(to: Place): void {
    const { fabric } = this.#stack;
    const back = fabric.linkBetween(to.host, this.#stack.address);
    if (this.#remote === null || back === null || back.isCut) return;
    fabric.timetable.after(back.drawLatency(), back.name, () => {
      this.#client?.failed(systemError("ECONNREFUSED", "recvmsg", `${to.host}:${to.port}`));
    });
  }
}
