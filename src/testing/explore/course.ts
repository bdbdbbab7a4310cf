/** One run of a program under a chooser: what was chosen, which steps were taken, and how it ended. @module */

import { gather } from "../../core/coordination/gather.ts";
import { BaseEventLoop } from "../../core/loop/base-events.ts";
import { DeadlockError } from "../../core/base/exceptions.ts";
import type { KernelLoop } from "../../core/kernel/contract.ts";
import { currentExecution } from "../../core/kernel/running.ts";
import type { Body } from "../../core/kernel/coroutines.ts";
import type { ExceptionContext } from "../../core/kernel/events.ts";
import type { Task } from "../../core/kernel/tasks.ts";
import { VirtualHost } from "../time/virtual-host.ts";
import type { Actor, Chooser, Option, Site } from "./choices.ts";
import { outcome } from "./choices.ts";
import { EndlessError, InvariantError, ReportedError } from "../base/errors.ts";
import type { Director } from "./exploring-scheduler.ts";
import { ExploringScheduler } from "./exploring-scheduler.ts";
import { RandomStream } from "./random.ts";
import type { Order } from "./token.ts";

/** What the body of a search receives. */
export interface Exploring {
  /** Checks after every step that `holds`; what it throws, or `false`, is the failure of the run. It must not wait. */
  always(name: string, holds: () => boolean | void): void;
  /** Checks after every step, and fails the run at its end if it was never `true`. It must not wait. */
  eventually(name: string, comesTrue: () => boolean): void;
}

/** The program to be searched: a function of either syntax. */
export type ExploreBody = (exploring: Exploring) => ReturnType<Body<unknown>>;

/** What is the same in all runs of a search. */
export interface CourseOptions {
  readonly order: Order;
  /** Of the program's own random numbers. */
  readonly seed: number;
  readonly maxSteps: number;
  /** How many tasks are cancelled at most. */
  readonly cancels: number;
  /** How many timers are late at most. */
  readonly lateTimers: number;
  /** From this step on everybody has his turn: what loops until another one has done something is no fault. */
  readonly fairAfter: number;
}

/** A choice that was made. */
export interface Choice {
  readonly site: Site;
  readonly step: number;
  /** How many options there were, and which was taken. */
  readonly options: number;
  readonly pick: number;
  /** Who would have been first, and who came instead; or which fault. */
  readonly first: string;
  readonly chosen: string;
}

/** A step that was taken. */
export interface Step {
  readonly actor: Actor;
  readonly time: number;
}

/** How a run failed. */
interface CourseFailure {
  readonly error: unknown;
  /** The same for the same kind of failure: numbers in its message aside. */
  readonly kind: string;
}

interface Invariant {
  readonly name: string;
  readonly check: () => boolean | void;
}

/** How late a timer may be, in seconds: behind what is due next, and behind most of what is to come. */
const DELAYS = [0, 0.01, 1];

const courses: WeakMap<KernelLoop, Course> = new WeakMap();

/** The run that the running code belongs to, if it belongs to one. */
export function runningCourse(): Course | null {
  const loop = currentExecution()?.loop ?? null;
  return (loop === null ? undefined : courses.get(loop)) ?? null;
}

export class Course implements Director, Exploring {
  readonly choices: Choice[] = [];
  readonly steps: Step[] = [];
  failure: CourseFailure | null = null;
  /** For the program's own code. */
  readonly random: RandomStream;
  readonly #options: CourseOptions;
  readonly #chooser: Chooser;
  /** That of the program's loop, and those of the hosts of a network that it makes. */
  readonly #schedulers: ExploringScheduler[] = [];
  readonly #loop: BaseEventLoop;
  readonly #always: Invariant[] = [];
  #eventually: Invariant[] = [];
  #main: Task<unknown> | null = null;
  /** Who took the last step. */
  #current: Actor | null = null;
  #cancelsLeft: number;
  #lateTimersLeft: number;
  /** Main has ended or the run has failed: what is left is cleaned up, first come, first served. */
  #isOver: boolean = false;
  #cleaningSteps: number = 0;

  constructor(chooser: Chooser, options: CourseOptions) {
    this.#chooser = chooser;
    this.#options = options;
    this.#cancelsLeft = options.cancels;
    this.#lateTimersLeft = options.lateTimers;
    this.random = new RandomStream(options.seed, "program");
    this.#loop = new BaseEventLoop(new VirtualHost(), { scheduler: this.makeScheduler("") });
    this.#loop.setExceptionHandler((_loop, context) => this.#reported(context));
    this.adopt(this.#loop);
  }

  /** Where the run stands on its clock, in seconds. */
  get now(): number {
    return this.#loop.time();
  }

  /** The choices by their picks: with it, the run can be had again. */
  get tape(): number[] {
    return this.choices.map(({ pick }) => pick);
  }

  /** Runs `body` to its end, cleans up, and returns itself. */
  async play(body: ExploreBody): Promise<this> {
    try {
      this.#main = this.#loop.createTask(() => body(this), { name: "main" });
      await this.#loop.runUntilComplete(this.#main);
      for (const { name } of this.#eventually) this.#fail(new InvariantError(`never came true: ${name}`));
    } catch (error) {
      this.#fail(error);
    }
    this.#isOver = true;
    await this.#cleanUp();
    return this;
  }

  async #cleanUp(): Promise<void> {
    const tasks = [...this.#loop._tasks];
    for (const task of tasks) {
      task._logDestroyPending = false;
      task.cancel();
    }
    this.#loop._orphans.cancel();
    try {
      await this.#loop.runUntilComplete(() => gather(tasks, { returnExceptions: true }));
    } catch (error) {
      // What failed once may not end when it is asked to. A run that did not fail and leaves such a task does.
      this.#fail(error);
    }
    for (const task of tasks) if (task.done() && !task.cancelled()) this.#failIf(task.exception());
    this.#loop.close();
  }

  // --- what a network in the program asks

  /** The scheduler of a loop that is part of the run, at a place of that name. */
  makeScheduler(place: string): ExploringScheduler {
    const made = new ExploringScheduler(this, this.#options.order, place);
    this.#schedulers.push(made);
    return made;
  }

  /** What runs in `loop` belongs to the run. */
  adopt(loop: KernelLoop): void {
    courses.set(loop, this);
  }

  /** Which of `options` comes true, of which the first is the usual one. */
  draw(options: readonly Option[], odds: readonly number[]): number {
    return this.choose("chance", options, odds);
  }

  // --- what the program asks

  always(name: string, holds: () => boolean | void): void {
    this.#always.push({ name, check: holds });
  }

  eventually(name: string, comesTrue: () => boolean): void {
    this.#eventually.push({ name, check: comesTrue });
  }

  /** Whether a fault of this name happens now. */
  hasFault(name: string): boolean {
    if (this.#isOver) return false;
    return this.choose("fault", [outcome("no fault"), outcome(`fault ${JSON.stringify(name)} happened`)]) === 1;
  }

  // --- what the scheduler asks

  choose(site: Site, options: readonly Option[], odds?: readonly number[]): number {
    const step = this.steps.length;
    if (this.#isOver || step >= this.#options.fairAfter) return 0;
    const point = { site, options, current: this.#current, step };
    const pick = this.#chooser.choose(odds === undefined ? point : { ...point, odds });
    const [first, chosen] = [options[0]!.actor.label, options[pick]!.actor.label];
    this.choices.push({ site, step, options: options.length, pick, first, chosen });
    return pick;
  }

  delayOf(timer: Actor): number {
    if (this.#lateTimersLeft === 0) return 0;
    const options = DELAYS.map((seconds) =>
      outcome(seconds === 0 ? `${timer.label} is in time` : `${timer.label} is ${seconds} s late`),
    );
    const delay = DELAYS[this.choose("fault", options)]!;
    if (delay > 0) this.#lateTimersLeft--;
    return delay;
  }

  beforeStep(actor: Actor): void {
    if (this.#isOver) {
      this.#cleaningSteps++;
    } else {
      this.#checkInvariants();
      this.#mayCancel();
      this.steps.push({ actor, time: this.#loop.time() });
    }
    this.#current = actor;
    const { maxSteps } = this.#options;
    if (Math.max(this.steps.length, this.#cleaningSteps) > maxSteps) {
      throw new EndlessError(`the program took more than ${maxSteps} steps: maxSteps allows for more`);
    }
  }

  #checkInvariants(): void {
    for (const { name, check } of this.#always) {
      if (check() === false) throw new InvariantError(`does not hold: ${name}`);
    }
    if (this.#eventually.length > 0) this.#eventually = this.#eventually.filter(({ check }) => check() !== true);
  }

  #mayCancel(): void {
    if (this.#cancelsLeft === 0) return;
    const waiting = this.#schedulers
      .flatMap(({ actors }) => [...actors.tasks].map((task) => ({ task, actor: actors.of(task, null) })))
      .filter(({ task }) => task !== this.#main && !task.done() && task._waitingFor !== null);
    if (waiting.length === 0) return;
    const options = waiting.map(({ task, actor }) => ({ subject: task, actor }));
    const pick = this.choose("cancel", [outcome("nobody"), ...options]);
    if (pick === 0) return;
    this.#cancelsLeft--;
    waiting[pick - 1]!.task.cancel();
  }

  // --- how it ends

  #reported({ message, exception }: ExceptionContext): void {
    this.#fail(
      new ReportedError(message ?? "unhandled exception", exception === undefined ? {} : { cause: exception }),
    );
  }

  #failIf(error: unknown): void {
    if (error !== null) this.#fail(error);
  }

  /** The first failure is the one that counts. */
  #fail(error: unknown): void {
    this.failure ??= { error, kind: kindOf(error) };
  }
}

/** The name of an error and its message without the numbers; deadlocks are alike whatever waits. */
function kindOf(error: unknown): string {
  if (error instanceof DeadlockError) return error.name;
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${kindOf(error.cause)})` : "";
  return `${error.name}: ${error.message.replaceAll(/\d+/g, "#")}${cause}`;
}
