/**
 * What an executor and its workers say to each other: tuples, which cost half of what objects cost on their way.
 *
 * @module
 */

import type { PackedError } from "../../core/loop/remote-errors.ts";

/** To a worker. A function is named once, and has a number from then on. */
export type Request =
  | readonly [kind: "define", fn: number, module: string, name: string]
  | readonly [
      kind: "run",
      id: number,
      fn: number,
      key: string,
      args: readonly unknown[],
      isChunk: boolean,
      context: Values | null,
    ]
  | readonly [kind: "abort", id: number, reason: string];

/** The values of context variables, by their names. */
export type Values = readonly (readonly [name: string, value: unknown])[];

/** From a worker. */
export type Reply =
  | readonly [kind: "progress", id: number, step: unknown]
  | readonly [kind: "returned", id: number, value: unknown]
  | readonly [kind: "threw", id: number, error: PackedError];
