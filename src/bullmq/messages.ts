/**
 * What the callers and the workers of a queue say to each other, in BullMQ's own words where it has some, so that workers in
 * other languages can take part. `docs/cluster.md` writes it down for them.
 *
 * @module
 */

import { toSeconds } from "../core/base/duration.ts";
import { repr } from "../core/base/format.ts";
import type { NamedTask } from "../core/loop/jobs.ts";
import type { PackedError } from "../core/loop/remote-errors.ts";
import type { Codec } from "./codecs.ts";

/** The data of a job in the queue; the job's name is that of the function, its id the key. */
export interface JobData {
  /** Who has written down the arguments, the context, the steps and the result. */
  readonly codec: string;
  readonly args: readonly unknown[];
  /** Whether `args` are arguments of as many calls, one after the other. */
  readonly isChunk?: true;
  /** The values of context variables, by their names. */
  readonly context?: Readonly<Record<string, unknown>>;
  /** How long the work may go on that was asked to stop, in seconds. */
  readonly stopWithin?: number;
  /** What the attempt before has raised. */
  readonly error?: PackedError;
}

/** "This job is not wanted any more", on the queue of {@link cancellationsOf}. */
export interface Cancellation {
  readonly eventName: "cancel";
  /** The job's key. */
  readonly jobId: string;
  /** When it was said, in milliseconds, as text: a job of this key that was added later is wanted. */
  readonly at: string;
  readonly reason: string;
}

/** The queue, without jobs, whose events are the cancellations of `queue`. */
export function cancellationsOf(queue: string): string {
  return `${queue}.cancellations`;
}

/** How both ends of a queue write things down. */
export interface Writing {
  readonly codec: Codec;
  /** Of a job's data and of its result, in bytes. */
  readonly maxPayload: number;
}

/** The data of a job. @throws {TypeError} for what cannot be written down. @throws {RangeError} for what is too much. */
export function dataOf(
  task: NamedTask<never[], unknown>,
  args: readonly unknown[],
  isChunk: boolean,
  { codec, maxPayload }: Writing,
): JobData {
  const { context, stopWithin } = task.options;
  const values = context?.map((variable) => [variable.name, codec.encode(variable.get(undefined))] as const);
  const data: JobData = {
    codec: codec.name,
    args: args.map((arg) => codec.encode(arg)),
    ...(isChunk ? { isChunk } : {}),
    ...(values === undefined ? {} : { context: Object.fromEntries(values) }),
    ...(stopWithin === undefined ? {} : { stopWithin: toSeconds(stopWithin, "stopWithin") }),
  };
  checkSize(data, `the arguments of ${task.name}`, maxPayload);
  return data;
}

/** @throws {RangeError} for data that is too much. */
export function checkSize(data: unknown, what: string, maxPayload: number): void {
  const bytes = Buffer.byteLength(JSON.stringify(data));
  if (bytes <= maxPayload) return;
  throw new RangeError(
    `${what} take ${bytes} bytes, and a payload at most ${maxPayload}: ` +
      "put them where both ends reach them and send their address, or raise maxPayload at both ends",
  );
}

/** @throws {TypeError} for what is no key of a job. */
export function checkKey(key: string): void {
  // BullMQ keeps numbers for the ids it gives, and the colon for its keys in Redis.
  if (typeof key === "string" && key !== "" && !key.includes(":") && !/^\d+$/.test(key)) return;
  throw new TypeError(`a key is text without a colon, and not a number: received ${repr(key)}`);
}

/** @throws {TypeError} for what is no name of a queue. */
export function checkQueue(queue: string): void {
  if (typeof queue === "string" && /^[\w.-]+$/.test(queue)) return;
  throw new TypeError(`a queue's name has letters, digits, "_", "-" and ".": received ${repr(queue)}`);
}
