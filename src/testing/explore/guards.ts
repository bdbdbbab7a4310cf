/**
 * While a search runs, its program must not use what the search cannot control: the real clock, real timers, real
 * randomness. Such a call throws, with the cure. Code outside of the program's loop calls them as ever.
 *
 * @module
 */

import { runningCourse } from "./course.ts";
import { UncontrolledError } from "../base/errors.ts";

type AnyFunction = (...args: unknown[]) => unknown;

const CLOCK = "use now() of asyncio-ts/testing, or loop.time()";

/** Each call by the object that it is a method of, with what to use instead. */
const GUARDED: readonly (readonly [path: string, name: string, cure: string])[] = [
  ["", "setTimeout", "use sleep() or loop.callLater()"],
  ["", "setInterval", "use sleep() in a loop"],
  ["", "setImmediate", "use sleep(0) or loop.callSoon()"],
  ["", "fetch", "hand the program a function that stands for it"],
  ["Date", "now", CLOCK],
  ["performance", "now", CLOCK],
  ["Math", "random", "use random() of asyncio-ts/testing"],
  ["crypto", "randomUUID", "use random() of asyncio-ts/testing"],
  ["crypto", "getRandomValues", "use random() of asyncio-ts/testing"],
];

let searches: number = 0;
let restore: (() => void) | null = null;

/** Runs `search` with the guards up. Searches may run side by side. */
export async function guarded<T>(search: () => Promise<T>): Promise<T> {
  if (searches++ === 0) restore = putUp();
  try {
    return await search();
  } finally {
    if (--searches === 0) {
      restore?.();
      restore = null;
    }
  }
}

function putUp(): () => void {
  const undo = GUARDED.map(([path, name, cure]) => guard(path, name, cure));
  const { Date: RealDate } = globalThis;
  globalThis.Date = guardedDate(RealDate);
  return () => {
    globalThis.Date = RealDate;
    for (const back of undo) back();
  };
}

function guard(path: string, name: string, cure: string): () => void {
  const home = (path === "" ? globalThis : (globalThis as Record<string, unknown>)[path]) as Record<
    string,
    AnyFunction
  >;
  const real = home?.[name];
  if (typeof real !== "function") return () => {};
  const full = path === "" ? name : `${path}.${name}`;
  const own = Object.getOwnPropertyDescriptor(home, name);
  const stand = function (this: unknown, ...args: unknown[]): unknown {
    refuseInSearch(`${full}()`, cure);
    return Reflect.apply(real, this, args);
  };
  try {
    Object.defineProperty(home, name, {
      ...own,
      configurable: true,
      writable: true,
      value: Object.assign(stand, real),
    });
  } catch {
    // It cannot be replaced here, and so not be refused.
    return () => {};
  }
  return () => {
    if (own === undefined) delete home[name];
    else Object.defineProperty(home, name, own);
  };
}

/** `new Date(2026, 0)` is as good as ever; `new Date()` reads the clock. */
function guardedDate(RealDate: DateConstructor): DateConstructor {
  return new Proxy(RealDate, {
    construct(target, args, newTarget) {
      if (args.length === 0) refuseInSearch("new Date()", CLOCK);
      return Reflect.construct(target, args, newTarget) as object;
    },
    apply(target, self, args) {
      refuseInSearch("Date()", CLOCK);
      return Reflect.apply(target, self, args) as string;
    },
  });
}

function refuseInSearch(call: string, cure: string): void {
  if (runningCourse() === null) return;
  throw new UncontrolledError(`${call} cannot be controlled in explore(): ${cure}`);
}
