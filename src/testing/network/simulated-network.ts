/**
 * A network of simulated hosts in one process: what distributed programs are tested on.
 *
 * ```text
 *   a test's loop, in virtual time
 *     └── network ── timetable: what happens when
 *           ├── host a ── loop ── stack ─┐
 *           └── host b ── loop ── stack ─┴── links: latency, loss, cuts
 * ```
 *
 * Each host has a loop of its own, whose turns are entries in the loop of the test. So one thread runs them all, in an order
 * that depends on nothing but the seed; in `explore` the order, the latencies and the losses are choices of the schedule.
 *
 * Weighed and refused: one loop for all hosts. A host that crashes must stop between two turns with nothing of it left, and
 * its clock is its own.
 *
 * @module
 */

import type { Duration } from "../../core/base/duration.ts";
import { toSeconds } from "../../core/base/duration.ts";
import { RuntimeError } from "../../core/base/exceptions.ts";
import { inspectAsString, repr } from "../../core/base/format.ts";
import type { Resource } from "../../core/base/resource.ts";
import { getRunningLoop } from "../../core/kernel/events.ts";
import { BaseEventLoop } from "../../core/loop/base-events.ts";
import { runningCourse } from "../explore/course.ts";
import { Chance } from "./chance.ts";
import type { LinkOptions } from "./link.ts";
import { Link } from "./link.ts";
import type { HostOptions } from "./simulated-host.ts";
import { SimulatedHost } from "./simulated-host.ts";
import type { Fabric, Stack } from "./stack.ts";
import { LOOPBACK } from "./stack.ts";
import { Timetable } from "./timetable.ts";

/** Options of a {@link SimulatedNetwork}: how its links are, unless they are told otherwise, and more. */
export interface NetworkOptions extends LinkOptions {
  /** Of what is left to chance; 0 by default. In `explore`, the schedule decides instead. */
  readonly seed?: number;
  /** How long it takes to find the addresses of a name; no time by default. */
  readonly resolveTime?: Duration;
  /** How long bytes may stay without an answer before their connection is lost; 15 minutes by default, as on Linux. */
  readonly patience?: Duration;
}

/** A host, or its name. */
export type HostName = SimulatedHost | string;

const DEFAULT_PATIENCE = 900;

/**
 * Hosts, and the links between them. Programs on the hosts use `openConnection`, `startServer`, `createDatagramEndpoint` and
 * everything above them unchanged, and reach each other by name.
 *
 * ```ts
 * await asyncTest(async () => {
 *   const network = new SimulatedNetwork({ latency: [0.01, 0.05] });
 *   network.host("server").start(async () => {
 *     await asyncio.startServer(async (reader, writer) => {
 *       writer.write(await reader.readline());
 *       writer.close();
 *     }, null, 7);
 *   });
 *   const line = await network.host("client").run(async () => {
 *     const [reader, writer] = await asyncio.openConnection("server", 7);
 *     writer.write("hello\n");
 *     const answer = await reader.readline();
 *     writer.close();
 *     return String(answer);
 *   });
 *   assert.equal(line, "hello\n");
 * })();
 * ```
 *
 * It is made inside of a loop, in virtual time as a rule, and ends with it: its machines are switched off. Waiting for it
 * needs no closing.
 */
export class SimulatedNetwork {
  readonly #fabric: NetworkFabric;

  /** @throws {RuntimeError} outside of a loop of this library. @throws {RangeError} for a share or a time that is none. */
  constructor(options: NetworkOptions = {}) {
    const loop = getRunningLoop();
    if (!(loop instanceof BaseEventLoop)) {
      throw new RuntimeError(`a SimulatedNetwork needs a BaseEventLoop to be made in: received ${repr(loop)}`);
    }
    this.#fabric = new NetworkFabric(loop, options);
    loop._adopt(this.#fabric);
  }

  /** The host of that name; it is made when it is first asked for. */
  host(name: string, options: HostOptions = {}): SimulatedHost {
    return this.#fabric.host(name, options);
  }

  /** Gives `name` the addresses of `hosts`, in this order. A host has its own name from the beginning; none takes it away. */
  setName(name: string, ...hosts: readonly HostName[]): void {
    this.#fabric.setName(name, hosts);
  }

  /** Changes the link between two hosts, both ways. What is left out is as the network has it. */
  setLink(a: HostName, b: HostName, options: LinkOptions): void {
    this.setWay(a, b, options);
    this.setWay(b, a, options);
  }

  /** Changes the way from one host to another, and leaves the way back as it is. */
  setWay(from: HostName, to: HostName, options: LinkOptions): void {
    this.#fabric.way(from, to).configure({ ...this.#fabric.options, ...options });
  }

  /** No packet goes between two hosts any more. Connections do not break: their ends wait, and in the end lose patience. */
  cut(a: HostName, b: HostName): void {
    this.cutWay(a, b);
    this.cutWay(b, a);
  }

  /** No packet goes from one host to another any more. */
  cutWay(from: HostName, to: HostName): void {
    this.#fabric.way(from, to).isCut = true;
  }

  /** No packet goes from one of these groups to another any more; what was cut before stays so. */
  partition(...groups: readonly (readonly HostName[])[]): void {
    groups.forEach((group, i) => {
      for (const a of group) for (const b of groups.slice(i + 1).flat()) this.cut(a, b);
    });
  }

  /** Ends all cuts, or those between two hosts. */
  heal(a?: HostName, b?: HostName): void {
    if (a === undefined || b === undefined) {
      this.#fabric.heal();
      return;
    }
    this.#fabric.way(a, b).isCut = false;
    this.#fabric.way(b, a).isCut = false;
  }

  /** Breaks the connections between two hosts, as a firewall does that was restarted: both ends get a reset. */
  resetConnections(a: HostName, b: HostName): void {
    this.#fabric.resetConnections(a, b);
  }

  toString(): string {
    return `<SimulatedNetwork hosts=${this.#fabric.hosts.size}>`;
  }
}
inspectAsString("SimulatedNetwork", SimulatedNetwork);

class NetworkFabric implements Fabric, Resource {
  readonly timetable: Timetable;
  readonly patience: number;
  readonly resolveTime: number;
  readonly options: LinkOptions;
  readonly hosts: Map<string, SimulatedHost> = new Map();
  readonly #course: ReturnType<typeof runningCourse>;
  readonly #chance: Chance;
  readonly #byAddress: Map<string, SimulatedHost> = new Map();
  readonly #names: Map<string, readonly string[]> = new Map();
  /** By the addresses of both hosts. */
  readonly #links: Map<string, Link> = new Map();
  readonly #loopback: Link;

  constructor(loop: BaseEventLoop, options: NetworkOptions) {
    this.timetable = new Timetable(loop);
    this.patience = toSeconds(options.patience ?? DEFAULT_PATIENCE, "patience");
    this.resolveTime = toSeconds(options.resolveTime ?? 0, "resolveTime");
    this.options = options;
    this.#course = runningCourse();
    this.#chance = new Chance(this.#course, options.seed ?? 0);
    this.#loopback = new Link("loopback", this.#chance, { latency: 0 });
    // Bad options are an error here, and not at the first packet.
    void new Link("every link", this.#chance, options);
  }

  host(name: string, options: HostOptions): SimulatedHost {
    const known = this.hosts.get(name);
    if (known !== undefined) return known;
    const made = new SimulatedHost(this, this.#course, name, addressOf(this.hosts.size + 1), options);
    this.hosts.set(name, made);
    this.#byAddress.set(made.address, made);
    this.#names.set(name, [made.address]);
    return made;
  }

  setName(name: string, hosts: readonly HostName[]): void {
    this.#names.set(
      name,
      hosts.map((host) => this.#known(host).address),
    );
  }

  way(from: HostName, to: HostName): Link {
    return this.#link(this.#known(from), this.#known(to));
  }

  heal(): void {
    for (const link of this.#links.values()) link.isCut = false;
  }

  resetConnections(a: HostName, b: HostName): void {
    const [one, other] = [this.#known(a), this.#known(b)];
    for (const [host, peer] of [
      [one, other],
      [other, one],
    ] as const) {
      for (const connection of host._stack?.connections ?? []) connection.interrupt(peer.address);
    }
  }

  /** Nobody need close it: it ends with its loop. */
  isClosing(): boolean {
    return true;
  }

  /** Its machines are switched off. */
  _abandon(): void {
    for (const host of this.hosts.values()) host.crash();
  }

  // --- what the stacks ask

  linkBetween(from: string, to: string): Link | null {
    if (to === LOOPBACK || from === to) return this.#loopback;
    const [source, target] = [this.#byAddress.get(from), this.#byAddress.get(to)];
    return source === undefined || target === undefined ? null : this.#link(source, target);
  }

  stackAt(address: string): Stack | null {
    return this.#byAddress.get(address)?._stack ?? null;
  }

  *stacks(): Iterable<Stack> {
    for (const { _stack: stack } of this.hosts.values()) if (stack !== null) yield stack;
  }

  resolve(name: string): readonly string[] {
    return this.#names.get(name) ?? [];
  }

  #link(from: SimulatedHost, to: SimulatedHost): Link {
    const key = `${from.address} ${to.address}`;
    let link = this.#links.get(key);
    if (link === undefined) {
      link = new Link(`${from.name} → ${to.name}`, this.#chance, this.options);
      this.#links.set(key, link);
    }
    return link;
  }

  /** @throws {RangeError} for a name that no host has. */
  #known(host: HostName): SimulatedHost {
    const known = typeof host === "string" ? this.hosts.get(host) : host;
    if (known === undefined) throw new RangeError(`no such host: make it with network.host(${repr(host)})`);
    return known;
  }
}

/** 10.0.0.1, 10.0.0.2 … */
function addressOf(number: number): string {
  return [10, number >> 16, (number >> 8) & 255, number & 255].join(".");
}
