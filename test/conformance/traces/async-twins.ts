/**
 * Derives the async twin of a golden program, so that each stands once, in generator syntax:
 *
 * | written                         | derived                                                    |
 * | ------------------------------- | ---------------------------------------------------------- |
 * | `yield* sleep(1)`               | `await sleep(1)`                                           |
 * | `function* (scope) { … }`       | `async function (scope) { … }`                             |
 * | `function* child(n) { … }`      | `const child = asyncio.coroutine(async function child(n) { … });` |
 *
 * The third is a declaration: a coroutine must not begin before it is awaited or made a task, and an async function
 * alone would. It is no longer hoisted: it must stand before its use. Programs written twice by hand, objects with a
 * property `generators`, stay as they are.
 *
 * Weighed and refused: an async function that drives the generator. It would await what the library's generators
 * yield inside, and not the coroutines that a user awaits.
 *
 * @module
 */

import type { Plugin } from "vitest/config";
import { parseAst } from "vitest/node";

/** A plugin that gives every golden trace's test file its async form. Each line stays the line it was. */
export function asyncTwins(): Plugin {
  return {
    name: "async-twins",
    enforce: "pre",
    transform(code, id) {
      if (!/\/traces\/[\w-]+\.test\.ts$/.test(id)) return null;
      return { code: toAsyncFunctions(code), map: null };
    },
  };
}

function toAsyncFunctions(code: string): string {
  const edits: Edit[] = [];
  collectEdits(parseAst(code, { lang: "ts" }), edits, code);
  let result = code;
  for (const { start, end, text } of edits.toSorted((a, b) => b.start - a.start)) {
    result = result.slice(0, start) + text + result.slice(end);
  }
  return result;
}

/** Puts `text` in place of what is between `start` and `end`. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What is used here of a node of the syntax tree. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly generator?: boolean;
  readonly delegate?: boolean;
  readonly id?: { readonly name: string } | null;
  readonly key?: { readonly name?: string };
  readonly argument?: Node;
}

function collectEdits(value: unknown, edits: Edit[], code: string): void {
  if (typeof value !== "object" || value === null) return;
  const node = value as Node;
  if (node.type === "Property" && node.key?.name === "generators") return;
  if (node.type === "YieldExpression") edits.push(awaitOf(node, code));
  else if (node.generator === true) edits.push(...asyncFunctionOf(node, code));
  for (const child of Object.values(value)) collectEdits(child, edits, code);
}

function awaitOf({ start, argument, delegate }: Node, code: string): Edit {
  const isOneOperand = argument !== undefined && !/^(Binary|Logical|Conditional|Assignment)/.test(argument.type);
  if (delegate !== true || !isOneOperand) throw underivable(start, code);
  return { start, end: start + "yield*".length, text: "await" };
}

function asyncFunctionOf({ type, start, end, id }: Node, code: string): Edit[] {
  if (!code.startsWith("function*", start)) throw underivable(start, code);
  const head = { start, end: start + "function*".length, text: "async function" };
  if (type === "FunctionExpression") return [head];
  return [
    { ...head, text: `const ${id!.name} = asyncio.coroutine(async function` },
    { start: end, end, text: ");" },
  ];
}

function underivable(start: number, code: string): SyntaxError {
  const line = code.slice(0, start).split("\n").length;
  return new SyntaxError(`Cannot derive an async twin of line ${line}: write the program in both syntaxes`);
}
