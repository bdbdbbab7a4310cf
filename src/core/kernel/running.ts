/**
 * Who is running: the loop, the task and the context that the present code belongs to.
 *
 * Two places know. While a callback or a step of a task runs, a variable of this file. Between the steps of an async
 * function, when promises carry it on and no step of ours is on the stack, the platform's async context, where the
 * library keeps one value: the same {@link Execution}. In a browser without async context only the first is known.
 *
 * @module
 */

import { RuntimeError } from "../base/exceptions.ts";
import { OWN_FOLDER } from "../base/stack.ts";
import type { Execution, KernelLoop } from "./contract.ts";

/** What the platform offers to carry an {@link Execution}, and the user's own async context, across promises. */
export interface AsyncContext {
  getStore(): Execution | undefined;
  /** Calls `fn` with `store` as what {@link currentExecution} finds, also after each `await` in `fn`. */
  run<R>(store: Execution, fn: () => R): R;
  /** The ambient async context of this moment, the user's included, with `store` as ours. */
  capture(store: Execution): Ambient;
  /** The ambient async context of this moment, as it is. */
  captureAsIs(): Ambient;
}

/** An async context that was captured. */
export interface Ambient {
  runInAsyncScope<This, R>(fn: (this: This) => R, self: This): R;
}

let running: Execution | null = null;
let asyncContext: AsyncContext | null = null;

/** What the present code belongs to, or `null` outside of any loop. */
export function currentExecution(): Execution | null {
  return running ?? asyncContext?.getStore() ?? null;
}

/** Makes `execution` the running one and returns the one before, which the caller puts back when it is done. */
export function swapRunning(execution: Execution | null): Execution | null {
  const previous = running;
  running = execution;
  return previous;
}

/** The platform's async context; `null` where there is none. */
export function getAsyncContext(): AsyncContext | null {
  return asyncContext;
}

/** Called once, by the platform's entry point. */
export function installAsyncContext(provider: AsyncContext | null): void {
  asyncContext = provider;
}

/** Runs `fn` as `execution`, which stays the current one after each `await` in `fn`. */
export function runAs<R>(execution: Execution, fn: () => R): R {
  const previous = swapRunning(execution);
  try {
    return asyncContext === null ? fn() : asyncContext.run(execution, fn);
  } finally {
    running = previous;
  }
}

// --- which loop

const runningLoops = new Set<KernelLoop>();
let loopInTurn: KernelLoop | null = null;

/** A copy of this package in the process: a dependency may bring one of its own. */
interface Copy {
  readonly place: string;
  isRunning(): boolean;
}

const COPIES: unique symbol = Symbol.for("asyncio-ts.copies");
const copies: Set<Copy> = ((globalThis as { [COPIES]?: Set<Copy> })[COPIES] ??= new Set());
const self: Copy = { place: OWN_FOLDER ?? "of unknown place", isRunning: () => runningLoops.size > 0 };
copies.add(self);

/** `loop` runs from here on. */
export function loopStarted(loop: KernelLoop): void {
  runningLoops.add(loop);
}

/** `loop` runs no longer. */
export function loopStopped(loop: KernelLoop): void {
  runningLoops.delete(loop);
}

/** The loops of this copy of the package that run now. */
export function loopsThatRun(): ReadonlySet<KernelLoop> {
  return runningLoops;
}

/** Makes `loop` the one whose turn is on the stack and returns the one before, which the caller puts back. */
export function swapLoopInTurn(loop: KernelLoop | null): KernelLoop | null {
  const previous = loopInTurn;
  loopInTurn = loop;
  return previous;
}

/** The loop of the present code, running or not, as cheaply as it can be known; `null` outside of any loop. */
export function nearestLoop(): KernelLoop | null {
  if (running !== null) return running.loop;
  // Promises go on inside of a turn: with a single loop they are its own, and the async context need not be asked.
  if (loopInTurn !== null && runningLoops.size === 1) return loopInTurn;
  return asyncContext?.getStore()?.loop ?? null;
}

/**
 * The loop that runs the present code, or `null`. Where nothing tells (a callback of an emitter, which carries no async
 * context; a browser, after an `await`), the one loop that runs, if exactly one does: the running loop is the thread's.
 */
export function findLoop(): KernelLoop | null {
  const loop = currentExecution()?.loop ?? null;
  if (loop !== null) return loop.isRunning() ? loop : null;
  if (runningLoops.size !== 1) return null;
  const [only] = runningLoops;
  return only ?? null;
}

/** The loop that runs the present code. @throws {RuntimeError} if there is none. */
export function requireLoop(): KernelLoop {
  const loop = findLoop();
  if (loop === null) throw new RuntimeError(noLoop());
  return loop;
}

/** Why there is no running loop here, and what to do. */
export function noLoop(): string {
  const other = runningLoops.size > 0 ? undefined : [...copies].find((copy) => copy.isRunning());
  if (other !== undefined) {
    return (
      `no running event loop in this copy of asyncio-ts, ${self.place}: one runs in another copy, ${other.place}; ` +
      "a program needs one copy for both (npm dedupe, or a peer dependency)"
    );
  }
  if (runningLoops.size < 2 || currentExecution() !== null) {
    return "no running event loop: call this from inside asyncio.run(...)";
  }
  return (
    "no running event loop: several run, and this callback does not tell which is its own; take " +
    "`const loop = asyncio.getRunningLoop()` outside of it and use `loop.createTask(...)`, or make it with asyncio.handler(fn)"
  );
}

// --- the entry that runs, and how long its code may go on without waiting

let awaitsLeft: number = Infinity;
let entry: number = 0;

/** An entry of a loop begins: from here on `awaits` of them may be answered at once. */
export function beginEntry(awaits: number): void {
  awaitsLeft = awaits;
  entry++;
}

/** `task` goes on: it counts how often. */
export function countStep(task: object | null): void {
  if (task !== null) (task as { _steps: number })._steps++;
}

/** A number for the entry that runs, or that ran last; no two entries have the same. */
export function currentEntry(): number {
  return entry;
}

/**
 * Whether an `await` that need not wait may be answered at once. If not, it gives way for a turn, so that a loop around
 * it (`while (true) await queue.put(item)`) cannot keep timers, I/O and other tasks waiting for ever.
 */
export function mayGoOn(): boolean {
  return --awaitsLeft >= 0;
}
