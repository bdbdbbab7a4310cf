/** An async generator as a channel, so that it ends where its reader does. @module */

import { taskGroup } from "../../core/coordination/taskgroups.ts";
import { callBody } from "../../core/kernel/async-functions.ts";
import type { Body, Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import { BrokenChannelError } from "../base/errors.ts";
import type { Items } from "../base/sources.ts";
import { sourceOf } from "../base/sources.ts";
import type { ChannelReceiver, ChannelSender } from "./channel.ts";
import { openChannel } from "./channel.ts";

/**
 * Runs `body` with the items of an async generator, which runs beside it as a task of its own. When the body ends, however it
 * ends, the generator is cancelled where it waits, and **has cleaned up** when this returns. An error of the generator cancels
 * the body.
 *
 * A generator that is left in the middle of a `for await` cleans up in time too; one that is read by several, kept in a variable,
 * or read with a deadline around each item, may do so never, or in the middle of somebody else's work.
 *
 * ```ts
 * async function* ticks() {
 *   try {
 *     for (let i = 0; ; i++) {
 *       await asyncio.sleep(0.001);
 *       yield i;
 *     }
 *   } finally {
 *     await asyncio.sleep(0.001); // awaited before asSafeChannel returns
 *   }
 * }
 * await asyncio.run(async () => {
 *   const first = await asSafeChannel(ticks(), async (items) => await items.receive());
 *   assert.equal(first, 0);
 * });
 * ```
 *
 * The next item is asked for when the one before has been received. trio: `trio.as_safe_channel`.
 *
 * @throws {ExceptionGroup} with what the body or the generator throws, as a task group does.
 */
export function asSafeChannel<T, R>(
  items: Items<T>,
  body: (items: ChannelReceiver<T>) => ReturnType<Body<R>>,
): Coroutine<R> {
  return new GeneratorCoroutine(bridging(items, body), "asSafeChannel");
}

function* bridging<T, R>(
  items: Items<T>,
  body: (items: ChannelReceiver<T>) => ReturnType<Body<R>>,
): CoroutineGenerator<R> {
  return yield* bridge((sender) => pumping(items, sender), body);
}

function* pumping<T>(items: Items<T>, sender: ChannelSender<T>): CoroutineGenerator<void> {
  const source = sourceOf(items);
  try {
    for (let step = yield* source.next(); step.done !== true; step = yield* source.next()) {
      yield* sender.send(step.value);
    }
  } finally {
    yield* source.close();
  }
}

/** Runs `feed` in a task beside `body`, which gets what it sends. It is cancelled, and waited for, when the body has ended. */
export function* bridge<T, R>(
  feed: (sender: ChannelSender<T>) => CoroutineGenerator<void>,
  body: (items: ChannelReceiver<T>) => ReturnType<Body<R>>,
): CoroutineGenerator<R> {
  const [sender, receiver] = openChannel<T>(0);
  return yield* taskGroup(function* (group) {
    const feeder = group.createTask(() => feedUntilBroken(feed, sender));
    try {
      return yield* callBody(() => body(receiver));
    } finally {
      receiver.close();
      feeder.cancel();
    }
  });
}

/** A body that has taken enough closes the channel: that is no failure. */
function* feedUntilBroken<T>(
  feed: (sender: ChannelSender<T>) => CoroutineGenerator<void>,
  sender: ChannelSender<T>,
): CoroutineGenerator<void> {
  try {
    yield* feed(sender);
  } catch (error) {
    if (!(error instanceof BrokenChannelError)) throw error;
  } finally {
    sender.close();
  }
}
