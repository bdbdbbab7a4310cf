/** The ops that may wait, as generator functions. @module */

import * as asyncio from "asyncio-ts";
import type { Steps, WaitingOps } from "../kit/generators.ts";
import { runBlock } from "../kit/generators.ts";
import { UserError } from "../kit/show.ts";
import { namesOf } from "../kit/world.ts";
import type { Arguments } from "./language.ts";
import type { World } from "./world.ts";

/** Those of the language `interplay`. */
export const waitingOps: WaitingOps<Arguments, World> = {
  *await(world, slot) {
    const target = world.awaitable(slot);
    if (target !== null) world.log("got", slot, yield* target);
  },

  *await_gather(world, slots, returnExceptions) {
    world.log("gathered", yield* asyncio.gather(world.targets(slots), { returnExceptions }));
  },

  *await_shield(world, slot) {
    const inner = world.slots.get(slot);
    if (inner === undefined) return;
    const shielded = asyncio.shield(inner);
    if (shielded !== world.current) world.log("shielded", slot, yield* shielded);
  },

  *await_wait_for(world, slot, timeout) {
    const target = world.awaitable(slot);
    if (target !== null) world.log("waited for", slot, yield* asyncio.waitFor(target, timeout));
  },

  *await_wait(world, slots, returnWhen, timeout) {
    const targets = world.targets(slots);
    if (targets.length === 0) return;
    const { done, pending } = yield* asyncio.wait(targets, { timeout, returnWhen });
    world.log("waited", [namesOf(done), namesOf(pending)]);
  },

  *await_as_completed(world, slots, timeout) {
    for (const next of asyncio.asCompleted(new Set(world.targets(slots)), { timeout })) {
      try {
        world.log("completed", yield* next);
      } catch (error) {
        if (!(error instanceof UserError || error instanceof asyncio.TimeoutError)) throw error;
        world.log("completed", error);
      }
    }
  },

  *wait_for_call(world, name, timeout) {
    world.log("waited for", yield* asyncio.waitFor(world.coroutine(name), timeout));
  },

  *deadline(world, name, delay, ops) {
    let deadline: asyncio.Timeout | null = null;
    yield* asyncio.timeout(delay, function* (entered) {
      deadline = entered;
      world.deadlines.set(name, entered);
      world.owners.set(name, world.current);
      yield* runBlock(world, ops);
    });
    world.log("left", name, deadline!.expired());
  },

  *group(world, name, ops) {
    yield* asyncio.taskGroup(function* (group) {
      world.groups.set(name, group);
      world.owners.set(name, world.current);
      yield* runBlock(world, ops);
    });
    world.log("left", name);
  },

  *hold(world, ops) {
    yield* world.lock.hold(function* () {
      yield* runBlock(world, ops);
    });
    world.log("released");
  },

  *cond_wait(world) {
    yield* world.condition.hold(function* () {
      world.log("notified", yield* world.condition.wait());
    });
  },

  *cond_notify(world, count) {
    // oxlint-disable-next-line require-yield
    yield* world.condition.hold(function* (): Steps {
      world.condition.notify(count);
    });
  },

  *get(world) {
    world.log("item", yield* world.queue.get());
  },
};
