/**
 * The golden traces: programs that were run on CPython 3.14, and what they printed, line by line.
 *
 * A program runs on a loop in virtual time and logs `turn:words`, where CPython's loop counts iterations. Each is written
 * with generators and with async functions, and both must print what CPython printed, in the same turns.
 *
 * @module
 */

import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { expect, test } from "vitest";

/** Writes a line of the trace: the turn of the loop, and `words` as Python's `print` writes them. */
export type Log = (...words: unknown[]) => void;

/** Where a syntax cannot print what CPython prints, and why. */
interface Difference {
  readonly because: string;
  /** Its own trace; without it, its lines are CPython's, and only the turns differ. */
  readonly trace?: string;
}

/** A program that is the main coroutine of a loop, in both syntaxes. */
interface MainProgram {
  generators(log: Log): asyncio.CoroutineGenerator<unknown>;
  functions(log: Log): Promise<unknown>;
  readonly trace: string;
  readonly generatorsDiffer?: Difference;
  readonly functionsDiffer?: Difference;
}

type Conductor = (loop: asyncio.BaseEventLoop, log: Log) => Promise<unknown>;

/** A program that receives a loop that does not run, and has coroutines of either syntax run by it. */
interface LoopProgram {
  readonly generators: Conductor;
  readonly functions: Conductor;
  readonly trace: string;
  readonly generatorsDiffer?: Difference;
  readonly functionsDiffer?: Difference;
}

/** A program without any coroutine: it is the same in both syntaxes. */
interface CallbackProgram {
  readonly callbacks: Conductor;
  readonly trace: string;
  readonly clockResolution?: number;
}

/** Has `run_until_complete` run a main coroutine, once in each syntax. */
export function golden(name: string, { generators, functions, ...rest }: MainProgram): void {
  goldenLoop(name, {
    generators: (loop, log) => runMain(loop, log, () => generators(log)),
    functions: (loop, log) => runMain(loop, log, () => functions(log)),
    ...rest,
  });
}

async function runMain(loop: asyncio.BaseEventLoop, log: Log, main: asyncio.Body<unknown>): Promise<void> {
  await loop.runUntilComplete(main);
  log("run_until_complete returned");
}

/** Gives a stopped loop to a program that runs it as it likes. */
export function goldenLoop(name: string, program: LoopProgram | CallbackProgram): void {
  const { trace } = program;
  if ("callbacks" in program) {
    const { callbacks, clockResolution = 1e-9 } = program;
    test(`${name}, callbacks`, async () => {
      expect(await record(callbacks, clockResolution)).toEqual(linesOf(trace));
    });
  } else {
    testSyntax(`${name}, generators`, program.generators, trace, program.generatorsDiffer);
    testSyntax(`${name}, async functions`, program.functions, trace, program.functionsDiffer);
  }
}

function testSyntax(name: string, conductor: Conductor, trace: string, difference: Difference | undefined): void {
  test(difference === undefined ? name : `${name} (${difference.because})`, async () => {
    const lines = await record(conductor);
    if (difference === undefined) expect(lines).toEqual(linesOf(trace));
    else if (difference.trace !== undefined) expect(lines).toEqual(linesOf(difference.trace));
    else expect(withoutTurns(lines)).toEqual(withoutTurns(linesOf(trace)));
  });
}

async function record(conductor: Conductor, clockResolution?: number): Promise<string[]> {
  const loop = newLoop(clockResolution);
  const lines: string[] = [];
  const log: Log = (...words) => void lines.push(`${loop.statistics().turns}:${words.map(str).join(" ")}`);
  loop.setExceptionHandler((_loop, { message, exception }) => log("EXCHANDLER", message, repr(exception)));
  await conductor(loop, log);
  const trace = [...lines];
  loop.close();
  return trace;
}

/** A loop in virtual time. */
export function newLoop(clockResolution: number = 1e-9): asyncio.BaseEventLoop {
  return new asyncio.BaseEventLoop(new VirtualHost({ clockResolution }));
}

function linesOf(trace: string): string[] {
  return trace
    .trim()
    .split("\n")
    .map((line) => line.trim());
}

function withoutTurns(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/^\d+:/, ""));
}

// --- Python's vocabulary

/** An exception with Python's `args`. */
class PythonError extends Error {
  readonly args: readonly unknown[];

  constructor(...args: readonly unknown[]) {
    super(args.map(str).join(", "));
    this.args = args;
  }
}

/** Python's `ValueError(value)`. */
export class ValueError extends PythonError {
  override readonly name: string = "ValueError";
}

/** Python's `KeyError(key)`. */
export class KeyError extends PythonError {
  override readonly name: string = "KeyError";
}

/** Python's `current_task()`, inside of a task. */
export function me(): asyncio.Task<unknown> {
  const task = asyncio.currentTask();
  if (task === null) throw new Error("no task is running");
  return task;
}

/** Python's `except type as error`: at the head of a `catch`, it throws on what is of another type. */
export function except<E extends Error>(type: abstract new (...args: never[]) => E, error: unknown): E {
  if (error instanceof type) return error;
  throw error;
}

/** Python's `except* type as group`: at the head of a `catch`, it throws on what is no group of such errors alone. */
export function exceptStar(type: abstract new (...args: never[]) => Error, error: unknown): asyncio.BaseExceptionGroup {
  const [match, rest] = except(asyncio.BaseExceptionGroup, error).split(type);
  if (match === null || rest !== null) throw error;
  return match;
}

/** Python's `error.args`, as it is printed. */
export function argsOf(error: Error): string {
  return error.message === "" ? "()" : `(${repr(error.message)},)`;
}

/** A number as Python prints a `float`. */
export function float(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/** The first words of a message of ours, which may go on to say the cure after a colon. */
export function beforeColon(error: Error): string {
  return error.message.replace(/:.*$/s, "");
}

/** `value` as Python's `str` writes it. */
function str(value: unknown): string {
  if (typeof value === "string") return value;
  return value instanceof Error ? value.message : repr(value);
}

/** `value` as Python's `repr` writes it. */
export function repr(value: unknown): string {
  if (value === undefined || value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") return `'${value}'`;
  if (Array.isArray(value)) return `[${value.map(repr).join(", ")}]`;
  if (value instanceof PythonError) return `${value.name}(${value.args.map(repr).join(", ")})`;
  if (value instanceof asyncio.BaseExceptionGroup) {
    return `${value.name}(${repr(value.message)}, ${repr(value.exceptions)})`;
  }
  if (value instanceof Error) return `${value.name}(${value.message === "" ? "" : repr(value.message)})`;
  return String(value);
}
