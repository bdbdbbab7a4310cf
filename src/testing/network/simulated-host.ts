/**
 * A machine of a simulated network, with one program.
 *
 * ```text
 *   off ──start, restart, run──► up ──pause──► paused ──resume──► up
 *    ▲                            │
 *    └── crash: the machine is gone without a word; kill: the program is, and its system ends the connections
 * ```
 *
 * Each boot has a loop of its own. A program that crashes is not told: none of its `finally` blocks runs, as on a machine
 * that loses its power. What survives a crash is what the program keeps elsewhere: in a `Map` outside of it, as on a disk.
 *
 * @module
 */

import { CancelledError, RuntimeError } from "../../core/base/exceptions.ts";
import { inspectAsString } from "../../core/base/format.ts";
import type { Body, Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import type { Future } from "../../core/kernel/futures.ts";
import type { Course } from "../explore/course.ts";
import type { ClockOptions } from "./host-clock.ts";
import { HostClock } from "./host-clock.ts";
import { SimulatedLoop } from "./simulated-loop.ts";
import type { Fabric, Stack } from "./stack.ts";

/** Options of {@link SimulatedNetwork.host}. */
export interface HostOptions {
  /** How the host's clock differs from that of the network; `loop.time()` on the host reads it. */
  readonly clock?: ClockOptions;
}

interface Boot {
  readonly clock: HostClock;
  readonly loop: SimulatedLoop;
}

/** A host of a {@link SimulatedNetwork}; see there. */
export class SimulatedHost {
  readonly name: string;
  /** By which others reach it, if they do not use its name. */
  readonly address: string;
  readonly #fabric: Fabric;
  readonly #course: Course | null;
  readonly #options: HostOptions;
  #program: Body<unknown> | null = null;
  #boot: Boot | null = null;
  /** What waits for something that runs here. */
  readonly #waiting: Set<Future<void>> = new Set();

  /** @internal */
  constructor(fabric: Fabric, course: Course | null, name: string, address: string, options: HostOptions) {
    this.#fabric = fabric;
    this.#course = course;
    this.name = name;
    this.address = address;
    this.#options = options;
  }

  /** Whether it runs. */
  get isUp(): boolean {
    return this.#boot !== null;
  }

  /** @internal */
  get _stack(): Stack | null {
    return this.#boot?.loop._stack ?? null;
  }

  /**
   * Starts `program`, which {@link restart} starts again. An error that it fails with is reported to the exception handler of
   * the loop that the network was made in, and so fails a test.
   *
   * @throws {RuntimeError} if the host has a program: restart it.
   */
  start(program: Body<unknown>): void {
    if (this.#program !== null) throw new RuntimeError(`${this.toString()} has a program: restart() starts it again`);
    this.#program = program;
    this.#launch();
  }

  /**
   * Runs `body` on the host, beside its program, and waits for its result, as a test does that looks into a machine.
   * Cancelled, it cancels the body and waits for its end.
   *
   * @throws what `body` throws. @throws {RuntimeError} if the host crashes meanwhile.
   */
  run<T>(body: Body<T>): Coroutine<T> {
    return new GeneratorCoroutine(this.#running(body), "SimulatedHost.run");
  }

  *#running<T>(body: Body<T>): CoroutineGenerator<T> {
    const task = this.#bootUp().loop.createTask(body);
    task._logDestroyPending = false;
    try {
      yield* this.#untilDone(task);
    } catch (error) {
      if (error instanceof CancelledError && !task.done()) {
        task.cancel();
        yield* this.#untilDone(task);
        task.logTraceback = false;
      }
      throw error;
    }
    return task.result();
  }

  /** @throws {RuntimeError} if the host stops before. */
  *#untilDone(task: Future<unknown>): CoroutineGenerator<void> {
    const end = this.#fabric.timetable.loop.createFuture();
    this.#waiting.add(end);
    task.addDoneCallback(() => {
      if (!end.done()) end.setResult();
    });
    try {
      yield* end;
    } finally {
      this.#waiting.delete(end);
    }
  }

  /** The machine stops at once, without a word: its peers learn of it when they send something. */
  crash(): void {
    this.#boot?.loop._stack.vanish();
    this.#end();
  }

  /** The program ends at once, as by `kill -9`: the machine goes on, and resets its connections. */
  kill(): void {
    const stack = this._stack;
    if (stack !== null) for (const connection of stack.connections) connection.reset();
    this.crash();
  }

  /** Starts the program again, after a crash or instead of going on. */
  restart(): void {
    if (this.#program === null) throw new RuntimeError(`${this.toString()} has no program: start() gives it one`);
    if (this.isUp) this.kill();
    this.#launch();
  }

  /** The program stands still, as by `kill -STOP`; its machine goes on, and takes what comes as far as there is room. */
  pause(): void {
    this.#boot?.clock.pause();
  }

  /** Ends a pause: timers due meanwhile are late. */
  resume(): void {
    this.#boot?.clock.resume();
  }

  #launch(): void {
    const { loop } = this.#bootUp();
    const task = loop.createTask(this.#program!, { name: this.name });
    task.addDoneCallback(() => {
      if (task.cancelled() || task.exception() === null) return;
      this.#report(`the program of ${this.name} has failed`, task.exception());
    });
  }

  #bootUp(): Boot {
    if (this.#boot !== null) return this.#boot;
    const clock = new HostClock(this.#fabric.timetable, this.name, this.#options.clock ?? {});
    const scheduler = this.#course?.makeScheduler(this.name) ?? null;
    const loop = new SimulatedLoop(clock, scheduler, this.#fabric, this.address);
    this.#course?.adopt(loop);
    loop.setDebug(this.#fabric.timetable.loop.getDebug());
    loop.setExceptionHandler((_loop, { message, ...context }) => {
      this.#fabric.timetable.loop.callExceptionHandler({ message: `${this.name}: ${message}`, ...context });
    });
    this.#boot = { clock, loop };
    const boot = this.#boot;
    loop._runForever().catch((error: unknown) => {
      if (this.#boot === boot) this.#report(`the loop of ${this.name} has ended`, error);
    });
    return boot;
  }

  #report(message: string, exception: unknown): void {
    this.#fabric.timetable.loop.callExceptionHandler({ message, exception });
  }

  /** Nothing of the program goes on, and nothing is told to it. */
  #end(): void {
    const boot = this.#boot;
    if (boot === null) return;
    this.#boot = null;
    const { loop } = boot;
    loop.setExceptionHandler(() => {});
    for (const task of loop._tasks) task._logDestroyPending = false;
    for (const resource of loop._resources) loop._release(resource);
    loop._leave(new RuntimeError(`${this.name} has stopped`));
    loop.close();
    for (const end of this.#waiting) {
      if (!end.done()) end.setException(new RuntimeError(`${this.name} has stopped while the body ran on it`));
    }
  }

  toString(): string {
    return `<SimulatedHost ${this.name} ${this.address} ${this.isUp ? "up" : "off"}>`;
  }
}
inspectAsString("SimulatedHost", SimulatedHost);
