/**
 * A schedule as one word, to be kept in a test: its order, its seed, the faults that were allowed, and its tape.
 *
 * ```text
 *   1a.<base64url of: seed, cancels, late timers, then "so many first options", "then this pick, so often">.<checksum>
 * ```
 *
 * @module
 */

import { hash } from "./random.ts";

/** How far a schedule may differ from first come, first served; see `explore`. */
export type Order = "legal" | "any";

/** What a run needs to be had again. */
interface Recording {
  readonly order: Order;
  /** Of the program's own random numbers. */
  readonly seed: number;
  /** How many tasks may be cancelled, and how many timers late. */
  readonly cancels: number;
  readonly lateTimers: number;
  readonly tape: readonly number[];
}

const VERSION = "1";
const ORDERS: Readonly<Record<string, Order>> = { a: "any", l: "legal" };
/** Seven bits of a number lie in a byte; the eighth says that more follow. */
const SEVEN_BITS = 128;

declare function btoa(binary: string): string;
declare function atob(text: string): string;

export function toToken({ order, seed, cancels, lateTimers, tape }: Recording): string {
  const numbers = [seed, cancels, lateTimers];
  for (let at = 0; at < tape.length;) {
    let zeros = 0;
    while (tape[at] === 0) [zeros, at] = [zeros + 1, at + 1];
    const pick = tape[at];
    let times = 0;
    while (at < tape.length && tape[at] === pick) [times, at] = [times + 1, at + 1];
    if (pick !== undefined) numbers.push(zeros, pick, times);
  }
  const head = `${VERSION}${order === "any" ? "a" : "l"}.${encode(numbers)}`;
  return `${head}.${checksum(head)}`;
}

/** @throws {TypeError} if `token` is none, or a part of one. */
export function fromToken(token: string): Recording {
  const match = /^1([al])\.([\w-]*)\.([\da-z]+)$/.exec(token);
  if (match === null) throw new TypeError(`not a token of explore(): received ${JSON.stringify(token)}`);
  const [, order, text, sum] = match as unknown as [string, string, string, string];
  if (checksum(`${VERSION}${order}.${text}`) !== sum) {
    throw new TypeError(`the token of explore() is not whole: received ${JSON.stringify(token)}`);
  }
  const [seed = 0, cancels = 0, lateTimers = 0, ...rows] = decode(text);
  const tape: number[] = [];
  for (let i = 0; i + 2 < rows.length; i += 3) {
    const [zeros, pick, times] = rows.slice(i) as [number, number, number];
    tape.push(...Array<number>(zeros).fill(0), ...Array<number>(times).fill(pick));
  }
  return { order: ORDERS[order]!, seed, cancels, lateTimers, tape };
}

function checksum(text: string): string {
  return (hash(text) >>> 0).toString(36);
}

function encode(numbers: readonly number[]): string {
  let binary = "";
  for (const number of numbers) {
    let rest = number;
    for (; rest >= SEVEN_BITS; rest = Math.floor(rest / SEVEN_BITS)) {
      binary += String.fromCharCode((rest % SEVEN_BITS) + SEVEN_BITS);
    }
    binary += String.fromCharCode(rest);
  }
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function decode(text: string): number[] {
  const numbers: number[] = [];
  let number = 0;
  let scale = 1;
  for (const char of atob(text.replaceAll("-", "+").replaceAll("_", "/"))) {
    const byte = char.charCodeAt(0);
    number += (byte % SEVEN_BITS) * scale;
    scale *= SEVEN_BITS;
    if (byte >= SEVEN_BITS) continue;
    numbers.push(number);
    number = 0;
    scale = 1;
  }
  return numbers;
}
