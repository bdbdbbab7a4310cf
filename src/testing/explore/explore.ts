/**
 * `explore`: runs a program under many schedules, finds one under which it fails, makes it small, and hands it back as a word
 * that `replay` takes.
 *
 * A search needs no change in the kernel: the loop asks its scheduler which entry is next, and here the scheduler asks a
 * policy. What the policy chose is the tape of the run; to run a tape again, to change it and to keep it is all that
 * replaying, shrinking and tokens are.
 *
 * Weighed and refused: to order promises, as fast-check's scheduler does. It sees only what is handed to it, and here
 * everything goes through the loop.
 *
 * @module
 */

import { repr } from "../../core/base/format.ts";
import type { Chooser } from "./choices.ts";
import { FIRST_COME, TapeChooser } from "./choices.ts";
import type { CourseOptions, ExploreBody } from "./course.ts";
import { Course } from "./course.ts";
import { NondeterminismError } from "../base/errors.ts";
import type { ExhaustivePolicy } from "./exhaustive.ts";
import { ExhaustiveSearch } from "./exhaustive.ts";
import { guarded } from "./guards.ts";
import type { Horizon, RandomPolicy } from "./policies.ts";
import { drawChooser } from "./policies.ts";
import { shrink } from "./shrink.ts";
import { drawTimeline, tellDifferences, tellError } from "./story.ts";
import type { Order } from "./token.ts";
import { fromToken, toToken } from "./token.ts";

/** How a search chooses its schedules. */
export type Policy = "portfolio" | RandomPolicy | ExhaustivePolicy;

/** Options of {@link explore}. */
export interface ExploreOptions {
  /** How many schedules are run at most; 1000 by default. */
  readonly runs?: number;
  /**
   * - `portfolio`, the default: the four below by turns.
   * - `random`, `pct`, `urw`, `pos`: drawn at random, each with another idea of what is worth trying.
   * - `delays`, `preemptions`: all schedules within `bound`, so that the search may say that it is exhausted.
   */
  readonly policy?: Policy;
  /**
   * How far a schedule may be from the usual one. With `legal`, the default, only as the platform may: timers due at the same
   * instant and messages from other threads come in any order and in any turn. With `any`, whatever is ready may run next:
   * asyncio never does so, but another version of the program, or another `await` in it, may.
   */
  readonly order?: Order;
  /** Of everything that is drawn; 0 by default. */
  readonly seed?: number;
  /** Of `pct`: how many times and one the running task falls behind; 3 by default. */
  readonly depth?: number;
  /** Of `delays` and `preemptions`: how much a schedule may differ; 2 by default. */
  readonly bound?: number;
  /** How many tasks are cancelled at most, at any of their waits; none by default, and never the body itself. */
  readonly cancels?: number;
  /** How many timers fire late at most, by 10 milliseconds or by a second; none by default. */
  readonly lateTimers?: number;
  /** After how many steps a run counts as one without an end; 10,000 by default. */
  readonly maxSteps?: number;
  /** How many runs may be spent on making a failing schedule smaller; 500 by default. */
  readonly shrinkRuns?: number;
}

/** What {@link explore} has found. */
export interface Exploration {
  /** The first failure; `null` if there was none. */
  readonly failure: ScheduleFailure | null;
  /** How many schedules were run until then; those of the shrinking are not counted. */
  readonly schedules: number;
  /** Whether every schedule within the bound was run. Only `delays` and `preemptions` can say so. */
  readonly exhausted: boolean;
  /** When exhausted: the bound, or infinity if no schedule costs more. */
  readonly bound: number | null;
}

/** A schedule under which the program fails. */
export interface ScheduleFailure {
  /** What the program failed with. */
  readonly error: unknown;
  /** The schedule as a word, for {@link replay}. */
  readonly token: string;
  /** Where it differs from first come, first served; empty if the program fails so already. */
  readonly differences: readonly string[];
  /** Which order it needs: `usual` fails in every ordinary test, `legal` on the platform, `any` in a search alone. */
  readonly needs: "usual" | Order;
  /** Who ran when. */
  readonly timeline: string;
  /** All of it in words, with the line that runs it again. */
  toString(): string;
}

/** How many times as long as the usual run one may go on before everybody has his turn; and how many steps at least. */
const FAIR_AFTER = { times: 10, steps: 1000 };

const DEFAULTS = {
  runs: 1000,
  seed: 0,
  depth: 3,
  bound: 2,
  cancels: 0,
  lateTimers: 0,
  maxSteps: 10_000,
  shrinkRuns: 500,
};

/**
 * Runs `body` under many schedules, in virtual time, until it fails under one.
 *
 * The body is a whole program: it makes what it works on anew in each run, and depends on nothing else. It fails by an error
 * of its own, by an invariant (`exploring.always`), a deadlock, a report to the exception handler, or by having no end.
 * The failure is made small, told in words, and handed back as a token for {@link replay}.
 *
 * ```ts
 * const { failure } = await explore(
 *   async () => {
 *     let balance = 0;
 *     const deposit = async () => {
 *       const before = balance;
 *       await asyncio.sleep(0);
 *       balance = before + 10; // whatever came meanwhile is lost
 *     };
 *     await asyncio.gather([deposit(), deposit()]);
 *     assert.equal(balance, 20);
 *   },
 *   { order: "any" },
 * );
 * assert.equal(failure?.needs, "usual");
 * ```
 *
 * With a token in the environment, as `ASYNCIO_EXPLORE_TOKEN`, every search of the process runs that one schedule instead: the
 * failure's text has the line to put before the command of a test runner.
 *
 * It does not wait for what it cannot control: a real clock, a real timer, randomness and the network are refused with an
 * {@link UncontrolledError}.
 *
 * @throws {NondeterminismError} if the same schedule takes two courses.
 */
export async function explore(body: ExploreBody, options: ExploreOptions = {}): Promise<Exploration> {
  const settings = checked({ ...DEFAULTS, policy: "portfolio", order: "legal", ...options });
  const token = tokenToRepeat();
  if (token === null) return await guarded(() => new Search(body, settings).run());
  const { tape, seed, ...recorded } = fromToken(token);
  return await guarded(() => new Search(body, { ...settings, ...recorded }).repeat(tape, seed));
}

/**
 * Runs `body` once, under the schedule of a token that {@link explore} gave: for a test that keeps what was found. It fails
 * as the program does. When the code has changed since, what is left of the schedule is followed as far as it goes.
 *
 * ```ts
 * const transfer = async () => {
 *   await asyncio.sleep(0);
 *   throw new Error("lost");
 * };
 * const { failure } = await explore(transfer);
 * await assert.rejects(replay(transfer, failure!.token), /lost/);
 * ```
 *
 * @throws {TypeError} if the token is none.
 */
export async function replay(
  body: ExploreBody,
  token: string,
  options: Pick<ExploreOptions, "maxSteps"> = {},
): Promise<void> {
  const { maxSteps } = checked({ ...DEFAULTS, policy: "portfolio", order: "legal", ...options });
  const { tape, ...recorded } = fromToken(token);
  const course = await guarded(() =>
    new Course(new TapeChooser(tape), { ...recorded, maxSteps, fairAfter: Infinity }).play(body),
  );
  if (course.failure !== null) throw course.failure.error;
}

/** Where the command line says which schedule to run again. */
const TOKEN_VARIABLE = "ASYNCIO_EXPLORE_TOKEN";

declare const process: { readonly env?: Readonly<Record<string, string | undefined>> } | undefined;

function tokenToRepeat(): string | null {
  try {
    const token = typeof process === "undefined" ? undefined : process.env?.[TOKEN_VARIABLE];
    return token === undefined || token === "" ? null : token;
  } catch {
    // Deno throws unless the program may read its environment.
    return null;
  }
}

type Settings = Required<ExploreOptions>;

/** @throws {RangeError} for a number that is none. */
function checked(settings: Settings): Settings {
  for (const name of ["runs", "depth", "maxSteps"] as const) {
    const value = settings[name];
    if (!(value >= 1)) throw new RangeError(`${name} must be at least 1: received ${repr(value)}`);
  }
  for (const name of ["seed", "bound", "cancels", "lateTimers", "shrinkRuns"] as const) {
    const value = settings[name];
    if (!(value >= 0)) throw new RangeError(`${name} must not be negative: received ${repr(value)}`);
  }
  return settings;
}

class Search {
  readonly #body: ExploreBody;
  readonly #settings: Settings;
  #schedules: number = 0;
  #fairAfter: number = FAIR_AFTER.steps;

  constructor(body: ExploreBody, settings: Settings) {
    this.#body = body;
    this.#settings = settings;
  }

  /** Runs one schedule. */
  async repeat(tape: readonly number[], seed: number): Promise<Exploration> {
    // As in replay(): the tape says all, however long the run was that it is of.
    this.#fairAfter = Infinity;
    const course = await this.#play(new TapeChooser(tape), seed);
    const failure = course.failure === null ? null : await this.#failureOf(course, seed);
    return { failure, schedules: 1, exhausted: false, bound: null };
  }

  async run(): Promise<Exploration> {
    const { policy } = this.#settings;
    if (policy === "delays" || policy === "preemptions") return await this.#runAll(policy);
    const { runs, seed, depth } = this.#settings;
    const usual = await this.#playTwice(() => FIRST_COME, seed);
    this.#schedules++;
    if (usual.failure !== null) return await this.#found(usual, seed);
    const horizon = horizonOf(usual);
    for (let i = 0; this.#schedules < runs; i++) {
      const own = seed + i;
      const makeChooser = (): Chooser => drawChooser(policy, own, horizon, depth);
      const course = i === 0 ? await this.#playTwice(makeChooser, own) : await this.#play(makeChooser(), own);
      this.#schedules++;
      if (course.failure !== null) return await this.#found(course, own);
    }
    return { failure: null, schedules: this.#schedules, exhausted: false, bound: null };
  }

  async #runAll(policy: ExhaustivePolicy): Promise<Exploration> {
    const { runs, bound, seed } = this.#settings;
    await this.#playTwice(() => FIRST_COME, seed);
    const search = new ExhaustiveSearch(policy, bound);
    for (let chooser = search.next(); chooser !== null; chooser = search.next()) {
      if (this.#schedules === runs) return { failure: null, schedules: runs, exhausted: false, bound: null };
      const course = await this.#play(chooser, seed);
      this.#schedules++;
      if (course.failure !== null) return await this.#found(course, seed);
    }
    return { failure: null, schedules: this.#schedules, exhausted: true, bound: search.seenWithin };
  }

  #play(chooser: Chooser, seed: number, order: Order = this.#settings.order): Promise<Course> {
    const { maxSteps, cancels, lateTimers } = this.#settings;
    const options: CourseOptions = { order, seed, maxSteps, cancels, lateTimers, fairAfter: this.#fairAfter };
    return new Course(chooser, options).play(this.#body);
  }

  async #playTwice(makeChooser: () => Chooser, seed: number): Promise<Course> {
    const first = await this.#play(makeChooser(), seed);
    const second = await this.#play(makeChooser(), seed);
    checkAlike(first, second);
    this.#fairAfter = Math.max(this.#fairAfter, FAIR_AFTER.times * first.steps.length);
    return first;
  }

  async #found(course: Course, seed: number): Promise<Exploration> {
    const { shrinkRuns } = this.#settings;
    const small = await shrink(course, (tape) => this.#play(new TapeChooser(tape), seed), shrinkRuns);
    return { failure: await this.#failureOf(small, seed), schedules: this.#schedules, exhausted: false, bound: null };
  }

  async #failureOf(course: Course, seed: number): Promise<Failure> {
    return new Failure(course, await this.#needsOf(course, seed), this.#tokenOf(course, seed));
  }

  #tokenOf(course: Course, seed: number): string {
    const { order, cancels, lateTimers } = this.#settings;
    return toToken({ order, seed, cancels, lateTimers, tape: course.tape });
  }

  /** Whether a failure that was found in `any` order is to be had in a legal one: a short search. */
  async #needsOf(course: Course, seed: number): Promise<ScheduleFailure["needs"]> {
    const { order, shrinkRuns } = this.#settings;
    if (course.tape.every((pick) => pick === 0)) return "usual";
    if (order === "legal") return "legal";
    const search = new ExhaustiveSearch("delays", 2);
    for (let i = 0; i < shrinkRuns; i++) {
      const chooser = search.next();
      if (chooser === null) break;
      const legal = await this.#play(chooser, seed, "legal");
      if (legal.failure?.kind === course.failure!.kind)
        return legal.tape.every((pick) => pick === 0) ? "usual" : "legal";
    }
    return "any";
  }
}

function horizonOf({ steps }: Course): Horizon {
  const stepsOf = new Map<string, number>();
  for (const { actor } of steps) stepsOf.set(actor.signature, (stepsOf.get(actor.signature) ?? 0) + 1);
  return { steps: steps.length, stepsOf };
}

function checkAlike(first: Course, second: Course): void {
  const length = Math.max(first.steps.length, second.steps.length);
  for (let i = 0; i < length; i++) {
    const [a, b] = [describeStep(first, i), describeStep(second, i)];
    if (a === b) continue;
    throw new NondeterminismError(
      `the program depends on more than the schedule: step ${i} was ${a}, and in a second run of the same schedule ${b}`,
    );
  }
  const [a, b] = [first.failure?.kind ?? "no failure", second.failure?.kind ?? "no failure"];
  if (a !== b)
    throw new NondeterminismError(`the program depends on more than the schedule: it had ${a}, and then ${b}`);
}

function describeStep({ steps }: Course, index: number): string {
  const step = steps[index];
  return step === undefined ? "not taken" : `one of ${step.actor.label} at ${step.time} s`;
}

class Failure implements ScheduleFailure {
  readonly error: unknown;
  readonly token: string;
  readonly differences: readonly string[];
  readonly needs: ScheduleFailure["needs"];
  readonly timeline: string;

  constructor(course: Course, needs: ScheduleFailure["needs"], token: string) {
    this.error = course.failure!.error;
    this.token = token;
    this.needs = needs;
    this.differences = tellDifferences(course);
    this.timeline = drawTimeline(course);
  }

  toString(): string {
    const differences =
      this.differences.length === 0
        ? ["First come, first served: every ordinary run fails."]
        : ["First come, first served, except", ...this.differences.map((line) => `  ${line}`)];
    return [
      "explore() has found a schedule that fails:",
      tellError(this.error),
      ...differences,
      `Needs: ${NEEDS[this.needs]}`,
      `Run it again: ${TOKEN_VARIABLE}=${this.token} before the command of the test,`,
      `or in a test: await replay(body, ${JSON.stringify(this.token)})`,
      "     step        time",
      this.timeline,
    ].join("\n");
  }
}

const NEEDS: Readonly<Record<ScheduleFailure["needs"], string>> = {
  usual: "nothing, it is the usual order",
  legal: "an order that the platform may take",
  any: "an order that asyncio does not take by itself, and a change of the program may",
};
