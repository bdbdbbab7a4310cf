/** The ops that may wait, as async functions, with async callbacks for blocks of code. @module */

import * as asyncio from "asyncio-ts";
import type { WaitingOps } from "../kit/async-functions.ts";
import { runBlock } from "../kit/async-functions.ts";
import { UserError } from "../kit/show.ts";
import { nameOf, namesOf } from "../kit/world.ts";
import type { Arguments } from "./language.ts";
import type { World } from "./world.ts";

/** Those of the language `primitives`. */
export const waitingOps: WaitingOps<Arguments, World> = {
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
    world.log("waited for", await asyncio.waitFor(world.coroutine(name), timeout));
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
