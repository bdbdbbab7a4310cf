/** The way from one host to another, in one direction: how long it takes, and what is lost on it. @module */

import type { Duration } from "../../core/base/duration.ts";
import { toSeconds } from "../../core/base/duration.ts";
import { repr } from "../../core/base/format.ts";
import { outcome } from "../explore/choices.ts";
import type { Chance, Lot } from "./chance.ts";

/** How packets travel between two hosts. */
export interface LinkOptions {
  /** How long a packet is on its way: always as long, or anything between two values. A millisecond by default. */
  readonly latency?: Duration | readonly [least: Duration, most: Duration];
  /** Which part of the packets is lost, from 0 to 1: datagrams for good, the bytes of a stream until they are sent again. */
  readonly loss?: number;
  /** Which part of the datagrams comes twice. */
  readonly duplicates?: number;
  /** Which part of what is written to a stream comes in two pieces. */
  readonly fragments?: number;
}

/** A latency between two values is one of so many steps: a schedule that is shrunk takes the least. */
const LATENCY_STEPS = 8;

const DEFAULTS: Required<LinkOptions> = { latency: 0.001, loss: 0, duplicates: 0, fragments: 0 };

/** One direction of a link. */
export class Link {
  readonly #name: string;
  readonly #chance: Chance;
  #latencies: readonly number[] = [];
  #latency: Lot = { options: [], odds: [] };
  #loss: Lot | null = null;
  #duplicates: Lot | null = null;
  #fragments: Lot | null = null;
  /** No packet comes through. */
  isCut: boolean = false;

  constructor(name: string, chance: Chance, options: LinkOptions) {
    this.#name = name;
    this.#chance = chance;
    this.configure(options);
  }

  get name(): string {
    return this.#name;
  }

  /** @throws {RangeError} for a share that is none, or a latency that is negative. */
  configure(options: LinkOptions): void {
    const { latency, loss, duplicates, fragments } = { ...DEFAULTS, ...options };
    this.#latencies = stepsOf(latency);
    this.#latency = {
      options: this.#latencies.map((seconds) => this.#outcome(`took ${Number(seconds.toFixed(6))} s`)),
      odds: this.#latencies.map(() => 1 / this.#latencies.length),
    };
    this.#loss = this.#rarely("loss", loss, "a packet was lost");
    this.#duplicates = this.#rarely("duplicates", duplicates, "a datagram came twice");
    this.#fragments = this.#rarely("fragments", fragments, "bytes came in two pieces");
  }

  /** How long the next packet is on its way, in seconds. */
  drawLatency(): number {
    const index = this.#latencies.length === 1 ? 0 : this.#chance.draw(this.#latency);
    return this.#latencies[index]!;
  }

  drawLoss(): boolean {
    return this.#loss !== null && this.#chance.draw(this.#loss) === 1;
  }

  drawDuplicate(): boolean {
    return this.#duplicates !== null && this.#chance.draw(this.#duplicates) === 1;
  }

  drawFragment(): boolean {
    return this.#fragments !== null && this.#chance.draw(this.#fragments) === 1;
  }

  #rarely(option: string, share: number, event: string): Lot | null {
    if (!(share >= 0 && share <= 1)) throw new RangeError(`${option}: expected 0 to 1, received ${repr(share)}`);
    if (share === 0) return null;
    return { options: [this.#outcome(`all went well`), this.#outcome(event)], odds: [1 - share, share] };
  }

  #outcome(event: string): Lot["options"][number] {
    return outcome(`${this.#name}: ${event}`);
  }
}

function stepsOf(latency: Required<LinkOptions>["latency"]): readonly number[] {
  const [least, most] = isRange(latency) ? latency.map(secondsOf) : [secondsOf(latency), secondsOf(latency)];
  if (!(least! <= most!)) throw new RangeError(`latency: expected [least, most], received ${repr(latency)}`);
  if (least === most) return [least!];
  return Array.from({ length: LATENCY_STEPS }, (_, i) => least! + ((most! - least!) * i) / (LATENCY_STEPS - 1));
}

function isRange(latency: Required<LinkOptions>["latency"]): latency is readonly [Duration, Duration] {
  return Array.isArray(latency);
}

function secondsOf(latency: Duration): number {
  const seconds = toSeconds(latency, "latency");
  if (seconds < 0) throw new RangeError(`latency: expected no negative time, received ${repr(latency)}`);
  return seconds;
}
