/** `asyncio-ts run FILE`: a program, or the coroutine that a module exports. @module */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { CoroutineLike } from "../core/kernel/coroutines.ts";
import { run } from "../core/loop/runners.ts";

/** The command line cannot be understood, or the file not be run. */
export class RunError extends Error {
  override readonly name: string = "RunError";
}

/** The part of the library that the program needs: of the copy that the program has. */
interface Library {
  run(main: CoroutineLike<unknown>): Promise<unknown>;
}

/**
 * Imports a file, and runs its default export, or its export `main`, if that is a function. What the program throws is not
 * caught.
 *
 * @param args options, the file, and what the program gets as its own arguments.
 * @throws {RunError} where there is no such file, or no such option.
 */
export async function runFile(args: readonly string[]): Promise<void> {
  const at = args.findIndex((arg) => !arg.startsWith("-"));
  const options = at === -1 ? args : args.slice(0, at);
  const odd = options.find((option) => option !== "--debug");
  if (odd !== undefined) throw new RunError(`run has no option ${odd}`);
  if (at === -1) throw new RunError("the FILE to run is missing");
  const file = resolve(args[at]!);
  if (!existsSync(file)) throw new RunError(`no such file: ${file}`);
  if (options.includes("--debug")) process.env["ASYNCIO_DEBUG"] = "1";
  process.argv = [process.execPath, file, ...args.slice(at + 1)];
  const { default: byDefault, main } = (await load(file)) as { readonly default?: unknown; readonly main?: unknown };
  const work = [byDefault, main].find((exported) => typeof exported === "function");
  if (work !== undefined) await (await libraryOf(file)).run(work as CoroutineLike<unknown>);
}

async function load(file: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_UNKNOWN_FILE_EXTENSION") throw error;
    const cure = /\.[cm]?tsx?$/.test(file)
      ? "this runtime runs no TypeScript: take Node 22.18 or newer, Bun or Deno, or NODE_OPTIONS='--import tsx'"
      : "it is no module";
    throw new RunError(`${file} cannot be run: ${cure}`, { cause: error });
  }
}

/** A coroutine runs on the copy of the library that it was written with; on this one, if it has none. */
async function libraryOf(file: string): Promise<Library> {
  try {
    return (await import(pathToFileURL(createRequire(file).resolve("asyncio-ts")).href)) as Library;
  } catch (error) {
    // A file outside of any project.
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    return { run };
  }
}
