/**
 * The interpreter whose coroutines are async functions, and whose blocks of code are async callbacks.
 *
 * @module
 */

import * as asyncio from "asyncio-ts";
import { handlerOf } from "./handlers.ts";
import { instantOps } from "./instant-ops.ts";
import type { Arguments, Block, Handlers, Op, OpName } from "./language.ts";
import type { Interpreter } from "./run.ts";
import { Return, UserError } from "./show.ts";
import type { World } from "./world.ts";
import { nameOf, namesOf } from "./world.ts";

/** The ops that may wait. */
type WaitingOps = { readonly [N in OpName]?: (world: World, ...args: Arguments[N]) => Promise<void> };

const waitingOps: WaitingOps = {
  // --- plain
  async sleep(_world, delay) {
    await asyncio.sleep(delay);
  },

  async repeat(world, times, ops) {
    for (let i = 0; i < times; i++) await runBlock(world, ops);
  },

  async call(world, name) {
    world.log("called", await coroutine(world, world.block(name)));
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

  // --- tasks
  async join(world, slot) {
    const task = world.slots.get(slot);
    if (task !== undefined) world.log("joined", slot, await task);
  },

  async gather(world, slots, names, returnExceptions) {
    const parent = nameOf(world.current);
    const tasks = world.tasksIn(slots);
    for (const [i, name] of names.entries()) tasks.push(world.start(world.coroutine(name), `${parent}.${name}${i}`));
    world.log("gathered", await asyncio.gather(tasks, { returnExceptions }));
  },

  async shield(world, slot) {
    const task = world.slots.get(slot);
    if (task !== undefined) world.log("shielded", await asyncio.shield(task));
  },

  async wait(world, slots, returnWhen, timeout) {
    const tasks = world.tasksIn(slots);
    if (tasks.length === 0) return;
    const { done, pending } = await asyncio.wait(tasks, { timeout, returnWhen });
    world.log("waited", namesOf(done), namesOf(pending));
  },

  async wait_for(world, name, timeout) {
    world.log("waited for", await asyncio.waitFor(coroutine(world, world.block(name)), timeout));
  },

  async wait_for_task(world, slot, timeout) {
    const task = world.slots.get(slot);
    if (task !== undefined) world.log("waited for", slot, await asyncio.waitFor(task, timeout));
  },

  async timeout(world, delay, ops) {
    let scope: asyncio.Timeout | null = null;
    await asyncio.timeout(delay, async (given) => {
      scope = given;
      await runBlock(world, ops);
    });
    world.log("timeout left", scope!.expired());
  },

  async reschedule(world, delay, then, ops) {
    let scope: asyncio.Timeout | null = null;
    await asyncio.timeout(delay, async (given) => {
      scope = given;
      given.reschedule(then === null ? null : world.loop.time() + then);
      await runBlock(world, ops);
    });
    world.log("timeout left", scope!.expired());
  },

  async group(world, names, ops) {
    await asyncio.taskGroup(async (group) => {
      for (const [i, name] of names.entries()) {
        const task = group.createTask(world.coroutine(name), { name: `${nameOf(world.current)}/${name}${i}` });
        world.made.push(task);
      }
      await runBlock(world, ops);
    });
    world.log("group left");
  },

  async as_completed(world, slots, timeout) {
    const tasks = new Set(world.tasksIn(slots));
    for (const next of asyncio.asCompleted(tasks, { timeout })) {
      try {
        world.log("completed", await next);
      } catch (error) {
        if (!(error instanceof UserError || error instanceof asyncio.TimeoutError)) throw error;
        world.log("completed", error);
      }
    }
  },

  // --- futures
  async fut_await(world, index) {
    world.log("future", index, await world.future(index));
  },

  // --- synchronisation
  async lock(world, index, ops) {
    await world.lock(index).hold(async () => {
      world.log("locked", index);
      await runBlock(world, ops);
    });
    world.log("unlocked", index);
  },

  async semaphore(world, index, ops) {
    await world.semaphore(index).hold(async () => {
      world.log("acquired", index);
      await runBlock(world, ops);
    });
    world.log("released", index);
  },

  async event_wait(world, index) {
    world.log("event", index, await world.event(index).wait());
  },

  async cond_wait(world, index) {
    const condition = world.condition(index);
    await condition.hold(async () => {
      world.log("condition", index, await condition.wait());
    });
  },

  async cond_notify(world, index, count) {
    const condition = world.condition(index);
    await condition.hold(async () => condition.notify(count));
  },

  async barrier(world, index) {
    world.log("barrier", index, await world.barrier(index).wait());
  },

  async barrier_reset(world, index) {
    await world.barrier(index).reset();
  },

  async barrier_abort(world, index) {
    await world.barrier(index).abort();
  },

  // --- queues
  async put(world, index, value) {
    await world.queue(index).put(value);
    world.log("put", index, value);
  },

  async get(world, index) {
    world.log("got", index, await world.queue(index).get());
  },

  async queue_join(world, index) {
    await world.queue(index).join();
    world.log("queue joined", index);
  },
};

/** A coroutine that has not started: what a call of a function of the program gives in Python. */
const coroutine = asyncio.coroutine(async (world: World, block: Block): Promise<unknown> => {
  try {
    await runBlock(world, block);
    return null;
  } catch (error) {
    if (error instanceof Return) return error.value;
    throw error;
  }
});

/** Interprets programs with async functions. */
export const asyncFunctions: Interpreter = { syntax: "async", coroutine };

async function runBlock(world: World, block: Block): Promise<void> {
  for (const op of block) {
    const ended = runOp(world, op);
    if (ended !== null) await ended;
  }
}

/** What is to be awaited; `null` after an op that never waits. */
function runOp(world: World, [name, ...args]: Op): Promise<void> | null {
  // The one place where the compiler cannot see that an op's arguments are those of its method.
  const instant = instantOps[name] as ((world: World, ...args: unknown[]) => void) | undefined;
  if (instant !== undefined) {
    instant(world, ...args);
    return null;
  }
  const waiting = waitingOps[name] as ((world: World, ...args: unknown[]) => Promise<void>) | undefined;
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
