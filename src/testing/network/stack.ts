/**
 * What the system of a simulated host knows of its network, from one boot to the next: who listens where, and which
 * connections there are. A program that crashes takes its stack with it, and the next one begins with an empty one.
 *
 * @module
 */

import type { ByteChannel } from "../../core/network/byte-channels.ts";
import type { SocketAddress } from "../../core/network/contracts.ts";
import type { AbstractEventLoop } from "../../core/kernel/events.ts";
import { systemError } from "./errors.ts";
import type { Link } from "./link.ts";
import type { Timetable } from "./timetable.ts";

/** The network between the stacks. */
export interface Fabric {
  readonly timetable: Timetable;
  /** How long bytes may stay without an answer before their connection is given up, in seconds. */
  readonly patience: number;
  /** The way from one host to another; `null` if there is no host at that address. */
  linkBetween(from: string, to: string): Link | null;
  /** What runs at `address`; `null` while nothing does. */
  stackAt(address: string): Stack | null;
  /** The stacks that a broadcast reaches. */
  stacks(): Iterable<Stack>;
  /** The addresses of a name. @throws what a resolver says of a name that it does not know. */
  resolve(name: string): readonly string[];
  /** How long it takes to find the addresses of a name, in seconds. */
  readonly resolveTime: number;
}

/** A connection, as far as its system knows it. */
export interface Connection {
  /** The machine is gone: nothing is told to anybody. */
  vanish(): void;
  /** The program is gone, and the system ends the connection. */
  reset(): void;
  /** Something between the ends breaks the connection, if it is one to `peer`. */
  interrupt(peer: string): void;
}

/** What a port is bound to. */
interface Bound {
  /** `0.0.0.0` for every address of the host. */
  readonly boundTo: string;
}

/** Who takes connections at a port. */
export interface Acceptor extends Bound {
  /** Whether there is room for one more. */
  readonly hasRoom: boolean;
  accept(channel: ByteChannel & Connection): void;
}

/** Who takes datagrams at a port. */
export interface Receiver extends Bound {
  received(data: Uint8Array, from: SocketAddress): void;
}

/** Every address of a host. */
export const EVERYWHERE = "0.0.0.0";

/** The host itself. */
export const LOOPBACK = "127.0.0.1";

const FIRST_FREE_PORT = 49_152;
const LAST_PORT = 65_535;

/** What is bound to the ports of one kind. */
class Ports<B extends Bound> {
  readonly #bound: Map<number, B[]> = new Map();
  #next: number = FIRST_FREE_PORT;

  /** The port that `who` gets: `port`, or a free one for 0. @throws {Error} `EADDRINUSE`. */
  bind(who: B, port: number): number {
    const chosen = port === 0 ? this.takeFreePort() : port;
    const others = this.#bound.get(chosen) ?? [];
    if (others.some(({ boundTo }) => boundTo === who.boundTo || [boundTo, who.boundTo].includes(EVERYWHERE))) {
      throw systemError("EADDRINUSE", "listen", `${who.boundTo}:${chosen}`, { address: who.boundTo, port: chosen });
    }
    this.#bound.set(chosen, [...others, who]);
    return chosen;
  }

  free(who: B, port: number): void {
    const others = (this.#bound.get(port) ?? []).filter((other) => other !== who);
    if (others.length === 0) this.#bound.delete(port);
    else this.#bound.set(port, others);
  }

  /** Who gets what comes to `port` of `address`. */
  at(address: string, port: number): B | null {
    const all = this.#bound.get(port) ?? [];
    return all.find((one) => one.boundTo === EVERYWHERE || one.boundTo === address) ?? null;
  }

  /** A port that is not bound: that of a client need not be, for it does not listen. */
  takeFreePort(): number {
    while (this.#bound.has(this.#next)) this.#advance();
    const port = this.#next;
    this.#advance();
    return port;
  }

  #advance(): void {
    this.#next = this.#next === LAST_PORT ? FIRST_FREE_PORT : this.#next + 1;
  }
}

export class Stack {
  readonly fabric: Fabric;
  readonly address: string;
  readonly loop: AbstractEventLoop;
  readonly acceptors: Ports<Acceptor> = new Ports();
  readonly receivers: Ports<Receiver> = new Ports();
  readonly connections: Set<Connection> = new Set();
  #isUp: boolean = true;

  constructor(fabric: Fabric, address: string, loop: AbstractEventLoop) {
    this.fabric = fabric;
    this.address = address;
    this.loop = loop;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Nothing is sent or received any more. */
  vanish(): void {
    this.#isUp = false;
    for (const connection of this.connections) connection.vanish();
    this.connections.clear();
  }

  /** The address of this end of a connection to `remote`. @throws if the host has no such address. */
  localFor(remote: string, wanted: string | undefined): string {
    if (wanted === undefined || wanted === EVERYWHERE) return remote === LOOPBACK ? LOOPBACK : this.address;
    this.checkOwn(wanted, "bind");
    return wanted;
  }

  checkOwn(address: string, syscall: string): void {
    if ([EVERYWHERE, LOOPBACK, this.address].includes(address)) return;
    throw systemError("EADDRNOTAVAIL", syscall, address, { address });
  }
}
