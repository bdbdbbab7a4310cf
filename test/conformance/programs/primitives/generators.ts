/** The ops that may wait, as generator functions. @module */

import * as asyncio from "asyncio-ts";
import type { WaitingOps, Steps } from "../kit/generators.ts";
import { runBlock } from "../kit/generators.ts";
import { UserError } from "../kit/show.ts";
import { nameOf, namesOf } from "../kit/world.ts";
import type { Arguments } from "./language.ts";
import type { World } from "./world.ts";

/** Those of the language `primitives`. */
export const waitingOps: WaitingOps<Arguments, World> = {
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

  *wait(world, slots, returnWhen, timeout) {
    const tasks = world.tasksIn(slots);
    if (tasks.length === 0) return;
    const { done, pending } = yield* asyncio.wait(tasks, { timeout, returnWhen });
    world.log("waited", namesOf(done), namesOf(pending));
  },

  *wait_for(world, name, timeout) {
    world.log("waited for", yield* asyncio.waitFor(world.coroutine(name), timeout));
  },

  *wait_for_task(world, slot, timeout) {
    const task = world.slots.get(slot);
    if (task !== undefined) world.log("waited for", slot, yield* asyncio.waitFor(task, timeout));
  },

  *timeout(world, delay, ops) {
    let scope: asyncio.Timeout | null = null;
    yield* asyncio.timeout(delay, function* (given) {
      scope = given;
      yield* runBlock(world, ops);
    });
    world.log("timeout left", scope!.expired());
  },

  *reschedule(world, delay, then, ops) {
    let scope: asyncio.Timeout | null = null;
    yield* asyncio.timeout(delay, function* (given) {
      scope = given;
      given.reschedule(then === null ? null : world.loop.time() + then);
      yield* runBlock(world, ops);
    });
    world.log("timeout left", scope!.expired());
  },

  *group(world, names, ops) {
    yield* asyncio.taskGroup(function* (group) {
      for (const [i, name] of names.entries()) {
        const task = group.createTask(world.coroutine(name), { name: `${nameOf(world.current)}/${name}${i}` });
        world.made.push(task);
      }
      yield* runBlock(world, ops);
    });
    world.log("group left");
  },

  *as_completed(world, slots, timeout) {
    const tasks = new Set(world.tasksIn(slots));
    for (const next of asyncio.asCompleted(tasks, { timeout })) {
      try {
        world.log("completed", yield* next);
      } catch (error) {
        if (!(error instanceof UserError || error instanceof asyncio.TimeoutError)) throw error;
        world.log("completed", error);
      }
    }
  },

  // --- futures
  *fut_await(world, index) {
    world.log("future", index, yield* world.future(index));
  },

  // --- synchronisation
  *lock(world, index, ops) {
    yield* world.lock(index).hold(function* () {
      world.log("locked", index);
      yield* runBlock(world, ops);
    });
    world.log("unlocked", index);
  },

  *semaphore(world, index, ops) {
    yield* world.semaphore(index).hold(function* () {
      world.log("acquired", index);
      yield* runBlock(world, ops);
    });
    world.log("released", index);
  },

  *event_wait(world, index) {
    world.log("event", index, yield* world.event(index).wait());
  },

  *cond_wait(world, index) {
    const condition = world.condition(index);
    yield* condition.hold(function* () {
      world.log("condition", index, yield* condition.wait());
    });
  },

  *cond_notify(world, index, count) {
    const condition = world.condition(index);
    // oxlint-disable-next-line require-yield
    yield* condition.hold(function* (): Steps {
      condition.notify(count);
    });
  },

  *barrier(world, index) {
    world.log("barrier", index, yield* world.barrier(index).wait());
  },

  *barrier_reset(world, index) {
    yield* world.barrier(index).reset();
  },

  *barrier_abort(world, index) {
    yield* world.barrier(index).abort();
  },

  // --- queues
  *put(world, index, value) {
    yield* world.queue(index).put(value);
    world.log("put", index, value);
  },

  *get(world, index) {
    world.log("got", index, yield* world.queue(index).get());
  },

  *queue_join(world, index) {
    yield* world.queue(index).join();
    world.log("queue joined", index);
  },
};
