/** The ops that may wait, as async functions, with async callbacks for blocks of code. @module */

import * as asyncio from "asyncio-ts";
import type { WaitingOps } from "../kit/async-functions.ts";
import { runBlock } from "../kit/async-functions.ts";
import { UserError } from "../kit/show.ts";
import { namesOf } from "../kit/world.ts";
import type { Arguments } from "./language.ts";
import type { World } from "./world.ts";

/** Those of the language `interplay`. */
export const waitingOps: WaitingOps<Arguments, World> = {
  async await(world, slot) {
    const target = world.awaitable(slot);
    if (target !== null) world.log("got", slot, await target);
  },

  async await_gather(world, slots, returnExceptions) {
    world.log("gathered", await asyncio.gather(world.targets(slots), { returnExceptions }));
  },

  async await_shield(world, slot) {
    const inner = world.slots.get(slot);
    if (inner === undefined) return;
    const shielded = asyncio.shield(inner);
    if (shielded !== world.current) world.log("shielded", slot, await shielded);
  },

  async await_wait_for(world, slot, timeout) {
    const target = world.awaitable(slot);
    if (target !== null) world.log("waited for", slot, await asyncio.waitFor(target, timeout));
  },

  async await_wait(world, slots, returnWhen, timeout) {
    const targets = world.targets(slots);
    if (targets.length === 0) return;
    const { done, pending } = await asyncio.wait(targets, { timeout, returnWhen });
    world.log("waited", [namesOf(done), namesOf(pending)]);
  },

  async await_as_completed(world, slots, timeout) {
    for (const next of asyncio.asCompleted(new Set(world.targets(slots)), { timeout })) {
      try {
        world.log("completed", await next);
      } catch (error) {
        if (!(error instanceof UserError || error instanceof asyncio.TimeoutError)) throw error;
        world.log("completed", error);
      }
    }
  },

  async wait_for_call(world, name, timeout) {
    world.log("waited for", await asyncio.waitFor(world.coroutine(name), timeout));
  },

  async deadline(world, name, delay, ops) {
    let deadline: asyncio.Timeout | null = null;
    await asyncio.timeout(delay, async (entered) => {
      deadline = entered;
      world.deadlines.set(name, entered);
      world.owners.set(name, world.current);
      await runBlock(world, ops);
    });
    world.log("left", name, deadline!.expired());
  },

  async group(world, name, ops) {
    await asyncio.taskGroup(async (group) => {
      world.groups.set(name, group);
      world.owners.set(name, world.current);
      await runBlock(world, ops);
    });
    world.log("left", name);
  },

  async hold(world, ops) {
    await world.lock.hold(async () => {
      await runBlock(world, ops);
    });
    world.log("released");
  },

  async cond_wait(world) {
    await world.condition.hold(async () => {
      world.log("notified", await world.condition.wait());
    });
  },

  async cond_notify(world, count) {
    await world.condition.hold(async () => world.condition.notify(count));
  },

  async get(world) {
    world.log("item", await world.queue.get());
  },
};
