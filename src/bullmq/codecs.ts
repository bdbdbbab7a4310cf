/** How arguments and results are written down for their way through a queue. @module */

import { deserialize, serialize } from "node:v8";
import { repr } from "../core/base/format.ts";

/** Makes data that JSON can hold of values, and values of that data again. Both ends of a queue have the same. */
export interface Codec {
  /** What the data is marked with: a worker refuses what was written by another. */
  readonly name: string;
  /** A copy of `value` as data. @throws {TypeError} for what it cannot write down. */
  encode(value: unknown): unknown;
  decode(data: unknown): unknown;
}

/** What stands for `undefined`, which JSON does not have. */
const UNDEFINED: unknown = Object.freeze({ "asyncio-ts": "undefined" });

/**
 * JSON, which workers in any language read: the default. What JSON would lose or change is refused, with its place in the
 * value: functions, `Map` and `Set`, dates, `bigint`, bytes, `NaN`, instances of classes, circles. A property that is
 * `undefined` is left out.
 */
export const jsonCodec: Codec = {
  name: "json",
  encode: (value) => (value === undefined ? UNDEFINED : copyOf(value, "", new Set())),
  decode: (data) => (isUndefined(data) ? undefined : data),
};

/**
 * Structured clones: `Map`, `Set`, dates, bytes, `bigint` and circles arrive as they were. Only workers of this library read
 * them.
 */
export const cloneCodec: Codec = {
  name: "clone",
  encode: (value) => serialize(value).toString("base64"),
  decode: (data) => deserialize(Buffer.from(data as string, "base64")) as unknown,
};

function copyOf(value: unknown, path: string, around: Set<object>): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)) return value;
  if (typeof value !== "object") throw notJson(value, path);
  if (around.has(value)) throw new TypeError(`JSON has no circles, as at ${path || "the value"}: cloneCodec has`);
  around.add(value);
  const copy = Array.isArray(value)
    ? value.map((item, i) => copyOf(item, `${path}[${i}]`, around))
    : copyOfObject(value, path, around);
  around.delete(value);
  return copy;
}

function copyOfObject(value: object, path: string, around: Set<object>): unknown {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw notJson(value, path);
  const properties = Object.entries(value).filter(([, property]) => property !== undefined);
  return Object.fromEntries(properties.map(([key, property]) => [key, copyOf(property, `${path}.${key}`, around)]));
}

function notJson(value: unknown, path: string): TypeError {
  const where = path === "" ? "" : ` at ${path}`;
  return new TypeError(`JSON cannot hold ${repr(value)}${where}: use data, or codec: cloneCodec at both ends`);
}

function isUndefined(data: unknown): boolean {
  return typeof data === "object" && data !== null && "asyncio-ts" in data && Object.keys(data).length === 1;
}
