/** Random programs at both ends of real connections: nothing hangs, nothing escapes, and no byte is lost or changes its place. */

import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { cert, key } from "./certificate.ts";
import { leavingNothing, portOf, run } from "./support.ts";

const ROUNDS = Number(process.env["HOSTILE_FUZZ_ROUNDS"] ?? 40);
const FIRST_SEED = Number(process.env["HOSTILE_FUZZ_SEED"] ?? 1);
/** A round takes milliseconds. One that takes so long hangs. */
const HANG_SECONDS = 60;

type Random = (below: number) => number;

/** Numbers that look random, the same for the same seed (mulberry32). */
function randomOf(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** The bytes of a stream from `from` on: each place can be told from its neighbours. */
function bytesAt(from: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let index = 0; index < count; index++) {
    const place = from + index;
    bytes[index] = (place ^ (place >>> 8) ^ (place >>> 16)) & 0xff;
  }
  return bytes;
}

/** One end: what it has written, and how much of the other's bytes it has read, all of them right. */
class End {
  readonly random: Random;
  readonly total: number;
  written: number = 0;
  read: number = 0;
  isRight: boolean = true;

  constructor(random: Random, total: number) {
    this.random = random;
    this.total = total;
  }

  take(bytes: Uint8Array): void {
    this.isRight &&= Buffer.from(bytesAt(this.read, bytes.length)).equals(bytes);
    this.read += bytes.length;
  }
}

const SIZES = [0, 1, 7, 100, 1460, 5000, 70_000];

async function write(end: End, writer: asyncio.StreamWriter): Promise<void> {
  const { random } = end;
  while (end.written < end.total) {
    const size = Math.min(SIZES[random(SIZES.length)]!, end.total - end.written);
    const bytes = bytesAt(end.written, size);
    const cut = random(size + 1);
    if (random(3) === 0) writer.writelines([bytes.subarray(0, cut), bytes.subarray(cut)]);
    else writer.write(bytes);
    end.written += size;
    if (random(3) > 0) await interrupted(random, () => writer.drain());
    if (random(4) === 0) await asyncio.sleep(0);
  }
}

/** Waits for `make`, and sometimes gives up and waits for it again. */
async function interrupted<T>(random: Random, make: () => asyncio.Coroutine<T>): Promise<T> {
  while (random(4) === 0) {
    const task = asyncio.createTask(make());
    for (let turns = random(4); turns > 0; turns--) await asyncio.sleep(0);
    if (task.cancel()) await asyncio.wait([task]);
    if (!task.cancelled()) return await task;
  }
  return await make();
}

/** Reads in many ways until there is nothing left, or until `end` has all it expects. */
async function read(
  end: End,
  reader: asyncio.StreamReader,
  transport: asyncio.ReadTransport,
  expected: number,
): Promise<void> {
  const { random } = end;
  while (end.read < expected) {
    const way = random(5);
    if (way === 0)
      end.take(await interrupted(random, () => reader.readexactly(Math.min(1 + random(3000), expected - end.read))));
    else if (way === 1) await hesitate(random, transport);
    else if (way === 2) end.take(await readUntil(random, reader));
    else end.take(await interrupted(random, () => reader.read(1 + random(100_000))));
    if (reader.atEof()) break;
  }
}

/** Pauses what comes for a few turns, as a user may who stands between the reader and its transport. */
async function hesitate(random: Random, transport: asyncio.ReadTransport): Promise<void> {
  if (!transport.isReading()) return;
  transport.pauseReading();
  for (let turns = random(4); turns > 0; turns--) await asyncio.sleep(0);
  transport.resumeReading();
}

async function readUntil(random: Random, reader: asyncio.StreamReader): Promise<Uint8Array> {
  try {
    return await interrupted(random, () => reader.readuntil(Uint8Array.of(random(256))));
  } catch (error) {
    if (error instanceof asyncio.IncompleteReadError) return error.partial;
    if (error instanceof asyncio.LimitOverrunError) return await reader.readexactly(error.consumed);
    throw error;
  }
}

type Secure = boolean;

/** A life in good order: each end writes all, reads all, and closes. */
async function live(end: End, streams: asyncio.Streams, expected: number, secure: Secure): Promise<void> {
  const [reader, writer] = streams;
  const transport = writer.transport as asyncio.Transport;
  await asyncio.taskGroup(async (group) => {
    group.createTask(async () => {
      await write(end, writer);
      if (!secure && end.random(2) === 0) writer.writeEof();
    });
    group.createTask(() => read(end, reader, transport, expected));
  });
  writer.close();
  await writer.waitClosed();
}

/** A life that ends badly: after some turns it is aborted, closed or cancelled in the middle. */
async function liveBadly(end: End, streams: asyncio.Streams, expected: number, secure: Secure): Promise<void> {
  const [, writer] = streams;
  const life = asyncio.createTask(() => live(end, streams, expected, secure));
  const turns = end.random(200);
  for (let turn = 0; turn < turns && !life.done(); turn++) await asyncio.sleep(0);
  const how = end.random(4);
  if (how === 0) writer.transport.abort();
  else if (how === 1) writer.close();
  else if (how === 2) life.cancel();
  await settled(life);
  writer.transport.abort();
  await settled(asyncio.createTask(writer.waitClosed()));
}

/** Waits for the end of `task`, whatever it is. */
async function settled(task: asyncio.Task<unknown>): Promise<void> {
  await asyncio.wait([task]);
  if (!task.cancelled()) task.exception();
}

type Life = typeof live;

/** One round on one connection; the two ends as they are afterwards. */
async function round(seed: number, secure: Secure, lives: readonly [Life, Life]): Promise<[End, End]> {
  const random = randomOf(seed);
  const limit = [10, 1000, 65_536][random(3)]!;
  const client = new End(randomOf(random(2 ** 31)), random(400_000));
  const server = new End(randomOf(random(2 ** 31)), random(400_000));
  const serving: asyncio.Future<void> = asyncio.getRunningLoop().createFuture();
  const listening = await asyncio.startServer(
    async (reader, writer) => {
      try {
        await lives[1](server, [reader, writer], client.total, secure);
      } finally {
        if (!serving.done()) serving.setResult();
      }
    },
    "127.0.0.1",
    0,
    { limit, ...(secure ? { ssl: { key, cert } } : {}) },
  );
  const options = secure ? { limit, ssl: { ca: cert }, serverHostname: "localhost" } : { limit };
  const streams = await asyncio.openConnection("127.0.0.1", portOf(listening), options);
  await lives[0](client, streams, server.total, secure);
  await serving;
  listening.close();
  await listening.waitClosed();
  return [client, server];
}

const EXPECTED = new Set(["Unhandled exception in client_connected_cb", "Task exception was never retrieved"]);

async function rounds(
  secure: Secure,
  lives: readonly [Life, Life],
  check: (ends: [End, End], seed: number) => void,
): Promise<void> {
  const { reports } = await run(({ reports: seen }) =>
    leavingNothing(async () => {
      for (let seed = FIRST_SEED; seed < FIRST_SEED + ROUNDS; seed++) {
        try {
          check(
            await asyncio.waitFor(
              asyncio.createTask(() => round(seed, secure, lives)),
              HANG_SECONDS,
            ),
            seed,
          );
        } catch (error) {
          throw new Error(`seed ${seed}, reports: ${seen.map((report) => String(report.exception)).join("; ")}`, {
            cause: error,
          });
        }
      }
    }),
  );
  // What is told of a connection that ended badly is that its users were not prepared for it, and nothing else.
  const surprises = reports.map((report) => report.message).filter((text) => !EXPECTED.has(text ?? ""));
  expect(surprises).toEqual([]);
}

describe.each([
  ["plain", false],
  ["TLS", true],
] as const)("random programs, %s", (_name, secure) => {
  test("in good order: every byte arrives, in its place", async () => {
    await rounds(secure, [live, live], ([client, server], seed) => {
      const state = [client.isRight, client.read, server.isRight, server.read];
      expect(state, `seed ${seed}`).toEqual([true, server.total, true, client.total]);
    });
  });

  test("that end badly: what arrives is right, and nobody hangs", async () => {
    await rounds(secure, [liveBadly, liveBadly], ([client, server], seed) => {
      expect([client.isRight, server.isRight], `seed ${seed}`).toEqual([true, true]);
    });
  });

  test("of which one ends badly: the other one is told", async () => {
    const survivor: Life = async (...life) => {
      const living = asyncio.createTask(() => live(...life));
      await settled(living);
      life[1][1].close();
      await settled(asyncio.createTask(life[1][1].waitClosed()));
    };
    await rounds(secure, [survivor, liveBadly], ([client, server], seed) => {
      expect([client.isRight, server.isRight], `seed ${seed}`).toEqual([true, true]);
    });
  });
});
