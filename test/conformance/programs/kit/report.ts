/** What the commands print about the programs they checked. @module */

import { reasonFor } from "./known-differences.ts";
import type { Program } from "./program.ts";
import type { Interpreter, Result } from "./run.ts";
import { check, describe } from "./run.ts";

/** How many programs are named where a reason holds for many. */
const NAMED = 8;

/** Counts results, and prints those that are not as they should be. A known difference is neither passed nor failed. */
export class Report {
  readonly failing: { readonly program: Program; readonly interpreter: Interpreter }[] = [];
  readonly #print: (line: string) => void;
  readonly #known: Map<string, string[]> = new Map();
  readonly #begins: (name: string) => void;
  #passed: number = 0;

  /** @param begins hears the name of each program before it runs. */
  constructor(print: (line: string) => void, begins: (name: string) => void = () => {}) {
    this.#print = print;
    this.#begins = begins;
  }

  /** Checks the programs, which are of one language, in each of the syntaxes. */
  async check(programs: readonly Program[], interpreters: readonly Interpreter[]): Promise<void> {
    for (const interpreter of interpreters) {
      for (const program of programs) {
        this.#begins(nameOf(program, interpreter));
        this.#add(await check(program, interpreter), interpreter);
      }
    }
  }

  #add(result: Result, interpreter: Interpreter): void {
    const { program, difference } = result;
    if (difference === null) {
      this.#passed++;
      return;
    }
    const name = nameOf(program, interpreter);
    const reason = reasonFor(result, interpreter);
    if (reason === null) {
      this.failing.push({ program, interpreter });
      this.#print(`FAILED ${name}: ${describe(difference).replaceAll("\n", "\n  ")}`);
    } else {
      this.#known.set(reason, [...(this.#known.get(reason) ?? []), name]);
    }
  }

  /** The known differences with their reasons, and the line `N passed, N failed`. */
  end(): void {
    for (const [reason, names] of this.#known) {
      const rest = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
      this.#print(`known to differ, not counted: ${names.slice(0, NAMED).join(", ")}${rest}\n  ${reason}`);
    }
    this.#print(`${this.#passed} passed, ${this.failing.length} failed`);
  }
}

function nameOf(program: Program, interpreter: Interpreter): string {
  return `${program.id} (${interpreter.syntax})`;
}
