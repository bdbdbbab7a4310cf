/**
 * `asyncTest`: a test on a loop of its own, that ends clean or fails.
 *
 * A test runner calls a function and awaits its promise; that is all it need know. So the same wrapper serves Vitest,
 * node:test, Jest, Mocha, Bun and Deno, and no adapter can fall behind them.
 *
 * @module
 */

import { formatError } from "../../core/base/format.ts";
import { getLogger } from "../../core/base/log.ts";
import { gather } from "../../core/coordination/gather.ts";
import type { Body } from "../../core/kernel/coroutines.ts";
import type { ExceptionContext } from "../../core/kernel/events.ts";
import { TimerHandle } from "../../core/kernel/handles.ts";
import { drawTasks } from "../../core/kernel/task-tree.ts";
import type { Task } from "../../core/kernel/tasks.ts";
import { BaseEventLoop } from "../../core/loop/base-events.ts";
import { formatReport } from "../../core/loop/reports.ts";
import { LeftoverError } from "../base/errors.ts";
import { VirtualHost } from "../time/virtual-host.ts";

/** Options of {@link asyncTest}. */
export interface AsyncTestOptions {
  /**
   * Makes the loop of each run; one in virtual time by default. `asyncio.newEventLoop` is for a test with real connections
   * and real time.
   */
  readonly loopFactory?: () => BaseEventLoop;
  /** Debug mode, which knows where things were made: on by default. */
  readonly debug?: boolean;
}

/**
 * Makes a test function for any test runner: `body` runs as the main task of a fresh loop, in virtual time. An hour of
 * sleeping takes no time, and a deadlock fails at once, with a drawing of who waits for what.
 *
 * What `body` leaves behind fails the test: tasks that still run, timers, connections and servers, errors that nobody
 * retrieved, coroutines that nobody awaited, and whatever was reported to the loop's exception handler. What is left is ended
 * before the next test begins.
 *
 * ```ts
 * const test = asyncTest(async () => {
 *   const started = asyncio.getRunningLoop().time();
 *   await asyncio.sleep({ hours: 1 });
 *   assert.equal(asyncio.getRunningLoop().time() - started, 3600);
 * });
 * await test(); // test("an hour", asyncTest(async () => { ... })) with a runner
 *
 * const forgetful = asyncTest(async () => {
 *   asyncio.createTask(() => asyncio.sleep(60), { name: "poller" });
 * });
 * await assert.rejects(forgetful(), /left behind[^]*poller/);
 * ```
 *
 * @returns a function that takes what the runner gives it, and hands it to `body`.
 * @throws {LeftoverError} (the promise is rejected) if something is left; else what `body` throws.
 */
export function asyncTest<A extends unknown[]>(
  body: (...args: A) => ReturnType<Body<unknown>>,
  options: AsyncTestOptions = {},
): (...args: A) => Promise<void> {
  // A runner that finds a parameter would wait for a callback to be called.
  return async (...args) => await new Trial(options).run(() => body(...args));
}

/** One run of one test. */
class Trial {
  readonly #loop: BaseEventLoop;
  readonly #reports: ExceptionContext[] = [];

  constructor({ loopFactory = virtualLoop, debug = true }: AsyncTestOptions) {
    this.#loop = loopFactory();
    this.#loop.setDebug(debug);
    this.#loop.setExceptionHandler((_loop, context) => void this.#reports.push(context));
  }

  async run(body: Body<unknown>): Promise<void> {
    const main = this.#loop.createTask(body, { name: "test" });
    main._logDestroyPending = false;
    let failure: { readonly error: unknown } | null = null;
    try {
      await this.#loop.runUntilComplete(main);
    } catch (error) {
      failure = { error };
    }
    const left = await this.#clear(main);
    if (failure !== null) {
      // The test's own error is the one to be shown; what is left is often its consequence.
      if (left.length > 0) getLogger().error(textOf(left));
      throw failure.error;
    }
    if (left.length === 0) return;
    const cause = this.#reports.find((report) => "exception" in report);
    throw new LeftoverError(textOf(left), cause === undefined ? {} : { cause: cause.exception });
  }

  /** Ends what is left, closes the loop, and says what there was. */
  async #clear(main: Task<unknown>): Promise<string[]> {
    const loop = this.#loop;
    const left: string[] = [];
    const tasks = [...loop._tasks];
    // After a deadlock the test itself is one of them, and has been drawn.
    const others = tasks.filter((task) => task !== main);
    if (others.length > 0) left.push(describeTasks(others));
    const failures = await this.#cancel(tasks);
    for (const timer of loop._timers) {
      if (timer instanceof TimerHandle && !timer.cancelled()) left.push(describe("a timer", timer));
    }
    for (const resource of loop._resources) {
      if (resource.isClosing()) continue;
      left.push(`still open: ${String(resource)}`);
      // The loop would warn of it once more.
      resource._abandon();
      loop._release(resource);
    }
    loop.close();
    return [...left, ...failures, ...this.#reports.map(formatReport)];
  }

  async #cancel(tasks: readonly Task<unknown>[]): Promise<string[]> {
    const loop = this.#loop;
    if (tasks.length === 0 && loop._orphans.size === 0) return [];
    for (const task of tasks) {
      task._logDestroyPending = false;
      task.cancel();
    }
    loop._orphans.cancel();
    try {
      await loop.runUntilComplete(() => gather(tasks, { returnExceptions: true }));
    } catch (error) {
      return [`what is left does not end when it is cancelled: ${formatError(error)}`];
    }
    return tasks
      .filter((task) => !task.cancelled() && task.exception() !== null)
      .map((task) => `${task.getName()} failed when it was cancelled: ${formatError(task.exception())}`);
  }
}

function virtualLoop(): BaseEventLoop {
  return new BaseEventLoop(new VirtualHost());
}

function textOf(left: readonly string[]): string {
  return ["the test has left behind:", ...left].join("\n").replaceAll("\n", "\n  ");
}

function describeTasks(tasks: readonly Task<unknown>[]): string {
  const count = tasks.length === 1 ? "a task" : `${tasks.length} tasks`;
  const places = tasks.filter((task) => task._sourceTraceback !== null).map((task) => describe("", task));
  return [`${count}, running still:`, indented(drawTasks(tasks)), ...places].join("\n");
}

/** `item`, and where it was made. */
function describe(what: string, item: { readonly _sourceTraceback: readonly string[] | null }): string {
  const title = what === "" ? String(item) : `${what}: ${String(item)}`;
  return [title, ...placesOf(item._sourceTraceback ?? []).map((line) => `  at ${line}`)].join("\n");
}

/** The user's lines of a stack, down to the test runner's. */
function placesOf(stack: readonly string[]): readonly string[] {
  const end = stack.findIndex((line) => /[\\/]node_modules[\\/]|\bnode:internal/.test(line));
  return end === -1 ? stack : stack.slice(0, Math.max(end, 1));
}

function indented(text: string): string {
  return `  ${text.replaceAll("\n", "\n  ")}`;
}
