/** Which of several addresses a connection is made to: asyncio's rules, for a network of any kind. @module */

import { exceptionGroup } from "../base/exception-groups.ts";
import { CancelledError, TimeoutError } from "../base/exceptions.ts";
import type { Duration } from "../base/duration.ts";
import type { RaceResult } from "../coordination/staggered.ts";
import { staggeredRace } from "../coordination/staggered.ts";
import type { CoroutineGenerator } from "../kernel/coroutines.ts";
import type { SocketAddress } from "./contracts.ts";
import type { ConnectionOptions } from "./network-loop.ts";

/** Makes one connection, to one address. */
type Attempt<C> = (address: SocketAddress) => CoroutineGenerator<C>;

/** What a connection must be capable of when another one was quicker. */
interface Destroyable {
  destroy(): void;
}

/**
 * The first connection that `attempt` makes to one of `addresses`: one after the other, or side by side with
 * `happyEyeballsDelay`.
 *
 * @throws what the attempts failed with: one error as it is; the first if all have the same text; else one with all texts.
 */
export function* connectFirst<C extends Destroyable>(
  resolved: readonly SocketAddress[],
  options: Pick<ConnectionOptions, "happyEyeballsDelay" | "interleave" | "allErrors">,
  attempt: Attempt<C>,
): CoroutineGenerator<C> {
  const { happyEyeballsDelay } = options;
  const first = options.interleave ?? (happyEyeballsDelay === undefined ? 0 : 1);
  const addresses = first > 0 ? interleave(resolved, first) : resolved;
  const errors: unknown[] = [];
  if (happyEyeballsDelay === undefined) {
    for (const address of addresses) {
      try {
        return yield* attempt(address);
      } catch (error) {
        if (error instanceof CancelledError) throw error;
        errors.push(error);
      }
    }
  } else {
    const { winner, exceptions } = yield* race(addresses, happyEyeballsDelay, attempt);
    if (winner !== undefined) return winner;
    errors.push(...exceptions);
  }
  throw whatFailed(errors, options.allErrors === true);
}

/** Tries the addresses side by side, each `delay` after the one before. At most one connection is left at the end. */
function* race<C extends Destroyable>(
  addresses: readonly SocketAddress[],
  delay: Duration,
  attempt: Attempt<C>,
): CoroutineGenerator<RaceResult<C>> {
  const connected = new Set<C>();
  const attempts = addresses.map(
    (address) =>
      function* attemptOne(): CoroutineGenerator<C> {
        const channel = yield* attempt(address);
        connected.add(channel);
        return channel;
      },
  );
  try {
    const result = yield* staggeredRace(attempts, delay);
    if (result.winner !== undefined) connected.delete(result.winner);
    return result;
  } finally {
    for (const channel of connected) channel.destroy();
  }
}

/** The addresses with the families in turn, `first` of the first family before the others begin: RFC 8305. */
function interleave(addresses: readonly SocketAddress[], first: number): SocketAddress[] {
  const families = [...new Set(addresses.map((address) => address.family))];
  const lines = families.map((family) => addresses.filter((address) => address.family === family));
  const ordered = lines[0]?.splice(0, first - 1) ?? [];
  while (lines.some((line) => line.length > 0)) {
    for (const line of lines) ordered.push(...line.splice(0, 1));
  }
  return ordered;
}

function whatFailed(errors: readonly unknown[], all: boolean): unknown {
  if (errors.length === 0) return new TimeoutError("create_connection failed");
  if (all) return exceptionGroup("createConnection failed", errors);
  const texts = errors.map(String);
  if (texts.every((text) => text === texts[0])) return errors[0];
  const messages = errors.map((error) => (error instanceof Error ? error.message : String(error)));
  const { code } = errors[0] as { readonly code?: unknown };
  return Object.assign(new Error(`Multiple exceptions: ${messages.join(", ")}`, { cause: errors[0] }), { code });
}
