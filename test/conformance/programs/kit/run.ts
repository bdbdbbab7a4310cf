/** Runs a program and compares what happened with what CPython did. @module */

import type * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { checkHealth, Unhealthy } from "./health.ts";
import type { KnownDifference } from "./known-differences.ts";
import type { Program } from "./program.ts";
import { TooManyTurns, TurnLimit } from "./turn-limit.ts";
import { nameOf } from "./world.ts";
import type { World } from "./world.ts";

/** Virtual seconds after which whatever still runs is cancelled. */
const WATCHDOG = 1000;
/** A task may catch it, and wait for something else that never comes: it is cancelled so often, with a pause between. */
const WATCHDOG_ROUNDS = 20;
const WATCHDOG_PAUSE = 100;

/** An interpreter of a language, which writes coroutines in one of the two syntaxes, or in both. */
export interface Interpreter {
  readonly syntax: "generators" | "async" | "mixed";
  readonly knownDifferences: readonly KnownDifference[];
  makeWorld(program: Program, host: asyncio.Host): World;
}

/** How a program's trace differs from CPython's. */
export type Difference =
  | { readonly kind: "trace"; readonly line: number; readonly expected: string; readonly got: string }
  | { readonly kind: "failure"; readonly error: unknown };

/** What stands for the line that one of the two traces does not have. */
const END = "(the end of the trace)";

/** What came of checking a program; it passed where there is no difference. */
export interface Result {
  readonly program: Program;
  readonly difference: Difference | null;
}

/** Makes what a program's loop runs on. Its time must be virtual. */
export type MakeHost = () => asyncio.Host;

const makeVirtualHost: MakeHost = () => new VirtualHost();

/** Checks the programs one after the other. */
export async function* checkAll(
  programs: Iterable<Program>,
  interpreter: Interpreter,
  makeHost: MakeHost = makeVirtualHost,
): AsyncGenerator<Result> {
  for (const program of programs) yield check(program, interpreter, makeHost);
}

/**
 * Runs `program` and finds the first difference. Whatever CPython did, the program must end within a limit of turns, and
 * leave a loop with nothing in it.
 */
export async function check(
  program: Program,
  interpreter: Interpreter,
  makeHost: MakeHost = makeVirtualHost,
): Promise<Result> {
  try {
    const trace = await traceOf(program, interpreter, makeHost());
    return { program, difference: program.trace === null ? null : firstDifference(program.trace, trace) };
  } catch (error) {
    return { program, difference: { kind: "failure", error } };
  }
}

/** Runs `program` and returns its trace. */
export async function traceOf(
  program: Program,
  interpreter: Interpreter,
  host: asyncio.Host = makeVirtualHost(),
): Promise<readonly string[]> {
  const limit = new TurnLimit(host);
  const world = interpreter.makeWorld(program, limit);
  limit.watch(world.loop);
  try {
    await runToTheEnd(world);
  } catch (error) {
    world.logEndOfLoop(error);
  }
  const trace = [...world.trace];
  try {
    await checkHealth(world);
  } finally {
    world.loop.close();
  }
  return trace;
}

/** Runs main; then cancels what still runs, and lets it clean up. */
async function runToTheEnd(world: World): Promise<void> {
  const { loop } = world;
  loop.callSoon(() => world.makeObjects());
  const main = world.startMain();
  loop.callLater(WATCHDOG, watchdog, world, WATCHDOG_ROUNDS);
  await loop.runUntilComplete(allDone(loop, [main]));
  world.logOutcome(main, "main");
  world.cancelAll();
  if (world.pending.length > 0) await loop.runUntilComplete(allDone(loop, world.pending));
  for (const task of world.made) if (task !== main) world.logOutcome(task, nameOf(task));
  world.logOtherOutcomes();
}

function watchdog(world: World, rounds: number): void {
  world.log("watchdog");
  world.cancelAll();
  if (rounds > 1) world.loop.callLater(WATCHDOG_PAUSE, watchdog, world, rounds - 1);
}

/** Waits until all of `tasks` are done, in as many turns as CPython's `asyncio.wait`. */
function* allDone(
  loop: asyncio.BaseEventLoop,
  tasks: readonly asyncio.Task<unknown>[],
): asyncio.CoroutineGenerator<void> {
  const waiter = loop.createFuture();
  let pending = tasks.length;
  for (const task of tasks) {
    task.addDoneCallback(() => {
      if (--pending === 0 && !waiter.done()) waiter.setResult();
    });
  }
  yield* waiter;
}

/** The first line in which two traces differ. */
export function firstDifference(expected: readonly string[], got: readonly string[]): Difference | null {
  for (let i = 0; i < Math.max(expected.length, got.length); i++) {
    const [wanted, found] = [expected.at(i) ?? END, got.at(i) ?? END];
    if (wanted !== found) return { kind: "trace", line: i + 1, expected: wanted, got: found };
  }
  return null;
}

/** A difference in words, for people: one line or several. */
export function describe(difference: Difference): string {
  if (difference.kind === "failure") return inWords(difference.error);
  const { line, expected, got } = difference;
  return `line ${line} differs\nexpected  ${expected}\ngot       ${got}`;
}

function inWords(error: unknown): string {
  if (error instanceof TooManyTurns || error instanceof Unhealthy) return error.message;
  return `could not be interpreted: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
