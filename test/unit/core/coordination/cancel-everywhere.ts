/**
 * Cancelling everywhere: plays a scenario again and again, each time cancelling one task one moment later, until the
 * scenario ends before its moment has come.
 *
 * A moment is the beginning of a turn, and the end of each step of any task: so a task is cancelled in each of its waits
 * at once, and also after it has been woken and before it goes on, which is where wakeups get lost.
 *
 * A scenario is written once, as generators that `yield` what they wait for, and is played as generator coroutines, as
 * async functions, and as nests of both.
 */

import assert from "node:assert/strict";
import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import type { Program } from "../../syntaxes.ts";
import { playAsAsyncFunction, playAsGenerator } from "../../syntaxes.ts";

/** The code of a task: yields what it waits for, and gets what came of it. */
export type Script<T = unknown> = Program<T>;

/** The syntax in which scripts are played. */
export type Syntax = "generators" | "async functions" | "nests of both";

export const SYNTAXES: readonly Syntax[] = ["generators", "async functions", "nests of both"];

/** What a scenario is played on: a fresh loop, and the tasks it starts. */
export interface Stage {
  readonly loop: asyncio.BaseEventLoop;
  /** Starts a task that may be cancelled in some of the plays; all others must then end as if nothing had happened. */
  task(name: string, script: () => Script): void;
  /** Starts a task that is never cancelled. */
  helper(name: string, script: () => Script): void;
  /** A script as what `timeout`, `taskGroup`, `hold` and their like take. */
  body<A extends unknown[], T>(script: (...args: A) => Script<T>): (...args: A) => ReturnType<asyncio.Body<T>>;
  /** A call of a script, not started. */
  call<T>(script: () => Script<T>): asyncio.Coroutine<T>;
  /** Checks at the end that `actual()` is what it was at first: for the statistics of what the tasks compete for. */
  untouched(actual: () => unknown): void;
  /** Checks something else at the end. */
  check(check: () => void): void;
}

/** The two requests to cancel of a play, or the one. */
type Strikes = readonly { readonly victim: string; readonly moment: number }[];

/** Options of {@link cancelEverywhere}. */
export interface Options {
  /** Cancels a second time too, the same task or another, at every later moment. */
  readonly twice?: boolean;
  /** Whether a task may end with `error` in place of its cancellation. */
  readonly mayRaise?: (error: unknown) => boolean;
}

/** How long a task of a scenario may clean up after it was cancelled, in virtual time. */
const CLEANUP_SECONDS = 2;

/** How often the scenario was played. */
export interface Tally {
  plays: number;
}

/** Plays `scenario` in `syntax`, once in peace and then with a cancellation at every moment for each of its tasks. */
export async function cancelEverywhere(
  syntax: Syntax,
  scenario: (stage: Stage) => void,
  options: Options = {},
): Promise<Tally> {
  const tally = { plays: 0 };
  const play = async (strikes: Strikes): Promise<Play> => {
    tally.plays++;
    const played = new Play(syntax, strikes, options);
    await played.run(scenario);
    return played;
  };
  const peaceful = await play([]);
  for (const victim of peaceful.victims) {
    for (let moment = 1; ; moment++) {
      const first = { victim, moment };
      const once = await play([first]);
      if (once.struck === 0) break;
      if (options.twice === true) await strikeAgain(play, first, peaceful.victims);
    }
  }
  return tally;
}

async function strikeAgain(
  play: (strikes: Strikes) => Promise<Play>,
  first: Strikes[number],
  victims: readonly string[],
): Promise<void> {
  for (const victim of victims) {
    for (let moment = first.moment; ; moment++) {
      const twice = await play([first, { victim, moment }]);
      if (twice.struck < 2) break;
    }
  }
}

interface Member {
  readonly task: asyncio.Task<unknown>;
  readonly isVictim: boolean;
  /** Requests to cancel it that it accepted. */
  requests: number;
  /** When the last of them was, and when the task ended. */
  struckAt: number;
  endedAt: number;
}

/** One play of a scenario. */
class Play implements Stage {
  readonly loop: asyncio.BaseEventLoop = new asyncio.BaseEventLoop(new VirtualHost());
  readonly #syntax: Syntax;
  readonly #strikes: Strikes;
  readonly #options: Options;
  readonly #members: Map<string, Member> = new Map();
  readonly #checks: (() => void)[] = [];
  readonly #reports: asyncio.ExceptionContext[] = [];
  #moments: number = 0;
  #bodies: number = 0;
  /** How many of the strikes found a task to cancel. */
  struck: number = 0;

  constructor(syntax: Syntax, strikes: Strikes, options: Options) {
    this.#syntax = syntax;
    this.#strikes = strikes;
    this.#options = options;
  }

  get victims(): string[] {
    return [...this.#members].filter(([, member]) => member.isVictim).map(([name]) => name);
  }

  async run(scenario: (stage: Stage) => void): Promise<void> {
    const { loop } = this;
    loop.setExceptionHandler((_loop, context) => void this.#reports.push(context));
    const moment = (): void => this.#moment();
    const watch = { turnStarted: moment, stepEnded: moment };
    try {
      await asyncio.run(
        async () => {
          scenario(this);
          loop.addInstrument(watch);
          await asyncio.gather(
            [...this.#members.values()].map((member) => member.task),
            { returnExceptions: true },
          );
          loop.removeInstrument(watch);
          this.#checkOutcomes();
          this.#checkLeftovers();
          for (const check of this.#checks) check();
        },
        { loopFactory: () => loop },
      );
      assert.deepEqual(this.#reports, [], "nothing is reported");
    } catch (error) {
      const strikes = this.#strikes.map(({ victim, moment: at }) => `${victim} at moment ${at}`).join(" and ");
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`in ${this.#syntax}, cancelling ${strikes || "nobody"}: ${message}`, { cause: error });
    }
  }

  #moment(): void {
    this.#moments++;
    for (const { victim, moment } of this.#strikes) {
      if (moment !== this.#moments) continue;
      const member = this.#members.get(victim);
      if (member?.task.cancel("strike") !== true) continue;
      member.requests++;
      member.struckAt = this.loop.time();
      this.struck++;
    }
  }

  #checkOutcomes(): void {
    for (const [name, { task, requests, struckAt, endedAt }] of this.#members) {
      const outcome = describeOutcome(task);
      if (requests === 0) {
        assert.ok(outcome === "returned", `${name}, which nobody cancelled, ${outcome}`);
        continue;
      }
      assert.ok(task.cancelling() === requests, `${name} counts ${task.cancelling()} requests of ${requests}`);
      assert.ok(endedAt - struckAt <= CLEANUP_SECONDS, `${name} took ${endedAt - struckAt} seconds to end`);
      if (outcome.startsWith("raised") && this.#options.mayRaise?.(task.exception()) === true) continue;
      assert.ok(outcome === "was cancelled", `${name}, which was cancelled, ${outcome}`);
    }
  }

  #checkLeftovers(): void {
    const { tasks, timers, cancelledTimers } = this.loop.statistics();
    const others = [...asyncio.allTasks(this.loop)].slice(1);
    assert.ok(tasks === 1, `tasks are left: ${others.map(String).join(", ")}`);
    assert.ok(timers === cancelledTimers, `${timers - cancelledTimers} timers are left`);
  }

  task(name: string, script: () => Script): void {
    this.#start(name, script, true);
  }

  helper(name: string, script: () => Script): void {
    this.#start(name, script, false);
  }

  #start(name: string, script: () => Script, isVictim: boolean): void {
    const task = this.loop.createTask(this.body(script) as asyncio.Body<unknown>, { name });
    const member = { task, isVictim, requests: 0, struckAt: 0, endedAt: 0 };
    task.addDoneCallback(() => (member.endedAt = this.loop.time()));
    this.#members.set(name, member);
  }

  body<A extends unknown[], T>(script: (...args: A) => Script<T>): (...args: A) => ReturnType<asyncio.Body<T>> {
    return this.#isGenerator()
      ? function* (...args) {
          return yield* playAsGenerator(script(...args));
        }
      : async (...args) => await playAsAsyncFunction(script(...args));
  }

  call<T>(script: () => Script<T>): asyncio.Coroutine<T> {
    return asyncio.coroutine(this.body(script) as () => Promise<T>)() as asyncio.Coroutine<T>;
  }

  #isGenerator(): boolean {
    if (this.#syntax === "generators") return true;
    return this.#syntax !== "async functions" && this.#bodies++ % 2 === 0;
  }

  untouched(actual: () => unknown): void {
    const before = actual();
    this.#checks.push(() => assert.deepEqual(actual(), before));
  }

  check(check: () => void): void {
    this.#checks.push(check);
  }
}

function describeOutcome(task: asyncio.Task<unknown>): string {
  if (!task.done()) return "has not ended";
  if (task.cancelled()) return "was cancelled";
  const error = task.exception();
  return error === null ? "returned" : `raised ${String(error)}`;
}
