/** Opening a simulated TCP connection. @module */

import type { CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import type { Future } from "../../core/kernel/futures.ts";
import type { SocketAddress } from "../../core/network/contracts.ts";
import { systemError } from "./errors.ts";
import type { Link } from "./link.ts";
import type { Stack } from "./stack.ts";
import { LOOPBACK } from "./stack.ts";
import { StreamEnd } from "./stream-end.ts";
import type { Happening } from "./timetable.ts";

/** When the first packet is sent again, if no answer comes: after a second, and after twice as long each time. */
const FIRST_RETRY = 1;

/** How often, before a system gives up: after 127 seconds, as Linux does. */
const MOST_RETRIES = 6;

/**
 * A connection from `stack` to `remote`. Cancelled, it is closed.
 *
 * @throws {Error} `ECONNREFUSED` if nobody listens there, `ETIMEDOUT` if no answer comes, `EHOSTUNREACH` if there is no such
 * host.
 */
export function* dial(
  stack: Stack,
  remote: SocketAddress,
  localAddr: { readonly host?: string; readonly port?: number } = {},
): CoroutineGenerator<StreamEnd> {
  const local: SocketAddress = {
    host: stack.localFor(remote.host, localAddr.host),
    port: localAddr.port ?? stack.acceptors.takeFreePort(),
    family: 4,
  };
  const { fabric } = stack;
  const there = fabric.linkBetween(local.host, remote.host);
  const back = fabric.linkBetween(remote.host, local.host);
  if (there === null || back === null) {
    throw systemError("EHOSTUNREACH", "connect", `${remote.host}:${remote.port}`, { address: remote.host });
  }
  const call = new Call(stack, local, remote, there, back);
  try {
    call.send(0);
    return yield* call.answer;
  } catch (error) {
    call.hangUp();
    throw error;
  }
}

/** A connection that is not there yet. */
class Call {
  readonly answer: Future<StreamEnd>;
  readonly #stack: Stack;
  readonly #local: SocketAddress;
  readonly #remote: SocketAddress;
  readonly #there: Link;
  readonly #back: Link;
  #retry: Happening | null = null;
  #hasHungUp: boolean = false;
  /** One of the packets has come to an answer: those that were sent beside it do not count. */
  #isAnswered: boolean = false;

  constructor(stack: Stack, local: SocketAddress, remote: SocketAddress, there: Link, back: Link) {
    this.answer = stack.loop.createFuture<StreamEnd>();
    this.#stack = stack;
    this.#local = local;
    this.#remote = remote;
    this.#there = there;
    this.#back = back;
  }

  /** Sends the first packet; `tries` of them were lost before. */
  send(tries: number): void {
    const { timetable } = this.#stack.fabric;
    const isLost = this.#there.drawLoss();
    timetable.after(this.#there.drawLatency(), this.#there.name, () => {
      if (!isLost && !this.#there.isCut) this.#arrive();
    });
    this.#retry = timetable.after(FIRST_RETRY * 2 ** tries, this.#there.name, () => {
      if (tries < MOST_RETRIES) this.send(tries + 1);
      else this.#fail("ETIMEDOUT");
    });
  }

  hangUp(): void {
    this.#hasHungUp = true;
    this.#retry?.cancel();
    const { answer } = this;
    answer.logTraceback = false;
    // The answer may have come at the same instant.
    if (answer.done() && !answer.cancelled() && answer.exception() === null) answer.result().reset();
  }

  #arrive(): void {
    if (this.#isAnswered || this.#hasHungUp || !this.#stack.isUp) return;
    if (this.#back.isCut || this.#back.drawLoss()) return;
    const { host, port } = this.#remote;
    const stack = host === LOOPBACK ? this.#stack : this.#stack.fabric.stackAt(host);
    if (stack === null) return;
    const acceptor = stack.acceptors.at(host, port);
    // A full backlog drops the packet, and the client sends it again.
    if (acceptor !== null && !acceptor.hasRoom) return;
    this.#isAnswered = true;
    this.#retry?.cancel();
    if (acceptor === null) {
      this.#answerWith(() => this.#fail("ECONNREFUSED"));
      return;
    }
    const [near, far] = StreamEnd.pair([this.#stack, this.#local], [stack, this.#remote], this.#there, this.#back);
    acceptor.accept(far);
    this.#answerWith(() => {
      if (this.#hasHungUp || this.answer.done()) near.reset();
      else this.answer.setResult(near);
    });
  }

  #answerWith(happen: () => void): void {
    this.#stack.fabric.timetable.after(this.#back.drawLatency(), this.#back.name, happen);
  }

  #fail(code: string): void {
    if (this.#hasHungUp || this.answer.done() || !this.#stack.isUp) return;
    const { host, port } = this.#remote;
    this.answer.setException(systemError(code, "connect", `${host}:${port}`, { address: host, port }));
  }
}
