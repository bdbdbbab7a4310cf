/**
 * Rejections that nobody handles, while a loop runs: those that are cancellations are no failures, and all others are
 * left to the policy of Node.js (`--unhandled-rejections`).
 *
 * An async function that was called and not yet awaited when its task is cancelled ends with a rejection that nobody will
 * handle, and that is nobody's failure. So the process is listened to; but Node asks its policy only where nobody listens.
 * What is no cancellation is therefore rejected a second time, in a promise of ours, while we do not listen: Node does
 * with it what it always does, and tells all of several.
 *
 * Where the application listens itself, it hears of everything, from Node, and nothing is done here. It hears of
 * cancellations too, which no listener can keep from another: `asyncio.isCancelled(reason)` tells which these are.
 *
 * Weighed and refused: to throw from the listener (Node forgets the other rejections of that moment, the `origin` is
 * lost, and each mode of `--unhandled-rejections` becomes `throw`); to replace `process.emit`.
 *
 * @module
 */

import { isCancelled } from "../../core/base/foreign-aborts.ts";

import { afterIo } from "./immediates.ts";

type Listener = NodeJS.UnhandledRejectionListener;

/** Marks our listener, for another copy of the package in the process too: neither is the application's. */
const OURS: unique symbol = Symbol.for("asyncio-ts.unhandledRejection");

const listener: Listener = Object.assign((reason: unknown) => heard(reason), { [OURS]: true });

let loops: number = 0;
/** What goes to Node's policy in the next tick. */
let toPolicy: unknown[] = [];

/** A loop runs; the function that this returns says that it has ended. */
export function listenForRejections(): () => void {
  if (loops++ === 0) process.on("unhandledRejection", listener);
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    // The last rejections are reported after the loop has stopped.
    afterIo(() => {
      if (--loops === 0) process.off("unhandledRejection", listener);
    });
  };
}

function heard(reason: unknown): void {
  if (reason === TURN) {
    stepAside();
    return;
  }
  const all = process.listeners("unhandledRejection");
  // The first of several copies of the package speaks for all.
  if (all.find(isOurs) !== listener || !all.every(isOurs) || isCancelled(reason)) return;
  if (hasToldAlready()) return;
  if (toPolicy.length === 0) process.nextTick(askPolicy);
  toPolicy.push(reason);
}

/** Node looks at rejections one by one, in their order: this one says that those of {@link toPolicy} are next. */
const TURN: unique symbol = Symbol("asyncio-ts: the rejections that follow are Node's");

function askPolicy(): void {
  for (const reason of [TURN, ...toPolicy]) void Promise.reject(reason);
}

/** Does not listen for as long as Node looks at the rejections of {@link toPolicy}. */
function stepAside(): void {
  const ours = process.listeners("unhandledRejection").filter(isOurs);
  for (const each of ours) process.off("unhandledRejection", each);
  let left = toPolicy.length;
  toPolicy = [];
  const listenAgain = (): void => {
    process.off("uncaughtExceptionMonitor", count);
    if (left < 0) return;
    left = -1;
    for (const each of ours) if (each !== listener || loops > 0) process.on("unhandledRejection", each);
  };
  const count = (): void => {
    if (--left === 0) listenAgain();
  };
  process.on("uncaughtExceptionMonitor", count);
  // Where Node only warns there is nothing to count.
  afterIo(listenAgain);
}

function isOurs(each: Listener): boolean {
  return OURS in each;
}

/** Whether Node did its part before it asked the listeners, or has none to do. */
function hasToldAlready(): boolean {
  const [mode] = [...process.execArgv, ...(process.env["NODE_OPTIONS"] ?? "").split(/\s+/)]
    .filter((option) => option.startsWith("--unhandled-rejections="))
    .map((option) => option.slice("--unhandled-rejections=".length));
  return mode === "strict" || mode === "warn" || mode === "none";
}
