/**
 * The interpreter whose coroutines are generators.
 *
 * Each op is an entry of a table. To build one that is missing, add a method here if it waits, or to `instant-ops` if
 * it never does; an object it needs is made in `World.makeObjects`.
 *
 * @module
 */

import * as asyncio from "asyncio-ts";
import { handlerOf } from "./handlers.ts";
import { instantOps } from "./instant-ops.ts";
import type { Arguments, Block, Handlers, Op, OpName } from "./language.ts";
import type { Interpreter } from "./run.ts";
import { Return } from "./show.ts";
import type { World } from "./world.ts";
import { nameOf } from "./world.ts";

type Steps<T = void> = asyncio.CoroutineGenerator<T>;

/** The ops that may wait. */
type WaitingOps = { readonly [N in OpName]?: (world: World, ...args: Arguments[N]) => Steps };

const waitingOps: WaitingOps = {
  // --- plain
  *sleep(_world, delay) {
    yield* asyncio.sleep(delay);
  },

  *repeat(world, times, ops) {
    for (let i = 0; i < times; i++) yield* runBlock(world, ops);
  },

  *call(world, name) {
    world.log("called", yield* coroutine(world, world.block(name)));
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

  // --- tasks
  *join(world, slot) {
    const task = world.slots.get(slot);
    if (task !== undefined) world.log("joined", slot, yield* task);
  },

  *gather(world, slots, names, returnExceptions) {
    const parent = nameOf(world.current);
    const tasks = world.tasksIn(slots);
    for (const [i, name] of names.entries()) tasks.push(world.start(world.coroutine(name), `${parent}.${name}${i}`));
    world.log("gathered", yield* asyncio.gather(tasks, { returnExceptions }));
  },

  *shield(world, slot) {
    const task = world.slots.get(slot);
    if (task !== undefined) world.log("shielded", yield* asyncio.shield(task));
  },

  // --- futures
  *fut_await(world, index) {
    world.log("future", index, yield* world.future(index));
  },
};

/** Interprets programs with generator functions. */
export const generators: Interpreter = {
  knows: (name) => name === "reraise" || Object.hasOwn(instantOps, name) || Object.hasOwn(waitingOps, name),
  coroutine,
};

function* coroutine(world: World, block: Block): Steps<unknown> {
  try {
    yield* runBlock(world, block);
    return null;
  } catch (error) {
    if (error instanceof Return) return error.value;
    throw error;
  }
}

function* runBlock(world: World, block: Block): Steps {
  for (const op of block) yield* runOp(world, op);
}

/** The one place where the compiler cannot see that an op's arguments are those of its method. */
function* runOp(world: World, [name, ...args]: Op): Steps {
  const instant = instantOps[name] as ((world: World, ...args: unknown[]) => void) | undefined;
  if (instant !== undefined) {
    instant(world, ...args);
    return;
  }
  const waiting = waitingOps[name] as ((world: World, ...args: unknown[]) => Steps) | undefined;
  if (waiting === undefined) throw new Error(`not built yet: ${name}`);
  yield* waiting(world, ...args);
}

/** Does what `handlers` say to `error`; what they do not name passes on. */
function* handle(world: World, error: unknown, handlers: Handlers): Steps {
  const { block, reraises } = handlerOf(error, handlers);
  world.log("caught", error);
  yield* runBlock(world, block);
  if (reraises) throw error;
}
