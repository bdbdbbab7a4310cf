/** The ops that never wait, and so may stand in a callback; they are the same in both syntaxes. @module */

import * as asyncio from "asyncio-ts";
import type { InstantOps } from "../kit/instant-ops.ts";
import { commonInstantOps } from "../kit/instant-ops.ts";
import type { ReturnWhen, Seconds } from "../kit/program.ts";
import { formatGeneral, UserError } from "../kit/show.ts";
import { namesOf } from "../kit/world.ts";
import type { Arguments, SpawnOptions } from "./language.ts";
import type { World } from "./world.ts";

export const instantOps: InstantOps<Arguments, World> = {
  ...commonInstantOps,

  // --- slots
  future: (world, slot) => {
    const future = world.loop.createFuture<unknown>();
    world.slots.set(slot, future);
    world.futures.add(future);
  },
  set: (world, slot, value) => openFuture(world, slot)?.setResult(value),
  fail: (world, slot, message) => openFuture(world, slot)?.setException(new UserError(message)),

  spawn: (world, slot, name, options) => {
    const task = spawn(world, slot, name, options);
    if (task !== null) world.slots.set(slot, task);
    world.log(task === null ? "refused" : "spawned", slot);
  },
  gather: (world, slot, slots, returnExceptions) => {
    world.slots.set(slot, asyncio.gather(world.targets(slots), { returnExceptions }));
  },
  shield: (world, slot, of) => {
    const target = world.slots.get(of);
    if (target !== undefined) world.slots.set(slot, asyncio.shield(target));
  },
  wait_for: (world, slot, of, timeout) => {
    const target = world.slots.get(of);
    if (target !== undefined) world.slots.set(slot, world.start(asyncio.waitFor(target, timeout), slot));
  },
  wait: (world, slot, slots, when, timeout) => {
    const targets = world.targets(slots);
    if (targets.length > 0) world.slots.set(slot, world.start(waiting(targets, when, timeout), slot));
  },

  cancel: (world, slot, message) => {
    const target = world.target(slot);
    if (target !== null) world.log("cancel", slot, target.cancel(message));
  },
  uncancel: (world, slot) => {
    const task = world.task(slot);
    if (task !== null) world.log("uncancel", slot, task.uncancel());
  },
  cancelling: (world, slot) => {
    const task = world.task(slot);
    if (task !== null) world.log("cancelling", slot, task.cancelling());
  },
  state: (world, slot) => {
    const target = world.target(slot);
    if (target !== null) world.log("state", slot, world.outcomeOf(target));
  },

  // --- callbacks
  soon: (world, handle, ops, context) => {
    world.handles.set(
      handle,
      world.loop.callSoon(contextIn(world, context), () => world.act(ops)),
    );
  },
  at: (world, handle, delay, ops, context) => {
    const when = world.loop.time() + delay;
    world.handles.set(
      handle,
      world.loop.callAt(when, contextIn(world, context), () => world.act(ops)),
    );
  },
  unschedule: (world, handle) => world.handles.get(handle)?.cancel(),
  on_done: (world, slot, callback, ops, context) => {
    const target = world.target(slot);
    if (target === null) return;
    const done = (): void => {
      world.log("done", slot);
      world.act(ops);
    };
    world.callbacks.set(callback, done);
    target.addDoneCallback(done, contextIn(world, context));
  },
  off_done: (world, slot, callback) => {
    const [target, done] = [world.target(slot), world.callbacks.get(callback)];
    if (target !== null && done !== undefined) world.log("removed", target.removeDoneCallback(done));
  },

  // --- deadlines and groups
  cancel_owner: (world, name, message) => {
    const owner = world.owners.get(name);
    if (owner !== undefined) world.log("cancel owner", name, owner.cancel(message));
  },
  reschedule: (world, name, delay) => {
    const deadline = world.deadlines.get(name);
    if (deadline === undefined) return;
    const when = delay === null ? null : world.loop.time() + delay;
    const refused = isRefused(() => deadline.reschedule(when), asyncio.RuntimeError);
    world.log(refused ? "refused" : "rescheduled", name);
  },
  deadline_state: (world, name) => {
    const deadline = world.deadlines.get(name);
    if (deadline === undefined) return;
    const when = deadline.when();
    world.log("deadline", name, when === null ? null : formatGeneral(when), deadline.expired());
  },

  // --- context
  set_var: (world, index, value) => {
    const variable = world.variables[index]!;
    variable.tokens.push(variable.set(value));
  },
  get_var: (world, index) => world.log("variable", index, world.variables[index]!.get(null)),
  reset_var: (world, index) => {
    const variable = world.variables[index]!;
    const token = variable.tokens.pop();
    if (token !== undefined && isRefused(() => variable.reset(token), RangeError)) world.log("refused", index);
  },
  copy_context: (world, name) => void world.contexts.set(name, asyncio.copyContext()),
  run_in: (world, name, ops) => {
    const context = world.contexts.get(name);
    if (context === undefined) return;
    let entered = false;
    const run = (): void => {
      entered = true;
      world.act(ops);
    };
    try {
      context.run(run);
    } catch (error) {
      if (entered) throw error;
      world.log("refused", name);
    }
  },

  put: (world, value) => world.queue.putNowait(value),
};

/** The options that name a context, if the program does and has it. */
function contextIn(world: World, name: string | undefined): { readonly context?: asyncio.Context } {
  const context = name === undefined ? undefined : world.contexts.get(name);
  return context === undefined ? {} : { context };
}

/** The future in `slot`, if it is one that the program may complete and has not. */
function openFuture(world: World, slot: string): asyncio.Future<unknown> | null {
  const future = world.slots.get(slot);
  return future === undefined || !world.futures.has(future) || future.done() ? null : future;
}

/** Starts a task as `options` say; `null` if its group takes none. */
function spawn(world: World, slot: string, name: string, options: SpawnOptions): asyncio.Task<unknown> | null {
  const group = options.group === undefined ? undefined : world.groups.get(options.group);
  const taskOptions = {
    name: slot,
    ...contextIn(world, options.context),
    ...(options.eager === true ? { eagerStart: true } : {}),
  };
  if (group === undefined) return world.start(world.coroutine(name), slot, taskOptions);
  let task: asyncio.Task<unknown> | null = null;
  const create = (): void => void (task = group.createTask(world.coroutine(name), taskOptions));
  if (isRefused(create, asyncio.RuntimeError)) return null;
  world.made.push(task!);
  return task;
}

/** Whether `act` throws an error of that class. */
function isRefused(act: () => void, error: new (message?: string) => Error): boolean {
  try {
    act();
    return false;
  } catch (thrown) {
    if (thrown instanceof error) return true;
    throw thrown;
  }
}

/** The names of what is done and of what is not. */
export function* waiting(
  targets: readonly asyncio.Future<unknown>[],
  returnWhen: ReturnWhen,
  timeout: Seconds,
): asyncio.CoroutineGenerator<readonly [string[], string[]]> {
  const { done, pending } = yield* asyncio.wait(targets, { timeout, returnWhen });
  return [namesOf(done), namesOf(pending)];
}
