/** Names and addresses of the internet. @module */

import { lookup, lookupService } from "node:dns/promises";
import { isIP } from "node:net";
import type { Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import type { AbstractEventLoop } from "../../core/kernel/events.ts";
import { repr } from "../../core/base/format.ts";
import type { Future } from "../../core/kernel/futures.ts";
import { fromPromise } from "../../core/kernel/promises.ts";
import type { SocketAddress } from "../../core/network/contracts.ts";
import { toPort } from "../../core/network/ports.ts";

/** Options of {@link getaddrinfo}. */
export interface AddressOptions {
  /** Only addresses of IPv4 or of IPv6; both by default. */
  readonly family?: 0 | 4 | 6;
}

/** A loop that finds the addresses of names. A subclass may find them elsewhere than in the system's resolver. */
export interface ResolvingLoop extends AbstractEventLoop {
  getaddrinfo(host: string | null, port: number | string, options?: AddressOptions): Coroutine<SocketAddress[]>;
}

/** The longest name that DNS allows; some resolvers cut a longer one, and would ask for another name. */
const LONGEST_NAME = 253;

/**
 * The addresses of `host`, in the order in which to try them. `null` is this machine itself.
 *
 * @throws what the system's resolver says, such as `ENOTFOUND`.
 *
 * CPython: `loop.getaddrinfo`.
 */
export function getaddrinfo(
  host: string | null,
  port: number | string,
  options: AddressOptions = {},
): Coroutine<SocketAddress[]> {
  return new GeneratorCoroutine(resolve(host, port, options, ["127.0.0.1", "::1"]), "getaddrinfo");
}

/** The name of the machine and of the service at `address`. CPython: `loop.getnameinfo`. */
export function getnameinfo(address: { readonly host: string; readonly port: number }): Coroutine<[string, string]> {
  return new GeneratorCoroutine(nameOf(address), "getnameinfo");
}

function* nameOf({
  host,
  port,
}: {
  readonly host: string;
  readonly port: number;
}): CoroutineGenerator<[string, string]> {
  const { hostname, service } = yield* unlessCancelled(() => lookupService(host, toPort(port)));
  return [hostname, service];
}

/** @param unnamed the addresses that an empty host stands for. */
function* resolve(
  host: string | null,
  port: number | string,
  options: AddressOptions,
  unnamed: readonly string[],
): CoroutineGenerator<SocketAddress[]> {
  const number = toPort(port);
  const family = options.family ?? 0;
  const ofFamily = (address: SocketAddress): boolean => family === 0 || address.family === family;
  const addresses = (yield* lookUp(host, family, unnamed)).map((one) => addressOf(one, number)!).filter(ofFamily);
  return atLeastOne(addresses, host, family);
}

/** {@link resolve}, where the loop is asked for the addresses of a name. */
export function* resolveBy(
  loop: ResolvingLoop,
  host: string | null,
  port: number | string,
  { family = 0 }: AddressOptions,
  unnamed: readonly string[],
): CoroutineGenerator<SocketAddress[]> {
  if (host === null || host === "" || isIP(host) !== 0) return yield* resolve(host, port, { family }, unnamed);
  return atLeastOne(yield* loop.getaddrinfo(host, port, { family }), host, family);
}

function atLeastOne(addresses: SocketAddress[], host: string | null, family: 0 | 4 | 6): SocketAddress[] {
  if (addresses.length > 0) return addresses;
  const message = `getaddrinfo() returned empty list: ${repr(host)} has no address of family ${family}`;
  throw Object.assign(new Error(message), { code: "ENOTFOUND", syscall: "getaddrinfo", hostname: host });
}

function* lookUp(
  host: string | null,
  family: 0 | 4 | 6,
  unnamed: readonly string[],
): CoroutineGenerator<readonly string[]> {
  if (host === null || host === "") return unnamed;
  checkHost(host);
  if (isIP(host) !== 0) return [host];
  const found = yield* unlessCancelled(() => lookup(host, { all: true, family, verbatim: true }));
  return found.map(({ address }) => address);
}

/** The result of a look-up. The system cannot stop one that is cancelled: it goes on, and its error is dropped. */
function unlessCancelled<T>(lookUpNow: () => Promise<T>): Future<T> {
  return fromPromise((signal) =>
    lookUpNow().catch((error: unknown) => {
      throw signal.aborted ? signal.reason : error;
    }),
  );
}

/** An address from Node's two values for it; `null` if the socket is not connected. */
export function addressOf(host: string | undefined, port: number | undefined): SocketAddress | null {
  if (host === undefined || port === undefined) return null;
  return { host, port, family: isIP(host) === 6 ? 6 : 4 };
}

function checkHost(host: string): void {
  if (typeof host !== "string") throw new TypeError(`host: expected a name or an address, received ${repr(host)}`);
  if (host.length > LONGEST_NAME)
    throw new RangeError(`host: a name has at most ${LONGEST_NAME} characters, received ${host.length}`);
  // oxlint-disable-next-line no-control-regex -- a resolver written in C would end the name at a zero
  if (/[\u0000-\u0020\u007f]/.test(host))
    throw new RangeError(`host: no name has such characters: received ${repr(host)}`);
}
