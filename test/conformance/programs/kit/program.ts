/**
 * What the programs of every language have in common. A program is JSON: blocks of small steps, called ops. The
 * `oracle.py` of its language says what each op does.
 *
 * @module
 */

/** One step of a program: its name, then its arguments. */
export type Op = readonly [name: string, ...args: unknown[]];

/** Ops that are done one after the other. */
export type Block = readonly Op[];

/** What to do with an error, by its kind. A block that ends in `["reraise"]` raises it again. */
export interface Handlers {
  readonly cancelled?: Block;
  readonly timeout?: Block;
  readonly user?: Block;
  readonly group?: Block;
  readonly any?: Block;
}

/** Seconds, or `null` for ever. */
export type Seconds = number | null;
export type Value = number | string | null;

/** When `wait` has waited enough. */
export type ReturnWhen = "ALL_COMPLETED" | "FIRST_COMPLETED" | "FIRST_EXCEPTION";

/** The ops of every language, and what they take. */
export interface CommonArguments {
  log: [word: string];
  sleep: [delay: number];
  return: [value: Value];
  raise: [message: string];
  repeat: [times: number, ops: Block];
  call: [name: string];
  try: [ops: Block, handlers: Handlers, final: Block];
  reraise: [];
}

/** A program, and what CPython did with it. */
export interface Program {
  readonly id: string;
  /** The language it is written in; `primitives` if it does not say. */
  readonly language?: string;
  readonly coros: Readonly<Record<string, Block>>;
  readonly main: Block;
  /** Every task takes its first step at once. */
  readonly eager?: boolean;
  /** `null` if CPython itself does not get through the program: then it need only end here, and leave nothing behind. */
  readonly trace: readonly string[] | null;
}

/** The programs of a corpus, one JSON object a line. */
export function parseCorpus(text: string): Program[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => JSON.parse(line) as Program);
}
