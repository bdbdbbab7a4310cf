/** How ops that may wait are written as generator functions. @module */

import * as asyncio from "asyncio-ts";
import { handlerOf } from "./handlers.ts";
import type { Block, CommonArguments, Handlers, Op } from "./program.ts";
import { Return } from "./show.ts";
import type { World } from "./world.ts";

/** What an op that may wait gives. */
export type Steps<T = void> = asyncio.CoroutineGenerator<T>;

/** The ops of a language that may wait. */
export type WaitingOps<Arguments, W extends World> = {
  readonly [N in keyof Arguments]?: Arguments[N] extends unknown[] ? (world: W, ...args: Arguments[N]) => Steps : never;
};

/** Those of every language. */
export const commonOps: WaitingOps<CommonArguments, World> = {
  *sleep(_world, delay) {
    yield* asyncio.sleep(delay);
  },

  *repeat(world, times, ops) {
    for (let i = 0; i < times; i++) yield* runBlock(world, ops);
  },

  *call(world, name) {
    world.log("called", yield* world.coroutine(name));
  },

  *try(world, ops, handlers, final) {
    try {
      yield* runBlock(world, ops);
    } catch (error) {
      yield* handle(world, error, handlers);
    } finally {
      yield* runBlock(world, final);
    }
  },
};

/** A coroutine that does `block` and returns what its `["return", value]` says. */
export function* coroutine(world: World, block: Block): Steps<unknown> {
  try {
    yield* runBlock(world, block);
    return null;
  } catch (error) {
    if (error instanceof Return) return error.value;
    throw error;
  }
}

/** Does the ops of `block` in the coroutine that calls it. */
export function* runBlock(world: World, block: Block): Steps {
  for (const op of block) {
    if (!world.actOne(op)) yield* runWaiting(world, op);
  }
}

/** The one place where the compiler cannot see that an op's arguments are those of its method. */
function runWaiting(world: World, [name, ...args]: Op): Steps {
  const waiting = world.ops.inGenerators[name] as ((world: World, ...args: unknown[]) => Steps) | undefined;
  if (waiting === undefined) throw new Error(`no such op: ${name}`);
  return waiting(world, ...args);
}

/** Does what `handlers` say to `error`; what they do not name passes on. */
function* handle(world: World, error: unknown, handlers: Handlers): Steps {
  const { block, reraises } = handlerOf(error, handlers);
  world.log("caught", error);
  yield* runBlock(world, block);
  if (reraises) throw error;
}
