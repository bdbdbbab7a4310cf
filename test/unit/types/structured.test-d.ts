/** Types of `asyncio-ts/structured` and of the tests' tools: inferred without annotations, and what must not compile. */

import * as asyncio from "asyncio-ts";
import type { CancelScope, ChannelReceiver, ChannelSender, Moved, Selected, Started } from "asyncio-ts/structured";
import {
  asSafeChannel,
  CapacityLimiter,
  failAfter,
  forEachConcurrent,
  mapConcurrent,
  moveOnAfter,
  openChannel,
  Pool,
  race,
  retry,
  select,
  shielded,
  start,
  streamConcurrent,
} from "asyncio-ts/structured";
import { asyncTest, explore, SimulatedNetwork } from "asyncio-ts/testing";
import { describe, expectTypeOf, test } from "vitest";

const { sleep, taskGroup } = asyncio;

describe("cancel scopes", () => {
  test("the value is there unless the body was cut short, in both syntaxes", async () => {
    const moved = await moveOnAfter(1, async (scope) => {
      expectTypeOf(scope).toEqualTypeOf<CancelScope>();
      return await sleep(1, "value");
    });
    expectTypeOf(moved).toEqualTypeOf<Moved<string>>();
    expectTypeOf(moved.value).toEqualTypeOf<string | undefined>();
    if (!moved.cancelledCaught) expectTypeOf(moved.value).toEqualTypeOf<string>();
    expectTypeOf(
      await failAfter({ milliseconds: 1 }, function* () {
        return yield* sleep(1, 1);
      }),
    ).toEqualTypeOf<number>();
    expectTypeOf(await shielded(() => sleep(1, true))).toEqualTypeOf<boolean>();
    // @ts-expect-error the body is a function, not a promise that runs already
    void moveOnAfter(1, sleep(1));
    // @ts-expect-error a body waits for something
    void moveOnAfter(1, () => 1);
  });
});

describe("channels", () => {
  test("an item has the type of its channel", async () => {
    const [sender, receiver] = openChannel<string>(1);
    expectTypeOf(sender).toEqualTypeOf<ChannelSender<string>>();
    expectTypeOf(receiver).toEqualTypeOf<ChannelReceiver<string>>();
    expectTypeOf(await receiver.receive()).toEqualTypeOf<string>();
    expectTypeOf(receiver.receiveNowait()).toEqualTypeOf<string>();
    for await (const item of receiver) expectTypeOf(item).toEqualTypeOf<string>();
    // @ts-expect-error a number is no string
    sender.send(1);
    // @ts-expect-error the capacity is the caller's to know
    openChannel<string>();
    // @ts-expect-error a sender does not receive
    void sender.receive;
  });

  test("select gives one of the results, in both syntaxes", async () => {
    const [sender, receiver] = openChannel<string>(1);
    const [, numbers] = openChannel<number>(1);
    expectTypeOf(await select(receiver.receive(), numbers.receive())).toEqualTypeOf<Selected<string | number>>();
    expectTypeOf(await select(sender.send("x"))).toEqualTypeOf<Selected<void>>();
    function* generator() {
      return yield* select(numbers.receive());
    }
    expectTypeOf(await asyncio.run(generator)).toEqualTypeOf<Selected<number>>();
    // @ts-expect-error only operations of channels can be undone
    select(sleep(1));
  });

  test("asSafeChannel takes the items of the generator, and gives the body's result", async () => {
    const result = await asSafeChannel([1, 2], async (items) => `${await items.receive()}`);
    expectTypeOf(result).toEqualTypeOf<string>();
  });
});

describe("work", () => {
  test("mapConcurrent gives the results of the work, in both syntaxes", async () => {
    expectTypeOf(await mapConcurrent([1], async (n) => `${n}`, { limit: 1 })).toEqualTypeOf<string[]>();
    const generated = mapConcurrent(
      "abc",
      function* (letter) {
        yield* sleep(1);
        return letter.length;
      },
      { limit: 1 },
    );
    expectTypeOf(await generated).toEqualTypeOf<number[]>();
    const either = await mapConcurrent([1], async (n) => n, { limit: 1, returnExceptions: true });
    expectTypeOf(either).toEqualTypeOf<unknown[]>();
    expectTypeOf(await forEachConcurrent([1], async () => {}, { limit: 1 })).toEqualTypeOf<void>();
    // @ts-expect-error there is no right limit but the caller's
    mapConcurrent([1], async (n) => n);
    // @ts-expect-error a number cannot be iterated
    mapConcurrent(5, async (n) => n, { limit: 1 });
  });

  test("retry and race give the results", async () => {
    expectTypeOf(await retry(async (attempt) => attempt > 1)).toEqualTypeOf<boolean>();
    expectTypeOf(
      await race(
        () => sleep(1, "a"),
        async () => 1,
      ),
    ).toEqualTypeOf<string | number>();
    // @ts-expect-error a promise runs already, and cannot be tried again
    retry(Promise.resolve(1));
    // @ts-expect-error a promise runs already, and cannot be cancelled
    race(Promise.resolve(1));
  });

  test("start gives what the child says", async () => {
    await taskGroup(async (group) => {
      const port = await start(group, async (started: Started<number>) => started(80));
      expectTypeOf(port).toEqualTypeOf<number>();
    });
  });
});

describe("limits", () => {
  test("a pool lends what it makes", async () => {
    const pool = new Pool({ size: 1, create: async () => ({ id: 1 }), destroy: async (made) => void made.id });
    expectTypeOf(await pool.hold(async ({ id }) => id)).toEqualTypeOf<number>();
    expectTypeOf(await new CapacityLimiter(1).hold(async () => "x")).toEqualTypeOf<string>();
    // @ts-expect-error who makes something must say how it is given up
    void new Pool({ size: 1, create: async () => 1 });
  });
});

describe("tests", () => {
  test("asyncTest takes what the runner gives", () => {
    expectTypeOf(asyncTest(async (context: { name: string }) => context.name)).toEqualTypeOf<
      (context: { name: string }) => Promise<void>
    >();
    expectTypeOf(
      asyncTest(function* () {
        yield* sleep(1);
      }),
    ).toEqualTypeOf<() => Promise<void>>();
    // @ts-expect-error a test is a function
    asyncTest(sleep(1));
  });

  test("a host gives the result of what runs on it; searches take either syntax", async () => {
    const host = new SimulatedNetwork().host("a");
    expectTypeOf(await host.run(async () => 1)).toEqualTypeOf<number>();
    expectTypeOf(
      await host.run(function* () {
        return yield* sleep(1, "x");
      }),
    ).toEqualTypeOf<string>();
    await explore(function* () {
      yield* sleep(1);
    });
    // @ts-expect-error there is no such policy
    await explore(async () => {}, { policy: "luck" });
  });
});

test("streamConcurrent: what the function gives is what the body receives", async () => {
  const sum = await streamConcurrent(
    ["a", "b"],
    async (item) => item.length,
    { limit: 1 },
    async (results) => {
      expectTypeOf(results).toEqualTypeOf<ChannelReceiver<number>>();
      let total = 0;
      for await (const result of results) total += result;
      return total;
    },
  );
  expectTypeOf(sum).toEqualTypeOf<number>();
});
