/** Where a program runs: its loop, its tasks and shared objects, and the trace of what happens. @module */

import * as asyncio from "asyncio-ts";
import type { Block, Program } from "./language.ts";
import { formatGeneral, show } from "./show.ts";

/** A trace stops growing here; only the outcomes still follow. */
const MAX_EVENTS = 400;

/** Reports that depend on when garbage is collected, and so are not compared. */
const COLLECTED = ["never retrieved", "destroyed", "never awaited"];

/** Makes a coroutine that does `block` and returns what its `["return", value]` says, in one of the two syntaxes. */
export type MakeCoroutine = (world: World, block: Block) => asyncio.CoroutineLike<unknown>;

/** The world of one run of one program. It knows no op, and nothing of how coroutines are written. */
export class World {
  readonly program: Program;
  readonly loop: asyncio.BaseEventLoop;
  readonly trace: string[] = [];
  /** The task last spawned into each slot. */
  readonly slots: Map<string, asyncio.Task<unknown>> = new Map();
  /** Every task, in the order of their making. An eager one takes its first step before it stands here. */
  readonly made: asyncio.Task<unknown>[] = [];
  readonly #makeCoroutine: MakeCoroutine;
  #futures: readonly asyncio.Future<unknown>[] = [];
  #locks: readonly asyncio.Lock[] = [];
  #semaphores: readonly asyncio.Semaphore[] = [];
  #events: readonly asyncio.Event[] = [];
  #conditions: readonly asyncio.Condition[] = [];
  #barriers: readonly asyncio.Barrier[] = [];
  #queues: readonly asyncio.Queue<unknown>[] = [];

  constructor(program: Program, makeCoroutine: MakeCoroutine, host: asyncio.Host) {
    this.program = program;
    this.loop = new asyncio.BaseEventLoop(host);
    this.#makeCoroutine = makeCoroutine;
    if (program.eager === true) this.loop.setTaskFactory(asyncio.eagerTaskFactory);
    this.loop.setExceptionHandler((_loop, context) => this.#report(context));
  }

  /** Makes what the program's tasks share; called in the loop, before main's first step. */
  makeObjects(): void {
    const spec = this.program.objects ?? {};
    this.#futures = times(spec.futures, () => this.loop.createFuture<unknown>());
    this.#locks = times(spec.locks, () => new asyncio.Lock());
    this.#semaphores = (spec.semaphores ?? []).map((value) => new asyncio.Semaphore(value));
    this.#events = times(spec.events, () => new asyncio.Event());
    this.#conditions = times(spec.conditions, () => new asyncio.Condition());
    this.#barriers = (spec.barriers ?? []).map((parties) => new asyncio.Barrier(parties));
    this.#queues = (spec.queues ?? []).map(([kind, maxsize]) => new QUEUES[kind](maxsize));
  }

  lock(index: number): asyncio.Lock {
    return at(this.#locks, index);
  }

  semaphore(index: number): asyncio.Semaphore {
    return at(this.#semaphores, index);
  }

  event(index: number): asyncio.Event {
    return at(this.#events, index);
  }

  condition(index: number): asyncio.Condition {
    return at(this.#conditions, index);
  }

  barrier(index: number): asyncio.Barrier {
    return at(this.#barriers, index);
  }

  queue(index: number): asyncio.Queue<unknown> {
    return at(this.#queues, index);
  }

  future(index: number): asyncio.Future<unknown> {
    return at(this.#futures, index);
  }

  // --- tasks

  /** A coroutine of the coroutine that the program calls `name`. */
  coroutine(name: string): asyncio.CoroutineLike<unknown> {
    return this.#makeCoroutine(this, this.block(name));
  }

  /** The ops of the coroutine that the program calls `name`. */
  block(name: string): Block {
    const block = this.program.coros[name];
    if (block === undefined) throw new Error(`program ${this.program.id} has no coroutine ${name}`);
    return block;
  }

  /** Starts main. */
  startMain(): asyncio.Task<unknown> {
    return this.start(this.#makeCoroutine(this, this.program.main), "main");
  }

  start(coroutine: asyncio.CoroutineLike<unknown>, name: string): asyncio.Task<unknown> {
    const task = this.loop.createTask(coroutine, { name });
    this.made.push(task);
    return task;
  }

  get current(): asyncio.Task<unknown> {
    const task = asyncio.currentTask(this.loop);
    if (task === null) throw new Error("no task runs");
    return task;
  }

  /** The tasks in `slots`; empty slots are left out. */
  tasksIn(slots: readonly string[]): asyncio.Task<unknown>[] {
    return slots.flatMap((slot) => this.slots.get(slot) ?? []);
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

  /** `end TASK OUTCOME` */
  logOutcome(task: asyncio.Task<unknown>): void {
    this.trace.push(`end ${nameOf(task)} ${outcomeOf(task)}`);
  }

  /** `loop: REASON`, where the loop itself gave up. */
  logEndOfLoop(error: unknown): void {
    this.trace.push(`loop: ${reasonOf(error)}`);
  }

  #report(context: asyncio.ExceptionContext): void {
    if (COLLECTED.some((words) => context.message.includes(words))) return;
    this.log("handler", context.exception);
  }
}

const QUEUES = { fifo: asyncio.Queue, lifo: asyncio.LifoQueue, priority: asyncio.PriorityQueue };

function times<T>(count: number | undefined, make: () => T): T[] {
  return Array.from({ length: count ?? 0 }, make);
}

/** The element of a program's list. */
function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new Error(`the program has no object number ${index} of this kind`);
  return item;
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

function outcomeOf(task: asyncio.Task<unknown>): string {
  if (!task.done()) return "pending";
  if (task.cancelled()) return "cancelled";
  const error = task.exception();
  return error === null ? `returned ${show(task.result())}` : `raised ${show(error)}`;
}

/** Why the loop gave up, in CPython's words. */
function reasonOf(error: unknown): string {
  if (error instanceof asyncio.DeadlockError) return "deadlock: nothing is ready and no timer is set";
  if (error instanceof asyncio.RuntimeError) return error.message;
  throw error;
}
