/** How ops that may wait are written as async functions. @module */

import * as asyncio from "asyncio-ts";
import { handlerOf } from "./handlers.ts";
import type { Block, CommonArguments, Handlers, Op } from "./program.ts";
import { Return } from "./show.ts";
import type { Work, World } from "./world.ts";

/** The ops of a language that may wait. */
export type WaitingOps<Arguments, W extends World> = {
  readonly [N in keyof Arguments]?: Arguments[N] extends unknown[]
    ? (world: W, ...args: Arguments[N]) => Promise<void>
    : never;
};

/** Those of every language. */
export const commonOps: WaitingOps<CommonArguments, World> = {
  async sleep(_world, delay) {
    await asyncio.sleep(delay);
  },

  async repeat(world, times, ops) {
    for (let i = 0; i < times; i++) await runBlock(world, ops);
  },

  async call(world, name) {
    world.log("called", await awaitable(world.coroutine(name)));
  },

  async try(world, ops, handlers, final) {
    try {
      await runBlock(world, ops);
    } catch (error) {
      await handle(world, error, handlers);
    } finally {
      await runBlock(world, final);
    }
  },
};

/** A coroutine that has not started: what a call of a function of the program gives in Python. */
export const coroutine: (world: World, block: Block) => asyncio.Coroutine<unknown> = asyncio.coroutine(
  async (world: World, block: Block): Promise<unknown> => {
    try {
      await runBlock(world, block);
      return null;
    } catch (error) {
      if (error instanceof Return) return error.value;
      throw error;
    }
  },
);

/** `work` as what an async function can wait for: a generator object is not. */
function awaitable(work: Work): asyncio.Coroutine<unknown> {
  return work instanceof asyncio.Coroutine ? work : asyncio.coroutine(() => work)();
}

/** Does the ops of `block` in the coroutine that calls it. It gives way only where an op does. */
export async function runBlock(world: World, block: Block): Promise<void> {
  for (const op of block) {
    if (!world.actOne(op)) await runWaiting(world, op);
  }
}

/** The one place where the compiler cannot see that an op's arguments are those of its method. */
function runWaiting(world: World, [name, ...args]: Op): Promise<void> {
  const waiting = world.ops.inAsyncFunctions[name] as ((world: World, ...args: unknown[]) => Promise<void>) | undefined;
  if (waiting === undefined) throw new Error(`no such op: ${name}`);
  return waiting(world, ...args);
}

/** Does what `handlers` say to `error`; what they do not name passes on. */
async function handle(world: World, error: unknown, handlers: Handlers): Promise<void> {
  const { block, reraises } = handlerOf(error, handlers);
  world.log("caught", error);
  await runBlock(world, block);
  if (reraises) throw error;
}
