/**
 * The subjects: what is measured against what. The JavaScript subjects are names, and a benchmark has a program for
 * each that makes sense in it; CPython is whatever `python3` is.
 *
 * @module
 */

import { spawnSync } from "node:child_process";

/** Coroutines as generator functions: `yield*`. */
export const GENERATORS = "asyncio-ts generators";
/** Generator functions wrapped by `coroutine()`, which are resumed at their innermost. */
export const COROUTINES = "asyncio-ts coroutine()";
/** Coroutines as async functions: `await`. */
export const ASYNC = "asyncio-ts async";
/** Async functions and promises, in a process that never loads the library. */
export const NATIVE = "native promises";
/** The same, carrying a context as the tasks of asyncio-ts do: the baseline of {@link ASYNC}. */
export const NATIVE_WITH_CONTEXT = "native promises + AsyncLocalStorage";

/** Packages that do the same work; see `peers.mjs`. */
export const EFFECT = "Effect";
export const EFFECTION = "Effection";
export const ASYNC_MUTEX = "async-mutex";
export const ASYNC_SEMA = "async-sema";

/** In the order of the table's columns; CPython comes last. */
export const javascriptSubjects = [
  GENERATORS,
  COROUTINES,
  ASYNC,
  NATIVE,
  NATIVE_WITH_CONTEXT,
  EFFECT,
  EFFECTION,
  ASYNC_MUTEX,
  ASYNC_SEMA,
];

/**
 * Whether the subject's programs are given the library.
 *
 * @param {string} subject
 */
export function usesLibrary(subject) {
  return subject.startsWith("asyncio-ts");
}

/**
 * What the `python3` of the path is, such as `CPython 3.14.0`; `null` when there is none.
 *
 * @returns {string | null}
 */
export function findPython() {
  const code = "import platform; print(platform.python_implementation(), platform.python_version())";
  const result = spawnSync("python3", ["-c", code], { encoding: "utf8" });
  return result.status === 0 ? result.stdout.trim() : null;
}
