/** Channels: the contracts of trio's memory channels, in both syntaxes, and nothing lost under any order of cancellations. */

import * as asyncio from "asyncio-ts";
import type { ChannelSender } from "asyncio-ts/structured";
import {
  asSafeChannel,
  BrokenChannelError,
  ClosedChannelError,
  EndOfChannelError,
  openChannel,
  select,
  WouldBlockError,
} from "asyncio-ts/structured";
import { asyncTest, waitAllTasksBlocked } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { holdsExhaustively } from "./exhaustively.ts";

const { createTask, gather, sleep } = asyncio;

describe("sending and receiving", () => {
  test(
    "items come in the order in which they were sent, to the end of the channel",
    asyncTest(async () => {
      const [sender, receiver] = openChannel<number>(2);
      const producer = createTask(async () => {
        using end = sender;
        for (let i = 0; i < 5; i++) await end.send(i);
      });
      const items: number[] = [];
      for await (const item of receiver) items.push(item);
      await producer;
      expect(items).toEqual([0, 1, 2, 3, 4]);
      await expect(receiver.receive()).rejects.toThrow(EndOfChannelError);
    }),
  );

  test(
    "the same in generators",
    asyncTest(function* () {
      const [sender, receiver] = openChannel<number>(0);
      const producer = createTask(function* () {
        for (let i = 0; i < 3; i++) yield* sender.send(i);
        sender.close();
      });
      const items = [yield* receiver.receive(), yield* receiver.receive(), yield* receiver.receive()];
      yield* producer;
      expect(items).toEqual([0, 1, 2]);
    }),
  );

  test(
    "a sender waits while there is no room",
    asyncTest(async () => {
      const [sender, receiver] = openChannel<number>(2);
      const sent: number[] = [];
      const producer = createTask(async () => {
        for (let i = 0; i < 4; i++) {
          await sender.send(i);
          sent.push(i);
        }
      });
      await waitAllTasksBlocked();
      expect(sent).toEqual([0, 1]);
      expect(receiver.statistics()).toEqual({
        size: 2,
        capacity: 2,
        openSenders: 1,
        openReceivers: 1,
        sending: 1,
        receiving: 0,
      });
      expect(await receiver.receive()).toBe(0);
      await waitAllTasksBlocked();
      expect(sent).toEqual([0, 1, 2]);
      await receiver.receive();
      await producer;
    }),
  );

  test(
    "with no capacity a sender waits for a receiver",
    asyncTest(async () => {
      const [sender, receiver] = openChannel<string>(0);
      const sending = createTask(() => sender.send("item"));
      await waitAllTasksBlocked();
      expect(sending.done()).toBe(false);
      expect(await receiver.receive()).toBe("item");
      await sending;
      const receiving = createTask(() => receiver.receive());
      await waitAllTasksBlocked();
      sender.sendNowait("now");
      expect(await receiving).toBe("now");
    }),
  );

  test(
    "without waiting, or not at all",
    asyncTest(async () => {
      const [sender, receiver] = openChannel<number>(1);
      expect(() => receiver.receiveNowait()).toThrow(WouldBlockError);
      sender.sendNowait(1);
      expect(() => sender.sendNowait(2)).toThrow("has no room");
      expect(receiver.receiveNowait()).toBe(1);
      sender.close();
      expect(() => receiver.receiveNowait()).toThrow(EndOfChannelError);
      const [rendezvous] = openChannel<number>(0);
      expect(() => rendezvous.sendNowait(1)).toThrow(WouldBlockError);
      await sleep(0);
    }),
  );

  test(
    "who waits first is served first, and nobody overtakes who was granted something",
    asyncTest(async () => {
      const [sender, receiver] = openChannel<number>(1);
      const got: string[] = [];
      const take = (name: string) =>
        createTask(async () => {
          got.push(`${name} ${await receiver.receive()}`);
        });
      const waiting = [take("a"), take("b")];
      await waitAllTasksBlocked();
      sender.sendNowait(1);
      // One item is for `a`, who has not gone on: for anybody else there is nothing.
      expect(() => receiver.receiveNowait()).toThrow(WouldBlockError);
      const late = take("c");
      await sleep(0);
      await sender.send(2);
      await sender.send(3);
      await gather([...waiting, late]);
      expect(got).toEqual(["a 1", "b 2", "c 3"]);
    }),
  );

  test("a capacity must be a number, and infinity be asked for", () => {
    for (const bad of [-1, 0.5, Number.NaN, undefined as unknown as number]) {
      expect(() => openChannel(bad)).toThrow("capacity: expected a whole number from 0 on, or Infinity");
    }
    const [sender] = openChannel<number>(Infinity);
    for (let i = 0; i < 1000; i++) sender.sendNowait(i);
    expect(String(sender)).toBe("<ChannelSender open 1000 of Infinity>");
  });
});

describe("closing", () => {
  test(
    "receivers come to the end when every sender is closed, and what was sent is received before",
    asyncTest(async () => {
      const [sender, receiver] = openChannel<number>(3);
      const other = sender.clone();
      await sender.send(1);
      sender.close();
      await other.send(2);
      other.close();
      other.close();
      expect([await receiver.receive(), await receiver.receive()]).toEqual([1, 2]);
      await expect(receiver.receive()).rejects.toThrow(EndOfChannelError);
      await expect(sender.send(3)).rejects.toThrow(ClosedChannelError);
      expect(() => sender.clone()).toThrow(ClosedChannelError);
    }),
  );

  test(
    "a receiver that waits hears of the end",
    asyncTest(async () => {
      const [sender, receiver] = openChannel<number>(0);
      const waiting = [receiver, receiver.clone()].map((end) => createTask(() => end.receive()));
      await waitAllTasksBlocked();
      sender.close();
      for (const task of waiting) await expect(Promise.resolve(task)).rejects.toThrow(EndOfChannelError);
    }),
  );

  test(
    "a sender whose last receiver goes is told, waiting or not",
    asyncTest(async () => {
      const [sender, receiver] = openChannel<number>(0);
      const waiting = createTask(() => sender.send(1));
      await waitAllTasksBlocked();
      receiver.close();
      await expect(Promise.resolve(waiting)).rejects.toThrow(BrokenChannelError);
      await expect(sender.send(2)).rejects.toThrow("nobody would get the item");
      expect(() => sender.sendNowait(2)).toThrow(BrokenChannelError);
    }),
  );

  test(
    "closing an end ends the waits of that end, and of no clone",
    asyncTest(async () => {
      const [sender, receiver] = openChannel<number>(0);
      const clone = receiver.clone();
      const [mine, other] = [createTask(() => receiver.receive()), createTask(() => clone.receive())];
      await waitAllTasksBlocked();
      receiver.close();
      await expect(Promise.resolve(mine)).rejects.toThrow("<ChannelReceiver closed 0 of 0> was closed");
      await sender.send(1);
      expect(await other).toBe(1);
    }),
  );
});

describe("select", () => {
  test(
    "does exactly one of what is ready, the first of the list",
    asyncTest(async () => {
      const [sendA, receiveA] = openChannel<string>(1);
      const [sendB, receiveB] = openChannel<number>(1);
      sendA.sendNowait("a");
      sendB.sendNowait(1);
      const selected = await select(receiveA.receive(), receiveB.receive());
      expect(selected).toEqual({ index: 0, value: "a" });
      expect(receiveB.statistics().size).toBe(1);
    }),
  );

  test(
    "waits for the first that becomes ready, and leaves every other line",
    asyncTest(async () => {
      const [sendA, receiveA] = openChannel<string>(0);
      const [sendB, receiveB] = openChannel<number>(0);
      const selecting = createTask(() => select(receiveA.receive(), receiveB.receive()));
      await waitAllTasksBlocked();
      expect(receiveA.statistics().receiving).toBe(1);
      await sendB.send(5);
      expect(await selecting).toEqual({ index: 1, value: 5 });
      expect(receiveA.statistics().receiving).toBe(0);
      expect(() => sendA.sendNowait("nobody")).toThrow(WouldBlockError);
    }),
  );

  test(
    "sends and receives may be mixed; a channel that ends is an error",
    asyncTest(function* () {
      const [sender, receiver] = openChannel<number>(0);
      const [stop, stopped] = openChannel<null>(0);
      const selecting = createTask(function* () {
        return yield* select(sender.send(7), stopped.receive());
      });
      yield* sleep(0);
      expect(yield* receiver.receive()).toBe(7);
      expect(yield* selecting).toEqual({ index: 0, value: undefined });
      const waiting = createTask(() => select(receiver.receive(), stopped.receive()));
      yield* sleep(0);
      stop.close();
      yield* asyncio.wait([waiting]);
      expect(waiting.exception()).toBeInstanceOf(EndOfChannelError);
      expect(receiver.statistics().receiving).toBe(0);
    }),
  );

  test("there must be something to select from", () => {
    expect(() => select()).toThrow(RangeError);
  });
});

describe("a cancellation at any moment", () => {
  test.each([0, 1, 2])(
    "nothing is lost or doubled, with a capacity of %i, in any order within two delays",
    async (capacity) => {
      const body = async (): Promise<void> => {
        const [sender, receiver] = openChannel<number>(capacity);
        const sent: number[] = [];
        const got: number[] = [];
        const produce = (own: ChannelSender<number>, first: number) => async (): Promise<void> => {
          using end = own;
          for (const item of [first, first + 1]) {
            await end.send(item);
            sent.push(item);
          }
        };
        const clone = receiver.clone();
        const consume = async (): Promise<void> => {
          using end = clone;
          for await (const item of end) got.push(item);
        };
        const producers = [
          createTask(produce(sender.clone(), 1), { name: "producer 1" }),
          createTask(produce(sender.clone(), 11), { name: "producer 2" }),
        ];
        const consumer = createTask(consume, { name: "consumer" });
        await sleep(0);
        sender.close();
        // Whoever is cancelled, somebody is left to receive.
        const rest = createTask(async () => {
          for await (const item of receiver) got.push(item);
        });
        await asyncio.wait([...producers, consumer, rest]);
        for (const task of producers) if (!task.cancelled()) task.result();
        if (!rest.cancelled() && got.toSorted((a, b) => a - b).join() !== sent.toSorted((a, b) => a - b).join()) {
          throw new Error(`sent ${sent.join()}, got ${got.join()}`);
        }
        const { sending, receiving, size } = receiver.statistics();
        if (sending + receiving > 0) throw new Error("somebody is in line still");
        if (!rest.cancelled() && size > 0) throw new Error("something is left");
      };
      await holdsExhaustively(body);
    },
  );

  test("a select that is cancelled has done nothing, wherever it is cancelled", async () => {
    const body = async (): Promise<void> => {
      const [sendA, receiveA] = openChannel<string>(0);
      const [sendB, receiveB] = openChannel<string>(0);
      const got: string[] = [];
      const sent: string[] = [];
      const choose = createTask(
        async () => {
          got.push((await select(receiveA.receive(), receiveB.receive())).value);
        },
        { name: "chooser" },
      );
      const send = (sender: typeof sendA, item: string) =>
        createTask(
          async () => {
            await sender.send(item);
            sent.push(item);
          },
          { name: `sender ${item}` },
        );
      const senders = [send(sendA, "a"), send(sendB, "b")];
      await asyncio.wait([choose]);
      await sleep(0);
      await sleep(0);
      const left: string[] = [];
      for (const end of [receiveA, receiveB]) if (end.statistics().size > 0) left.push(end.receiveNowait());
      for (const task of senders) task.cancel();
      await asyncio.wait(senders);
      if ([...got, ...left].toSorted().join() !== sent.toSorted().join()) {
        throw new Error(`sent ${sent.join()}, got ${got.join()}, left ${left.join()}`);
      }
    };
    await holdsExhaustively(body);
  });
});

describe("asSafeChannel", () => {
  /** Numbers, one a second, and what becomes of their generator. */
  function ticking(log: string[]) {
    return (async function* ticks() {
      try {
        for (let i = 0; ; i++) {
          await sleep(1);
          yield i;
        }
      } finally {
        await sleep(5);
        log.push("cleaned");
      }
    })();
  }

  test(
    "the generator has cleaned up when the body has ended, in the middle of an item or between two",
    asyncTest(async () => {
      for (const seconds of [2, 2.5]) {
        const log: string[] = [];
        const sum = await asSafeChannel(ticking(log), async (items) => {
          const first = await items.receive();
          await sleep(seconds - 1);
          return first + (await items.receive());
        });
        log.push("returned");
        expect([sum, log]).toEqual([1, ["cleaned", "returned"]]);
      }
    }),
  );

  test(
    "an error of either ends the other, and comes as that of a group",
    asyncTest(async () => {
      const log: string[] = [];
      const failing = asSafeChannel(ticking(log), async (items) => {
        await items.receive();
        throw new Error("the body's");
      });
      await expect(failing).rejects.toMatchObject({ errors: [{ message: "the body's" }] });
      expect(log).toEqual(["cleaned"]);
      async function* broken() {
        yield 1;
        await sleep(1);
        throw new Error("the generator's");
      }
      const reading = asSafeChannel(broken(), async (items) => {
        await items.receive();
        await sleep(60);
      });
      await expect(reading).rejects.toMatchObject({ errors: [{ message: "the generator's" }] });
    }),
  );

  test(
    "cancelled, it cancels both and waits for the cleanup; one that ends by itself ends the channel",
    asyncTest(async () => {
      const log: string[] = [];
      const reading = createTask(
        asSafeChannel(ticking(log), async (items) => {
          for await (const item of items) log.push(`${item}`);
        }),
      );
      await sleep(2.5);
      reading.cancel();
      await asyncio.wait([reading]);
      expect([reading.cancelled(), log]).toEqual([true, ["0", "1", "cleaned"]]);
      const all = await asSafeChannel([1, 2, 3], async (items) => {
        const seen: number[] = [];
        for await (const item of items) seen.push(item);
        return seen;
      });
      expect(all).toEqual([1, 2, 3]);
    }),
  );
});
