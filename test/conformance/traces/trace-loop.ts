/**
 * The golden traces: programs that ran on CPython, and what they printed, line by line.
 *
 * A program runs on a loop in virtual time and logs `turn:words`, where CPython's loop counts iterations. It stands here
 * once, in generator syntax, and runs twice: in a project of vitest of its own it is an async function, derived by
 * {@link file://./async-twins.ts}. Both must print what CPython printed, in the same turns.
 *
 * @module
 */

import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { expect, inject, test } from "vitest";
import { repr, str } from "./python-words.ts";
import { recordedTrace } from "./recorded.ts";

/** The syntax that a program has in this project of vitest. */
type Syntax = "generators" | "async functions";

declare module "vitest" {
  interface ProvidedContext {
    readonly syntax: Syntax;
  }
}

/** Writes a line of the trace: the turn of the loop, and `words` as Python's `print` writes them. */
export type Log = (...words: unknown[]) => void;

/** The main coroutine of a loop; an async function in the other project. */
type MainProgram = (log: Log) => asyncio.CoroutineGenerator<unknown>;

/** A program that receives a loop that is not running, and runs coroutines on it. */
type LoopProgram = (loop: asyncio.BaseEventLoop, log: Log) => Promise<unknown>;

/** A program whose async twin cannot be derived, written in both syntaxes. */
interface WrittenTwice<Generators, Functions> {
  readonly generators: Generators;
  readonly functions: Functions;
}

/** Where a program cannot print what CPython prints, and why. */
interface Difference {
  readonly because: string;
  /** CPython's lines, and what is printed in their place; `null` where nothing is. */
  readonly lines?: Readonly<Record<string, string | null>>;
  /** The whole trace, where `lines` will not do. Without both, only the turns differ. */
  readonly trace?: string;
}

interface Differences {
  /** In both syntaxes. */
  readonly differs?: Difference;
  readonly generatorsDiffer?: Difference;
  readonly functionsDiffer?: Difference;
}

const syntax = inject("syntax");

/** Has `run_until_complete` run a main coroutine, in this project's syntax. */
export function golden(
  name: string,
  program: MainProgram | WrittenTwice<MainProgram, (log: Log) => Promise<unknown>>,
  differences: Differences = {},
): void {
  const main = inSyntax<MainProgram | ((log: Log) => Promise<unknown>)>(program);
  const runMain: LoopProgram = async (loop, log) => {
    await loop.runUntilComplete(() => main(log));
    log("run_until_complete returned");
  };
  test(`${name}, ${syntax}${reason(differences)}`, async () => {
    expect(main.constructor.name).toBe(syntax === "generators" ? "GeneratorFunction" : "AsyncFunction");
    await expectTrace(name, runMain, differences);
  });
}

/** Gives a stopped loop to a program that runs it as it likes, with coroutines in this project's syntax. */
export function goldenLoop(
  name: string,
  program: LoopProgram | WrittenTwice<LoopProgram, LoopProgram>,
  differences: Differences = {},
): void {
  test(`${name}, ${syntax}${reason(differences)}`, async () => {
    await expectTrace(name, inSyntax(program), differences);
  });
}

/** Gives a stopped loop to a program without any coroutine, which is the same in both syntaxes. */
export function goldenCallbacks(
  name: string,
  program: LoopProgram,
  options: Differences & { readonly clockResolution?: number } = {},
): void {
  if (syntax !== "generators") return;
  test(`${name}, callbacks`, async () => {
    await expectTrace(name, program, options, options.clockResolution);
  });
}

function inSyntax<Program extends (...args: never[]) => unknown>(
  program: Program | WrittenTwice<Program, Program>,
): Program {
  if (typeof program === "function") return program;
  return syntax === "generators" ? program.generators : program.functions;
}

function ownDifference({ generatorsDiffer, functionsDiffer }: Differences): Difference | undefined {
  return syntax === "generators" ? generatorsDiffer : functionsDiffer;
}

/** Why this syntax differs from the other, for the title. */
function reason(differences: Differences): string {
  const difference = ownDifference(differences);
  return difference === undefined ? "" : ` (${difference.because})`;
}

async function expectTrace(
  name: string,
  program: LoopProgram,
  differences: Differences,
  clockResolution?: number,
): Promise<void> {
  const recorded = recordedTrace(name);
  const difference = ownDifference(differences) ?? differences.differs;
  const lines = await run(program, clockResolution);
  if (difference === undefined) expect(lines).toEqual(recorded);
  else if (difference.trace !== undefined) expect(lines).toEqual(linesOf(difference.trace));
  else if (difference.lines !== undefined) expect(lines).toEqual(replaceLines(recorded, difference.lines));
  else expect(withoutTurns(lines)).toEqual(withoutTurns(recorded));
}

async function run(program: LoopProgram, clockResolution?: number): Promise<string[]> {
  const loop = newLoop(clockResolution);
  const lines: string[] = [];
  const log: Log = (...words) => void lines.push(`${loop.statistics().turns}:${words.map(str).join(" ")}`);
  loop.setExceptionHandler((_loop, { message, exception }) => log("EXCHANDLER", message, repr(exception)));
  await program(loop, log);
  const trace = [...lines];
  loop.close();
  return trace;
}

/** A loop in virtual time. */
export function newLoop(clockResolution: number = 1e-9): asyncio.BaseEventLoop {
  return new asyncio.BaseEventLoop(new VirtualHost({ clockResolution }));
}

/** The recorded lines with some replaced; each that is to be replaced must be there. */
function replaceLines(recorded: readonly string[], replacements: Readonly<Record<string, string | null>>): string[] {
  expect(recorded).toEqual(expect.arrayContaining(Object.keys(replacements)));
  return recorded.map((line) => (line in replacements ? replacements[line]! : line)).filter((line) => line !== null);
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
