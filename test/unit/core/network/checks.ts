/**
 * What every stream must do, whatever moves its bytes: one set of checks, for connections of all kinds.
 *
 * The idea is trio's (`trio.testing.check_two_way_stream` and its like). A check of {@link oneWayChecks} gets the two
 * ends of one direction, one of {@link twoWayChecks} the two ends of a connection. None of them looks at a clock: where
 * something must not happen, the loop turns for a while and it has not happened.
 *
 * @module
 */

import * as asyncio from "asyncio-ts";
import { expect } from "vitest";

const { createTask, sleep } = asyncio;

/** One direction: what is written to `writer` comes to `reader`. */
export interface OneWay {
  readonly writer: asyncio.StreamWriter;
  readonly reader: asyncio.StreamReader;
  /** Closes the receiving end, where that can be done by itself. */
  readonly closeReceiver: (() => void) | null;
  readonly size: Size;
}

/** How much a check may move. */
export interface Size {
  /** More bytes than are ever on their way: when nobody reads, the sender has to wait. */
  readonly clog: number;
  /** What is much for this kind of stream: a megabyte, unless it is a slow one. */
  readonly much: number;
}

/** One end of a connection. */
export interface End {
  readonly reader: asyncio.StreamReader;
  readonly writer: asyncio.StreamWriter;
}

/** Both ends of a connection. */
export interface TwoWay {
  readonly here: End;
  readonly there: End;
  readonly size: Size;
}

export type Check<P> = (pair: P) => Promise<void>;

const EMPTY = new Uint8Array(0);
const PIECE = 64 * 1024;

// --- one direction

/** Bytes, strings and lists of both. */
export async function everythingArrivesInOrder({ writer, reader }: OneWay): Promise<void> {
  writer.write("one,");
  writer.write(bytes("two,"));
  writer.writelines(["three,", bytes("four,")]);
  writer.write("fünf\n");
  await writer.drain();
  expect(text(await reader.readline())).toBe("one,two,three,four,fünf\n");
}

export async function emptyWritesAreNothing({ writer, reader }: OneWay): Promise<void> {
  const reading = createTask(reader.read(100));
  writer.write("");
  writer.write(EMPTY);
  writer.writelines([]);
  writer.writelines(["", EMPTY]);
  await writer.drain();
  await turns();
  expect(reading.done()).toBe(false);
  writer.write("x");
  expect(text(await reading)).toBe("x");
  expect(reader.atEof()).toBe(false);
}

export async function readsOfNothingDoNotWait({ writer, reader }: OneWay): Promise<void> {
  expect((await reader.read(0)).length).toBe(0);
  expect((await reader.readexactly(0)).length).toBe(0);
  const reading = createTask(reader.readexactly(1));
  await turns();
  expect((await reader.read(0)).length).toBe(0);
  writer.write("x");
  expect(text(await reading)).toBe("x");
}

export async function onlyOneMayRead({ writer, reader }: OneWay): Promise<void> {
  const reading = createTask(reader.readline());
  await turns();
  for (const other of [() => reader.read(1), () => reader.readline(), () => reader.readexactly(1)]) {
    expect(await raised(other())).toBeInstanceOf(asyncio.RuntimeError);
  }
  writer.write("for the first\n");
  expect(text(await reading)).toBe("for the first\n");
}

export async function cancelledReadsLoseNothing({ writer, reader }: OneWay): Promise<void> {
  const reads = [
    () => reader.read(10),
    () => reader.readline(),
    () => reader.readexactly(9),
    () => reader.readuntil("!"),
  ];
  for (const read of reads) {
    const reading = createTask(read());
    await turns();
    await cancelled(reading);
  }
  // The end of the line is on its way while who waits for it is cancelled.
  const reading = createTask(reader.readline());
  writer.write("half a ");
  await turns();
  writer.write("line\n");
  reading.cancel();
  const line = text((await settled(reading)) ?? (await reader.readline()));
  expect(line).toBe("half a line\n");
}

export async function cloggedSenderWaits(way: OneWay): Promise<void> {
  const { writer, reader } = way;
  const length = await clogUp(way);
  expect(writer.transport.getWriteBufferSize()).toBeGreaterThan(0);
  const draining = [1, 2, 3].map(() => createTask(writer.drain()));
  await turns();
  expect(draining.map((task) => task.done())).toEqual([false, false, false]);
  await expectPattern(reader, 0, length);
  for (const task of draining) await task;
  await writer.drain();
}

export async function cancelledDrainHoldsNobody(way: OneWay): Promise<void> {
  const { writer, reader } = way;
  const length = await clogUp(way);
  const [impatient, patient] = [createTask(writer.drain()), createTask(writer.drain())];
  await turns();
  await cancelled(impatient);
  await turns();
  expect(patient.done()).toBe(false);
  await expectPattern(reader, 0, length);
  await patient;
}

export async function closingSendsEverything(way: OneWay): Promise<void> {
  const { writer, reader } = way;
  const length = await clogUp(way);
  writer.close();
  expect(writer.isClosing()).toBe(true);
  await expectPattern(reader, 0, length);
  await expectEnd(reader);
  await writer.waitClosed();
}

export async function closingTwiceIsClosingOnce({ writer, reader }: OneWay): Promise<void> {
  writer.write("goodbye");
  writer.close();
  writer.close();
  expect(text(await reader.read())).toBe("goodbye");
  await expectEnd(reader);
  await writer.waitClosed();
  await writer.waitClosed();
  writer.close();
  expect(writer.isClosing()).toBe(true);
}

export async function cancelledWaitClosedClosesAllTheSame(way: OneWay): Promise<void> {
  const { writer, reader } = way;
  const length = await clogUp(way);
  const ending = createTask(async () => {
    await using held = writer;
    await sleep(0);
    expect(held.isClosing()).toBe(false);
  });
  const waiting = createTask(writer.waitClosed());
  const impatient = createTask(writer.waitClosed());
  await turns();
  await cancelled(ending, impatient);
  expect(writer.isClosing()).toBe(true);
  expect(waiting.done()).toBe(false);
  await expectPattern(reader, 0, length);
  await expectEnd(reader);
  await waiting;
}

export async function afterTheCloseNothingIsWritten({ writer, reader }: OneWay): Promise<void> {
  writer.write("before");
  writer.close();
  await writer.waitClosed();
  writer.write("after");
  writer.writelines(["and", "after"]);
  expect(await raised(writer.drain())).toBeInstanceOf(asyncio.ConnectionResetError);
  expect(text(await reader.read())).toBe("before");
}

export async function waitClosedWaitsForTheClose({ writer }: OneWay): Promise<void> {
  const waiting = createTask(writer.waitClosed());
  await turns();
  expect(waiting.done()).toBe(false);
  writer.close();
  await waiting;
}

export async function theEndComesToThoseWhoRead({ writer, reader }: OneWay): Promise<void> {
  const reading = createTask(reader.readexactly(100));
  writer.write("too little");
  await turns();
  writer.close();
  const error = await raised(reading);
  expect(error).toBeInstanceOf(asyncio.IncompleteReadError);
  expect(text((error as asyncio.IncompleteReadError).partial)).toBe("too little");
  await expectEnd(reader);
}

export async function abortingDropsWhatWaits(way: OneWay): Promise<void> {
  const { writer, reader } = way;
  const length = await clogUp(way);
  const draining = createTask(writer.drain());
  await turns();
  writer.transport.abort();
  await settled(draining);
  expect(await raised(writer.drain())).toBeInstanceOf(asyncio.ConnectionResetError);
  await writer.waitClosed();
  const rest = await readToTheEnd(reader);
  expect(rest).toBeLessThan(length);
}

export async function aReceiverThatIsGoneIsAnError({ writer, closeReceiver }: OneWay): Promise<void> {
  if (closeReceiver === null) return;
  closeReceiver();
  expect(await raised(createTask(() => writeForEver(writer)))).toBeInstanceOf(Error);
  expect(await raised(writer.drain())).toBeInstanceOf(Error);
  expect(writer.isClosing()).toBe(true);
}

/** TLS may have taken everything by then, so it is the next bytes that are refused. */
export async function aReceiverThatGoesWakesTheCloggedSender(way: OneWay): Promise<void> {
  const { writer, closeReceiver } = way;
  if (closeReceiver === null) return;
  await clogUp(way);
  const draining = createTask(writer.drain());
  await turns();
  expect(draining.done()).toBe(false);
  closeReceiver();
  await asyncio.wait([draining]);
  if (!draining.cancelled()) draining.exception();
  expect(await raised(createTask(() => writeForEver(writer)))).toBeInstanceOf(Error);
  expect(writer.isClosing()).toBe(true);
}

export async function theEndOfWritingIsTheEndOfReading(way: OneWay): Promise<void> {
  const { writer, reader } = way;
  if (!writer.canWriteEof()) {
    expect(() => writer.writeEof()).toThrow(asyncio.RuntimeError);
    return;
  }
  const length = await clogUp(way);
  writer.writeEof();
  writer.writeEof();
  expect(writer.isClosing()).toBe(false);
  expect(() => writer.write("more")).toThrow(asyncio.RuntimeError);
  expect(() => writer.writelines(["more"])).toThrow(asyncio.RuntimeError);
  await expectPattern(reader, 0, length);
  await expectEnd(reader);
  writer.close();
  await writer.waitClosed();
}

export async function aMegabyteArrives({ writer, reader, size }: OneWay): Promise<void> {
  await Promise.all([
    createTask(() => sendAtRandom(writer, size.much, 1)),
    createTask(() => receiveAtRandom(reader, size.much, 2)),
  ]);
  if (writer.canWriteEof()) writer.writeEof();
  else writer.close();
  await expectEnd(reader);
}

/** What it is about, the check, and what the stream must have for it beside its bytes. */
export type StreamCheck<P> = readonly [name: string, check: Check<P>, needs: Need | null];

/** Ends that are closed one by one; a peer that feels it when the other is gone without a goodbye; ends of two halves. */
export type Need = "two ends" | "an ear" | "halves";

export const oneWayChecks: readonly StreamCheck<OneWay>[] = [
  ["everything that is written arrives, in order", everythingArrivesInOrder, null],
  ["empty writes are nothing, and wake nobody", emptyWritesAreNothing, null],
  ["reads of nothing do not wait, not even for another reader", readsOfNothingDoNotWait, null],
  ["only one may read at a time, and the others take nothing from him", onlyOneMayRead, null],
  ["cancelled reads lose no byte", cancelledReadsLoseNothing, null],
  ["a sender waits while nobody reads, and with him all who drain", cloggedSenderWaits, null],
  ["a cancelled drain holds nobody, and wakes nobody", cancelledDrainHoldsNobody, null],
  ["close sends everything first, and then the end", closingSendsEverything, "two ends"],
  ["closing twice is closing once", closingTwiceIsClosingOnce, "two ends"],
  [
    "a cancelled close closes all the same, and wakes no other who waits for it",
    cancelledWaitClosedClosesAllTheSame,
    "two ends",
  ],
  ["nothing is written after the close, and drain says so", afterTheCloseNothingIsWritten, "two ends"],
  ["waitClosed waits for somebody to close", waitClosedWaitsForTheClose, null],
  ["the end comes to those who are reading", theEndComesToThoseWhoRead, "two ends"],
  ["abort drops what was not sent, wakes those who drain, and ends the stream", abortingDropsWhatWaits, "an ear"],
  ["writing to a receiver that is gone is an error in the end", aReceiverThatIsGoneIsAnError, "an ear"],
  [
    "a receiver that goes wakes the sender who waits for it, with an error",
    aReceiverThatGoesWakesTheCloggedSender,
    "an ear",
  ],
  ["writeEof ends what is read, after everything that was written", theEndOfWritingIsTheEndOfReading, null],
  ["a megabyte arrives in pieces of any size", aMegabyteArrives, null],
];

// --- both directions

export async function aMegabyteGoesBothWays({ here, there, size }: TwoWay): Promise<void> {
  await Promise.all([
    createTask(() => sendAtRandom(here.writer, size.much, 3)),
    createTask(() => receiveAtRandom(there.reader, size.much, 4)),
    createTask(() => sendAtRandom(there.writer, size.much, 5)),
    createTask(() => receiveAtRandom(here.reader, size.much, 6)),
  ]);
}

export async function whoReadsMayWrite({ here, there }: TwoWay): Promise<void> {
  const answers = [createTask(here.reader.readline()), createTask(there.reader.readline())];
  await turns();
  here.writer.write("from here\n");
  there.writer.write("from there\n");
  expect((await Promise.all(answers)).map(text)).toEqual(["from there\n", "from here\n"]);
}

export async function bothMayBeClogged({ here, there, size }: TwoWay): Promise<void> {
  const length = await clogUp({ writer: here.writer, size });
  await clogUp({ writer: there.writer, size });
  const draining = [createTask(here.writer.drain()), createTask(there.writer.drain())];
  await turns();
  expect(draining.map((task) => task.done())).toEqual([false, false]);
  await expectPattern(there.reader, 0, length);
  await turns();
  expect(draining[1]!.done()).toBe(false);
  await expectPattern(here.reader, 0, length);
  for (const task of draining) await task;
}

export async function closingEndsOnesOwnReads({ here, there }: TwoWay): Promise<void> {
  const reading = createTask(here.reader.read(100));
  await turns();
  here.writer.close();
  expect((await reading).length).toBe(0);
  await here.writer.waitClosed();
  await expectEnd(there.reader);
}

export async function closingIsForBoth({ here, there }: TwoWay): Promise<void> {
  here.writer.write("goodbye");
  here.writer.close();
  expect(text(await there.reader.read())).toBe("goodbye");
  there.writer.close();
  await there.writer.waitClosed();
  await here.writer.waitClosed();
  await expectEnd(here.reader);
}

export async function bothMayCloseAtOnce({ here, there }: TwoWay): Promise<void> {
  here.writer.close();
  there.writer.close();
  await here.writer.waitClosed();
  await there.writer.waitClosed();
  await expectEnd(here.reader);
  await expectEnd(there.reader);
}

export async function anAbortedPeerEndsWhatIsRead({ here, there }: TwoWay): Promise<void> {
  const reading = createTask(here.reader.readexactly(1));
  await turns();
  there.writer.transport.abort();
  await there.writer.waitClosed();
  expect(await raised(reading)).toBeInstanceOf(Error);
  here.writer.close();
  await settled(createTask(here.writer.waitClosed()));
}

export async function aCancelledCloseCloses({ here, there }: TwoWay): Promise<void> {
  const ending = createTask(async () => {
    await using held = here.writer;
    held.write("goodbye");
    await held.drain();
  });
  await sleep(0);
  ending.cancel();
  await settled(ending);
  here.writer.close();
  const rest = text(await there.reader.read());
  expect(["", "goodbye"]).toContain(rest);
  there.writer.close();
  await there.writer.waitClosed();
  await here.writer.waitClosed();
}

export async function halfOfItMayBeClosed({ here, there, size }: TwoWay): Promise<void> {
  if (!here.writer.canWriteEof()) return;
  here.writer.write("the last");
  here.writer.writeEof();
  expect(text(await there.reader.read())).toBe("the last");
  const length = await clogUp({ writer: there.writer, size });
  const draining = createTask(there.writer.drain());
  await turns();
  expect(draining.done()).toBe(false);
  await expectPattern(here.reader, 0, length);
  await draining;
  there.writer.writeEof();
  await expectEnd(here.reader);
  await turns();
  expect([here.writer.isClosing(), there.writer.isClosing()]).toEqual([false, false]);
  here.writer.close();
  there.writer.close();
  await here.writer.waitClosed();
  await there.writer.waitClosed();
}

export async function halfClosedIsClosedByTheOther({ here, there }: TwoWay): Promise<void> {
  if (!here.writer.canWriteEof()) return;
  const reading = createTask(here.reader.read());
  here.writer.writeEof();
  await expectEnd(there.reader);
  there.writer.write("the answer");
  there.writer.close();
  expect(text(await reading)).toBe("the answer");
  here.writer.close();
  await here.writer.waitClosed();
  await there.writer.waitClosed();
}

export const twoWayChecks: readonly StreamCheck<TwoWay>[] = [
  ["a megabyte goes both ways at once, in pieces of any size", aMegabyteGoesBothWays, null],
  ["who waits for bytes may write meanwhile", whoReadsMayWrite, null],
  ["both may be clogged, and one direction does not free the other", bothMayBeClogged, null],
  ["closing ends one's own reads", closingEndsOnesOwnReads, null],
  ["one closes, the other reads the end and closes", closingIsForBoth, null],
  ["both may close at once", bothMayCloseAtOnce, null],
  ["an abort of the peer ends what is read", anAbortedPeerEndsWhatIsRead, "an ear"],
  ["a close that is cancelled closes", aCancelledCloseCloses, null],
  ["half-closed: the other direction goes on, until it ends too", halfOfItMayBeClosed, "halves"],
  ["half-closed: the answer comes, and with it the end", halfClosedIsClosedByTheOther, "halves"],
];

// --- what the checks are made of

/** Lets the loop turn for a while, so that what could happen has happened. */
export async function turns(count: number = 20): Promise<void> {
  for (let i = 0; i < count; i++) await sleep(0);
}

export function text(data: Uint8Array): string {
  return Buffer.from(data).toString();
}

export function bytes(data: string): Uint8Array {
  return Buffer.from(data);
}

/** What `work` raises; an error if it raises nothing. */
export async function raised(work: asyncio.Awaitable<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    if (asyncio.currentTask()!.cancelling() > 0) throw error;
    return error;
  }
  throw new Error("nothing was raised");
}

/** Cancels tasks, which have to end by it. */
export async function cancelled(...tasks: readonly asyncio.Task<unknown>[]): Promise<void> {
  for (const task of tasks) task.cancel();
  for (const task of tasks) expect(await raised(task)).toBeInstanceOf(asyncio.CancelledError);
}

/** What came of `task`; nothing if it failed or was cancelled. */
export async function settled<T>(task: asyncio.Task<T>): Promise<T | undefined> {
  await asyncio.wait([task]);
  return task.cancelled() || task.exception() !== null ? undefined : task.result();
}

/** Writes and drains, as one should, until that fails. */
async function writeForEver(writer: asyncio.StreamWriter): Promise<never> {
  const piece = new Uint8Array(1000);
  for (;;) {
    writer.write(piece);
    await writer.drain();
    await sleep(0);
  }
}

/** Bytes of which each tells where it stands. */
export function pattern(from: number, length: number): Uint8Array {
  const made = new Uint8Array(length);
  for (let i = 0; i < length; i++) made[i] = ((from + i) * 31 + ((from + i) >> 8)) & 255;
  return made;
}

/** Writes more than can be on its way; how much. */
async function clogUp({ writer, size }: Pick<OneWay, "writer" | "size">): Promise<number> {
  const piece = Math.min(PIECE, size.clog >> 2);
  let at = 0;
  while (at < size.clog) {
    writer.write(pattern(at, piece));
    at += piece;
    await sleep(0);
  }
  return at;
}

/** Reads so much of the pattern. */
async function expectPattern(reader: asyncio.StreamReader, from: number, length: number): Promise<void> {
  let at = from;
  while (at < from + length) {
    const chunk = await reader.read(from + length - at);
    expect(chunk.length).toBeGreaterThan(0);
    expect(Buffer.compare(chunk, pattern(at, chunk.length)), `bytes from ${at}`).toBe(0);
    at += chunk.length;
  }
}

/** The stream is at its end, and stays there. */
async function expectEnd(reader: asyncio.StreamReader): Promise<void> {
  expect((await reader.read(1)).length).toBe(0);
  expect(reader.atEof()).toBe(true);
  expect((await reader.readline()).length).toBe(0);
  expect((await reader.read()).length).toBe(0);
  expect(await raised(reader.readexactly(1))).toBeInstanceOf(asyncio.IncompleteReadError);
}

/** How many bytes come before the end or an error. */
async function readToTheEnd(reader: asyncio.StreamReader): Promise<number> {
  let count = 0;
  try {
    for (;;) {
      const chunk = await reader.read(PIECE);
      if (chunk.length === 0) return count;
      count += chunk.length;
    }
  } catch {
    return count;
  }
}

async function sendAtRandom(writer: asyncio.StreamWriter, total: number, seed: number): Promise<void> {
  const random = randomNumbers(seed);
  for (let at = 0; at < total;) {
    const length = Math.min(random(20_000), total - at);
    if (random(4) === 0)
      writer.writelines([pattern(at, length >> 1), pattern(at + (length >> 1), length - (length >> 1))]);
    else writer.write(pattern(at, length));
    at += length;
    if (random(3) === 0) await sleep(0);
    await writer.drain();
  }
}

async function receiveAtRandom(reader: asyncio.StreamReader, total: number, seed: number): Promise<void> {
  const random = randomNumbers(seed);
  for (let at = 0; at < total;) {
    const most = Math.min(1 + random(30_000), total - at);
    const chunk = await (random(2) === 0 ? reader.read(most) : reader.readexactly(most));
    expect(chunk.length).toBeGreaterThan(0);
    expect(Buffer.compare(chunk, pattern(at, chunk.length)), `bytes from ${at}`).toBe(0);
    at += chunk.length;
    if (random(3) === 0) await sleep(0);
  }
}

/** The same numbers for the same seed: each below its argument. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
