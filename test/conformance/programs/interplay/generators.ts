/** The ops that may wait, as generator functions. @module */

import * as asyncio from "asyncio-ts";
import type { WaitingOps } from "../kit/generators.ts";
import { commonOps, coroutine, runBlock } from "../kit/generators.ts";
import type { Interpreter } from "../kit/run.ts";
import { namesOf } from "../kit/world.ts";
import { instantOps } from "./instant-ops.ts";
import { knownDifferences } from "./known-differences.ts";
import type { Arguments } from "./language.ts";
import { World } from "./world.ts";

const waitingOps: WaitingOps<Arguments, World> = {
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

  *wait_for_call(world, name, timeout) {
    world.log("waited for", yield* asyncio.waitFor(coroutine(world, world.block(name)), timeout));
  },

  *deadline(world, name, delay, ops) {
    let deadline: asyncio.Timeout | null = null;
    yield* asyncio.timeout(delay, function* (entered) {
      deadline = entered;
      world.deadlines.set(name, entered);
      yield* runBlock(world, ops);
    });
    world.log("left", name, deadline!.expired());
  },

  *group(world, name, ops) {
    yield* asyncio.taskGroup(function* (group) {
      world.groups.set(name, group);
      yield* runBlock(world, ops);
    });
    world.log("left", name);
  },
};

const ops = { instant: instantOps, waiting: { ...commonOps, ...waitingOps }, coroutine };

/** Interprets programs with generator functions. */
export const generators: Interpreter = {
  syntax: "generators",
  knownDifferences,
  makeWorld: (program, host) => new World(program, ops, host),
};
