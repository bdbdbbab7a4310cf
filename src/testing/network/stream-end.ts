/**
 * One end of a simulated TCP connection.
 *
 * ```text
 *   write ──► unsent ──window──► lane ──latency, loss, cuts──► the other end ──► unread, while it is paused ──► transport
 * ```
 *
 * What travels are segments: bytes, the end of the bytes, or a reset. A {@link Lane} carries them in order; what is lost on
 * the way is sent again, later and later, until patience ends. An end knows what its system would: that a peer has crashed
 * it learns only when it sends something.
 *
 * @module
 */

import { ConnectionResetError } from "../../core/base/exceptions.ts";
import { Deque } from "../../core/base/deque.ts";
import type { ByteChannel, ByteChannelClient } from "../../core/network/byte-channels.ts";
import { copyToMemory } from "../../core/network/bytes.ts";
import type { SocketAddress } from "../../core/network/contracts.ts";
import { ByteBuffer } from "../../core/network/streams/byte-buffer.ts";
import { systemError } from "./errors.ts";
import type { Link } from "./link.ts";
import type { Connection, Stack } from "./stack.ts";
import type { Happening } from "./timetable.ts";

/** How many bytes may be sent and not read, in one direction. */
const WINDOW = 64 * 1024;

/** When a segment is sent again: after this many seconds, and after twice as many each time. */
const FIRST_RETRY = 0.2;
const LONGEST_RETRY = 120;

/** Bytes, the end of the bytes, or the end of the connection. */
type Segment = Uint8Array | "end" | "reset";

/** Segments on their way, in order. */
class Lane {
  readonly #link: Link;
  readonly #back: Link;
  readonly #sender: StreamEnd;
  readonly #receiver: StreamEnd;
  readonly #segments: Deque<{ readonly segment: Segment; readonly due: number }> = new Deque();
  /** When the last of them arrives, if it is not sent again. */
  #last: number = 0;
  #next: Happening | null = null;
  #tries: number = 0;
  /** Since when the other end has not answered; `null` while it does. */
  #silentSince: number | null = null;
  /** Bytes that arrived, of which the answer was lost. */
  #unanswered: number = 0;
  #answer: Happening | null = null;

  constructor(sender: StreamEnd, receiver: StreamEnd, link: Link, back: Link) {
    this.#sender = sender;
    this.#receiver = receiver;
    this.#link = link;
    this.#back = back;
  }

  carry(segment: Segment): void {
    const { timetable } = this.#sender.stack.fabric;
    let delay = this.#link.drawLatency();
    for (let retry = FIRST_RETRY; retry < LONGEST_RETRY && this.#link.drawLoss(); retry *= 2) delay += retry;
    this.#last = Math.max(this.#last, timetable.now + delay);
    this.#segments.push({ segment, due: this.#last });
    if (this.#segments.size === 1) this.#expect(this.#last);
  }

  /** Nothing is carried any more. */
  stop(): void {
    this.#segments.clear();
    this.#next?.cancel();
    this.#answer?.cancel();
  }

  #expect(when: number): void {
    const { timetable } = this.#sender.stack.fabric;
    if (timetable.isOver) return;
    this.#next = timetable.at(Math.max(when, timetable.now), this.#link.name, () => this.#arrive());
  }

  #arrive(): void {
    this.#next = null;
    const [first] = this.#segments;
    if (first === undefined) return;
    const { segment } = first;
    const { timetable } = this.#sender.stack.fabric;
    const isLost = this.#link.isCut || !this.#receiver.isReachable;
    if (isLost && segment !== "reset") {
      this.#silentSince ??= timetable.now;
      if (this.#isPatient()) this.#expect(timetable.now + retryTime(this.#tries++));
      else this.#sender.broke(this.#timedOut());
      return;
    }
    this.#tries = 0;
    this.#segments.shift();
    const [next] = this.#segments;
    if (next !== undefined) this.#expect(next.due);
    if (!isLost) this.#receiver.arrived(segment);
    this.#answered(segment instanceof Uint8Array ? segment.length : 0);
  }

  /** The other end has `count` more bytes, and says so, if the way back is open. */
  #answered(count: number): void {
    this.#unanswered += count;
    if (this.#back.isCut) {
      this.#silentSince ??= this.#sender.stack.fabric.timetable.now;
      this.#answer ??= this.#awaitAnswer(0);
      return;
    }
    this.#silentSince = null;
    this.#answer?.cancel();
    this.#answer = null;
    const all = this.#unanswered;
    this.#unanswered = 0;
    if (all > 0) this.#sender.answered(all);
  }

  #awaitAnswer(tries: number): Happening {
    return this.#sender.stack.fabric.timetable.after(retryTime(tries), this.#back.name, () => {
      this.#answer = null;
      if (!this.#isPatient()) this.#sender.broke(this.#timedOut());
      else if (this.#back.isCut) this.#answer = this.#awaitAnswer(tries + 1);
      else this.#answered(0);
    });
  }

  #isPatient(): boolean {
    const { timetable, patience } = this.#sender.stack.fabric;
    return this.#silentSince === null || timetable.now - this.#silentSince < patience;
  }

  #timedOut(): Error {
    const { host, port } = this.#sender.remote;
    return systemError("ETIMEDOUT", "read", `${host}:${port}`);
  }
}

function retryTime(tries: number): number {
  return Math.min(FIRST_RETRY * 2 ** tries, LONGEST_RETRY);
}

/** What connects one end to the other. */
interface Wiring {
  readonly peer: StreamEnd;
  /** The way there. */
  readonly lane: Lane;
  /** The way from the other end. */
  readonly incoming: Link;
}

export class StreamEnd implements ByteChannel, Connection {
  readonly stack: Stack;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  /** Set when both ends are made. */
  #wiring: Wiring | null = null;
  #client: ByteChannelClient | null = null;
  readonly #unsent: ByteBuffer = new ByteBuffer();
  /** Bytes that were sent and not answered. */
  #inFlight: number = 0;
  /** What has arrived while the transport did not read, in order. */
  readonly #arrived: Deque<Segment> = new Deque();
  #unread: number = 0;
  #isPaused: boolean = true;
  /** Whether what is written has an end, and whether that was sent. */
  #end: "none" | "asked" | "sent" = "none";
  /**
   * - `open`: bytes go both ways.
   * - `closed`: by its own program; what was sent goes on its way, and what comes is refused.
   * - `gone`: nothing is sent or received any more.
   */
  #state: "open" | "closed" | "gone" = "open";
  #failure: { readonly error: unknown } | null = null;

  /** Two ends of one connection, from the stack of the client to that of the server. */
  static pair(
    [near, local]: readonly [Stack, SocketAddress],
    [far, remote]: readonly [Stack, SocketAddress],
    there: Link,
    back: Link,
  ): [StreamEnd, StreamEnd] {
    const client = new StreamEnd(near, local, remote);
    const server = new StreamEnd(far, remote, local);
    client.#connect(server, there, back);
    server.#connect(client, back, there);
    return [client, server];
  }

  private constructor(stack: Stack, local: SocketAddress, remote: SocketAddress) {
    this.stack = stack;
    this.local = local;
    this.remote = remote;
    stack.connections.add(this);
  }

  #connect(peer: StreamEnd, there: Link, back: Link): void {
    this.#wiring = { peer, lane: new Lane(this, peer, there, back), incoming: back };
  }

  get #wired(): Wiring {
    return this.#wiring!;
  }

  // --- what the transport calls

  open(client: ByteChannelClient): void {
    this.#client = client;
    if (this.#failure === null) this.resume();
    else client.failed(this.#failure.error);
  }

  getExtraInfo(name: string): unknown {
    return { peername: this.remote, sockname: this.local }[name];
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#arrived.size > 0 && !this.stack.loop.isClosed()) this.stack.loop.callSoon(() => this.#deliver());
  }

  write(pieces: readonly Uint8Array[]): void {
    if (this.#state !== "open") return;
    for (const piece of pieces) this.#unsent.add(copyToMemory(piece));
    this.#send();
  }

  get pending(): number {
    return this.#unsent.size;
  }

  get canWriteEof(): boolean {
    return true;
  }

  writeEof(): void {
    if (this.#end === "none") this.#end = "asked";
    this.#send();
  }

  /** As a system does it: the end follows what was sent, and a reset if something was not sent or not read. */
  destroy(): void {
    if (this.#state !== "open") return;
    const isClean = this.#unsent.size === 0 && this.#unread === 0;
    this.#client = null;
    this.#state = "closed";
    if (isClean) {
      this.writeEof();
    } else {
      this.#wired.lane.carry("reset");
      this.#leave();
    }
  }

  // --- what the network calls

  /** Whether what is sent here gets an answer: its machine runs, be it with another program by now. */
  get isReachable(): boolean {
    return this.stack.isUp || this.stack.fabric.stackAt(this.stack.address) !== null;
  }

  arrived(segment: Segment): void {
    if (segment === "reset") {
      this.broke(new ConnectionResetError("read ECONNRESET: connection reset by peer"));
    } else if (!this.stack.isUp || this.#state === "gone" || (this.#state === "closed" && segment !== "end")) {
      // A system that knows no such connection says so.
      this.#wired.peer.#refused();
    } else if (segment === "end") {
      this.#arrived.push(segment);
      this.#deliver();
      if (this.#state === "closed" && this.#end === "sent") this.#leave();
    } else {
      for (const piece of this.#piecesOf(segment)) this.#arrived.push(piece);
      this.#unread += segment.length;
      this.#deliver();
    }
  }

  /** A segment of this end met no connection: the answer is a reset. */
  #refused(): void {
    const back = this.#wired.incoming;
    if (back.isCut) return;
    this.stack.fabric.timetable.after(back.drawLatency(), back.name, () => this.arrived("reset"));
  }

  #piecesOf(bytes: Uint8Array): Uint8Array[] {
    if (bytes.length < 2 || !this.#wired.incoming.drawFragment()) return [bytes];
    const middle = bytes.length >> 1;
    return [bytes.subarray(0, middle), bytes.subarray(middle)];
  }

  /** The other end has `count` bytes more. */
  answered(count: number): void {
    this.#inFlight -= count;
    this.#sendMore();
  }

  /** The connection is lost. */
  broke(error: unknown): void {
    if (this.#state === "gone") return;
    const wasOpen = this.#state === "open";
    this.#leave();
    this.#wired.lane.stop();
    this.#unsent.clear();
    if (!wasOpen) return;
    this.#failure = { error };
    this.#client?.failed(error);
  }

  interrupt(peer: string): void {
    if (this.remote.host === peer) this.broke(new ConnectionResetError("read ECONNRESET: connection reset"));
  }

  vanish(): void {
    this.#client = null;
    this.#leave();
    this.#wired.lane.stop();
  }

  reset(): void {
    if (this.#state !== "gone") this.#wired.lane.carry("reset");
    this.#client = null;
    this.#leave();
  }

  // --- sending and receiving

  #send(): void {
    if (this.#state === "gone") return;
    const room = WINDOW - this.#inFlight - this.#wired.peer.#unread;
    const count = Math.min(room, this.#unsent.size);
    if (count > 0) {
      this.#inFlight += count;
      this.#wired.lane.carry(this.#unsent.take(count));
    }
    if (this.#end !== "asked" || this.#unsent.size > 0) return;
    this.#end = "sent";
    this.#wired.lane.carry("end");
  }

  /** There may be room for more. */
  #sendMore(): void {
    const before = this.#unsent.size;
    this.#send();
    if (this.#unsent.size < before) this.#client?.flushed();
  }

  #deliver(): void {
    while (this.#arrived.size > 0 && !this.#isPaused && this.#client !== null) {
      const segment = this.#arrived.shift()!;
      if (segment instanceof Uint8Array) {
        this.#unread -= segment.length;
        this.#client.received(segment);
      } else {
        this.#client.ended();
      }
    }
    if (this.#wired.peer.#unsent.size > 0) this.#wired.peer.#sendMore();
  }

  #leave(): void {
    this.#state = "gone";
    this.stack.connections.delete(this);
  }
}
