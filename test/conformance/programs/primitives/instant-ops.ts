/** The ops that never wait; they are the same in both syntaxes. @module */

import type { InstantOps } from "../kit/instant-ops.ts";
import { commonInstantOps } from "../kit/instant-ops.ts";
import { UserError } from "../kit/show.ts";
import { nameOf } from "../kit/world.ts";
import type { Arguments } from "./language.ts";
import type { World } from "./world.ts";

/** CPython raises a ValueError where JavaScript has RangeError. */
const VALUE_ERROR = Object.assign(new RangeError("task_done() called too many times"), { name: "ValueError" });

export const instantOps: InstantOps<Arguments, World> = {
  ...commonInstantOps,

  // --- tasks
  spawn: (world, slot, name) => {
    world.slots.set(slot, world.start(world.coroutine(name), slot));
    world.log("spawned", slot);
  },
  cancel: (world, slot, message) => {
    const task = world.slots.get(slot);
    if (task !== undefined) world.log("cancel", slot, task.cancel(message));
  },
  cancel_self: (world, message) => world.log("cancel self", world.current.cancel(message)),
  uncancel: (world) => world.log("uncancel", world.current.uncancel()),
  cancelling: (world) => world.log("cancelling", world.current.cancelling()),
  state: (world, slot) => {
    const task = world.slots.get(slot);
    if (task === undefined) return;
    const [done, cancelled] = [task.done() ? "done" : "pending", task.cancelled() ? "cancelled" : "-"];
    world.log("state", slot, done, cancelled, task.cancelling());
  },
  callback: (world, slot, word) => {
    world.slots.get(slot)?.addDoneCallback((task) => world.log("callback", word, nameOf(task)));
  },

  // --- loop
  call_soon: (world, word) => void world.loop.callSoon(() => world.log("soon", word)),
  call_later: (world, delay, word) => void world.loop.callLater(delay, () => world.log("later", word)),

  // --- futures
  fut_set: (world, index, value) => {
    const future = world.future(index);
    if (!future.done()) future.setResult(value);
  },
  fut_raise: (world, index, message) => {
    const future = world.future(index);
    if (future.done()) return;
    future.setException(new UserError(message));
    future.exception();
  },
  fut_cancel: (world, index) => world.log("cancel future", index, world.future(index).cancel()),

  // --- synchronisation
  event_set: (world, index) => world.event(index).set(),
  event_clear: (world, index) => world.event(index).clear(),

  // --- queues
  put_nowait: (world, index, value) => {
    try {
      world.queue(index).putNowait(value);
      world.log("put", index, value);
    } catch (error) {
      world.log("put", index, error);
    }
  },
  get_nowait: (world, index) => {
    try {
      world.log("got", index, world.queue(index).getNowait());
    } catch (error) {
      world.log("got", index, error);
    }
  },
  task_done: (world, index) => {
    try {
      world.queue(index).taskDone();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      world.log("task_done", VALUE_ERROR);
    }
  },
  shutdown: (world, index, immediate) => world.queue(index).shutdown({ immediate }),
};
