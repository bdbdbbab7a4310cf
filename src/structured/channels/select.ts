/** Whichever of several channels is ready first. @module */

import type { Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import { checkpoint } from "../base/checkpoint.ts";
import type { ChannelOperation } from "./channel.ts";

/** Which operation of a {@link select} was done, and what came of it. */
export interface Selected<T> {
  readonly index: number;
  readonly value: T;
}

/** What a list of operations may give. */
type ValueOf<O extends readonly ChannelOperation<unknown>[]> = O[number] extends ChannelOperation<infer T> ? T : never;

/**
 * Waits until one of `operations` can be done, and does it: exactly that one, the first of the list if several can. Cancelled,
 * it has done none.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   const [commands, inbox] = openChannel<string>(1);
 *   const [, stop] = openChannel<null>(1);
 *   await commands.send("go");
 *   const { index, value } = await select(inbox.receive(), stop.receive());
 *   assert.deepEqual([index, value], [0, "go"]);
 * });
 * ```
 *
 * @throws what the operation throws that could not be done any more, such as {@link EndOfChannelError}.
 */
export function select<const O extends readonly ChannelOperation<unknown>[]>(
  ...operations: O
): Coroutine<Selected<ValueOf<O>>> {
  if (operations.length === 0) throw new RangeError("select: there must be an operation to wait for");
  return new GeneratorCoroutine(selecting(operations) as CoroutineGenerator<Selected<ValueOf<O>>>, "select");
}

function* selecting(operations: readonly ChannelOperation<unknown>[]): CoroutineGenerator<Selected<unknown>> {
  // They are done here, in parts, and not by themselves.
  for (const operation of operations) operation.close();
  yield* checkpoint();
  const ready = operations.findIndex(({ _end: end }) => end._isReady());
  if (ready !== -1) return { index: ready, value: operations[ready]!._perform() };
  const done = operations[0]!._end._makeFuture();
  const tickets = operations.map(({ _end: end, name }) => ({ end, ticket: end._join(done, `${name}()`) }));
  let chosen = -1;
  try {
    yield* done;
    chosen = tickets.findIndex(({ ticket }) => ticket.state === "granted");
  } finally {
    tickets.forEach(({ end, ticket }, i) => end._leave(ticket, i === chosen));
  }
  return { index: chosen, value: operations[chosen]!._perform() };
}
