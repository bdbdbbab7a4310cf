/** Where a program runs: its loop, its tasks, and the trace of what happened. @module */

import * as asyncio from "asyncio-ts";
import type { Block, Program } from "./program.ts";
import { formatGeneral, isNative, show } from "./show.ts";

/** A trace stops growing here; only the outcomes still follow. */
const MAX_EVENTS = 400;

/** Reports that depend on when garbage is collected, and so are not compared. */
const COLLECTED = ["never retrieved", "destroyed", "never awaited"];

/** The ops of a language by their names. What each takes is the language's to know. */
export type OpTable = Readonly<Record<string, ((world: never, ...args: never[]) => unknown) | undefined>>;

/** A coroutine of a program, which has not started. */
export type Work = asyncio.Coroutine<unknown> | asyncio.CoroutineGenerator<unknown>;

/** The ops of a language. */
export interface Ops {
  /** Those that never wait. */
  readonly instant: OpTable;
  /** Those that may, for coroutines that are generator functions; for those that are async functions. */
  readonly inGenerators: OpTable;
  readonly inAsyncFunctions: OpTable;
  /** Makes a coroutine that does `block` and returns what its `["return", value]` says. */
  coroutine(world: World, block: Block, name: string): Work;
}

/** The world of one run of one program. Each language adds what its programs share. */
export class World {
  readonly program: Program;
  readonly loop: asyncio.BaseEventLoop;
  readonly ops: Ops;
  readonly trace: string[] = [];
  /** Every task, in the order of their making. An eager one takes its first step before it stands here. */
  readonly made: asyncio.Task<unknown>[] = [];
  /** Errors that are no program's: the library itself has failed. */
  readonly faults: Error[] = [];

  constructor(program: Program, ops: Ops, host: asyncio.Host) {
    this.program = program;
    this.ops = ops;
    this.loop = new asyncio.BaseEventLoop(host);
    if (program.eager === true) this.loop.setTaskFactory(asyncio.eagerTaskFactory);
    this.loop.setExceptionHandler((_loop, context) => this.#report(context));
  }

  /** Makes what the program's tasks share; called in the loop, before main's first step. */
  makeObjects(): void {}

  /** Does ops that never wait, outside of any coroutine. */
  act(block: Block): void {
    for (const op of block) {
      if (!this.actOne(op)) throw new Error(`no op of a callback: ${op[0]}`);
    }
  }

  /** Does an op; `false` if it is none of those that never wait. */
  actOne([name, ...args]: Block[number]): boolean {
    // The one place where the compiler cannot see that an op's arguments are those of its method.
    const op = this.ops.instant[name] as ((world: World, ...args: unknown[]) => void) | undefined;
    op?.(this, ...args);
    return op !== undefined;
  }

  // --- tasks

  /** A coroutine of the coroutine that the program calls `name`. */
  coroutine(name: string): Work {
    return this.ops.coroutine(this, this.block(name), name);
  }

  /** The ops of the coroutine that the program calls `name`. */
  block(name: string): Block {
    const block = this.program.coros[name];
    if (block === undefined) throw new Error(`program ${this.program.id} has no coroutine ${name}`);
    return block;
  }

  /** Starts main. */
  startMain(): asyncio.Task<unknown> {
    return this.start(this.ops.coroutine(this, this.program.main, "main"), "main");
  }

  start(
    coroutine: asyncio.CoroutineLike<unknown>,
    name: string,
    options: asyncio.CreateTaskOptions = {},
  ): asyncio.Task<unknown> {
    const task = this.loop.createTask(coroutine, { ...options, name });
    this.made.push(task);
    return task;
  }

  get current(): asyncio.Task<unknown> {
    const task = asyncio.currentTask(this.loop);
    if (task === null) throw new Error("no task runs");
    return task;
  }

  get pending(): asyncio.Task<unknown>[] {
    return this.made.filter((task) => !task.done());
  }

  /** Cancels whatever still runs. */
  cancelAll(): void {
    for (const task of this.made) if (!task.done()) task.cancel();
  }

  // --- the trace

  /** `TIME TASK: EVENT` */
  log(...words: unknown[]): void {
    if (this.trace.length >= MAX_EVENTS) return;
    const task = asyncio.currentTask(this.loop);
    const who = task === null ? "-" : nameOf(task);
    this.trace.push(`${formatGeneral(this.loop.time())} ${who}: ${words.map(show).join(" ")}`);
  }

  /** `end NAME OUTCOME` */
  logOutcome(future: asyncio.Future<unknown>, name: string): void {
    this.trace.push(`end ${name} ${this.outcomeOf(future)}`);
  }

  /** How a task or future ended, if it has. */
  outcomeOf(future: asyncio.Future<unknown>): string {
    if (!future.done()) return "pending";
    if (future.cancelled()) return "cancelled";
    const error = future.exception();
    this.#notice(error);
    return error === null ? `returned ${show(future.result())}` : `raised ${show(error)}`;
  }

  /** The outcomes of what is no task. */
  logOtherOutcomes(): void {}

  /** `loop: REASON`, where the loop itself gave up. */
  logEndOfLoop(error: unknown): void {
    this.trace.push(`loop: ${reasonOf(error)}`);
  }

  #report(context: asyncio.ExceptionContext): void {
    if (COLLECTED.some((words) => context.message.includes(words))) return;
    this.#notice(context.exception);
    this.log("handler", context.exception);
  }

  #notice(error: unknown): void {
    if (error instanceof Error && isNative(error)) this.faults.push(error);
  }
}

/** The task's name; one that the program gave none is "anonymous". */
export function nameOf(task: asyncio.Task<unknown>): string {
  const name = task.getName();
  return name.startsWith("Task-") ? "anonymous" : name;
}

/** The names of tasks and futures, sorted: sets of them have no order. */
export function namesOf(futures: Iterable<asyncio.Future<unknown>>): string[] {
  return [...futures].map((future) => (future instanceof asyncio.Task ? nameOf(future) : "future")).toSorted();
}

/** Why the loop gave up, in CPython's words. */
function reasonOf(error: unknown): string {
  if (error instanceof asyncio.DeadlockError) return "deadlock: nothing is ready and no timer is set";
  if (error instanceof asyncio.RuntimeError) return error.message;
  throw error;
}
