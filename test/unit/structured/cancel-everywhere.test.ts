/** Every tool, its tasks cancelled at every moment, once and twice: nothing is lost, nothing is left, nobody else is disturbed. */

import assert from "node:assert/strict";
import * as asyncio from "asyncio-ts";
import type { ChannelReceiver, Started } from "asyncio-ts/structured";
import {
  asSafeChannel,
  CancelScope,
  CapacityLimiter,
  CircuitBreaker,
  EndOfChannelError,
  failAfter,
  mapConcurrent,
  moveOnAfter,
  openChannel,
  Pool,
  race,
  RateLimiter,
  retry,
  select,
  shielded,
  start,
  streamConcurrent,
} from "asyncio-ts/structured";
import { describe, expect, test } from "vitest";
import type { Script, Stage } from "../core/coordination/cancel-everywhere.ts";
import { cancelEverywhere, SYNTAXES } from "../core/coordination/cancel-everywhere.ts";

const { sleep } = asyncio;

describe.each(SYNTAXES)("in %s", (syntax) => {
  const everywhere = async (scenario: (stage: Stage) => void): Promise<void> => {
    const { plays } = await cancelEverywhere(syntax, scenario, { twice: syntax === "generators" });
    expect(plays).toBeGreaterThan(5);
  };

  test("scopes: the request comes through, wherever it meets a deadline or a shield", async () => {
    await everywhere((stage) => {
      const sleeps = sleepsOf(stage);
      stage.task("deadline", function* () {
        yield moveOnAfter(1, sleeps(2));
        yield sleep(1);
      });
      stage.task("nested", function* () {
        const inner = stage.body(function* () {
          yield moveOnAfter(1, sleeps(5));
          yield sleep(5);
        });
        yield moveOnAfter(2, inner);
      });
      stage.task("shielded", function* () {
        try {
          yield moveOnAfter(1, sleeps(5));
        } finally {
          yield shielded(sleeps(1));
        }
        yield sleep(0);
      });
    });
  });

  test("scopes: and where it meets a switch, a group or an error", async () => {
    await everywhere((stage) => {
      const sleeps = sleepsOf(stage);
      const scope = new CancelScope();
      stage.task("switched", function* () {
        yield scope.run(sleeps(5));
        yield sleep(0);
      });
      stage.helper("switch", function* () {
        yield sleep(1);
        scope.cancel();
      });
      stage.task("in a group", function* () {
        yield moveOnAfter(1, () =>
          asyncio.taskGroup((group) => {
            group.createTask(sleeps(5));
            return sleep(5);
          }),
        );
        yield sleep(0);
      });
      stage.task("an error", function* () {
        try {
          yield failAfter(1, sleeps(5));
        } catch (error) {
          if (!(error instanceof asyncio.TimeoutError)) throw error;
        }
        yield sleep(0);
      });
    });
  });

  test.each([0, 1])("a channel of %i: each item that was sent is received, once, or still there", async (capacity) => {
    await everywhere((stage) => {
      const [sender, receiver] = openChannel<string>(capacity);
      const sent: string[] = [];
      const received: string[] = [];
      for (const name of ["a", "b"]) {
        stage.task(name, function* () {
          for (const item of [`${name}1`, `${name}2`]) {
            yield sender.send(item);
            sent.push(item);
          }
        });
      }
      stage.task("receiver", function* () {
        try {
          received.push((yield receiver.receive()) as string);
        } catch (error) {
          if (!(error instanceof EndOfChannelError)) throw error;
        }
      });
      stage.helper("end", function* () {
        yield sleep(1);
        sender.close();
      });
      stage.helper("the rest", function* () {
        yield* drain(receiver, received);
      });
      stage.check(() => assert.deepEqual(received.toSorted(), sent.toSorted()));
    });
  });

  test("select: exactly one of its operations is done, or none", async () => {
    await everywhere((stage) => {
      const [sender, receiver] = openChannel<string>(0);
      const [otherSender, otherReceiver] = openChannel<string>(1);
      const done: string[] = [];
      const received: string[] = [];
      stage.task("selecting", function* () {
        for (let i = 0; i < 2; i++) {
          const { index } = (yield select(sender.send(`s${i}`), otherSender.send(`o${i}`))) as { index: number };
          done.push(`${"so"[index]!}${i}`);
        }
      });
      stage.helper("end", function* () {
        yield sleep(1);
        sender.close();
        otherSender.close();
      });
      stage.helper("one end", function* () {
        yield sleep(0);
        yield* drain(receiver, received);
      });
      stage.helper("other end", function* () {
        yield* drain(otherReceiver, received);
      });
      stage.check(() => assert.deepEqual(received.toSorted(), done.toSorted()));
    });
  });

  test("limiters: every token comes back", async () => {
    await everywhere((stage) => {
      const limiter = new CapacityLimiter(1);
      const rate = new RateLimiter({ limit: 1, per: 1 });
      for (const name of ["a", "b", "c"]) {
        stage.task(name, function* () {
          yield limiter.hold(
            stage.body(function* () {
              yield sleep(name === "a" ? 1 : 0);
            }),
          );
        });
        stage.task(`${name}, at a rate`, function* () {
          yield rate.acquire();
        });
      }
      stage.untouched(() => limiter.statistics());
    });
  });

  test("Pool: each resource is idle and clean at the end, or destroyed", async () => {
    await everywhere((stage) => {
      let made = 0;
      let destroyed = 0;
      const pool = new Pool({
        size: 1,
        create: stage.body(function* () {
          yield sleep(0.1);
          return { id: ++made };
        }),
        check: stage.body(function* () {
          yield sleep(0);
          return true;
        }) as () => Promise<boolean>,
        destroy: stage.body(function* () {
          yield sleep(0.1);
          destroyed++;
        }),
      });
      for (const name of ["a", "b"]) {
        stage.task(name, function* () {
          yield pool.hold(
            stage.body(function* () {
              yield sleep(0.1);
            }),
          );
        });
      }
      stage.helper("end", function* () {
        yield sleep(10);
        yield pool.close();
      });
      stage.check(() => assert.deepEqual([pool.statistics().borrowed, made], [0, destroyed]));
    });
  });

  test("mapConcurrent, streamConcurrent and asSafeChannel: what they have started has ended with them", async () => {
    await everywhere((stage) => {
      let running = 0;
      const work = stage.body(function* (item: number) {
        running++;
        try {
          yield sleep(item);
        } finally {
          running--;
        }
        return item;
      }) as (item: number) => Promise<number>;
      const consume = stage.body(function* (results: ChannelReceiver<number>) {
        yield* drain(results, []);
      });
      const ended = function* (body: () => asyncio.Coroutine<unknown>): Script<void> {
        try {
          yield body();
        } finally {
          stage.check(() => assert.equal(running, 0));
        }
      };
      stage.task("map", () => ended(() => mapConcurrent([1, 0, 1], work, { limit: 2 })));
      stage.task("stream", () => ended(() => streamConcurrent([1, 0, 1], work, { limit: 2 }, consume)));
      stage.task("safe", () => ended(() => asSafeChannel(counting(), consume)));
    });
  });

  test("retry, race, start and CircuitBreaker", async () => {
    await everywhere((stage) => {
      const failing = stage.body(function* (attempt: number) {
        yield sleep(0.1);
        if (attempt < 2) throw new Error("again");
      });
      const sleeps = sleepsOf(stage);
      const breaker = new CircuitBreaker({ failures: 1, resetAfter: 1 });
      stage.task("retry", function* () {
        yield retry(failing, { times: 3, backoff: 0.1, deadline: 5 });
      });
      stage.task("race", function* () {
        yield race(sleeps(1), sleeps(0.5), sleeps(2));
      });
      stage.task("breaker", function* () {
        yield breaker.run(sleeps(1));
      });
      stage.task("start", function* () {
        yield asyncio.taskGroup(
          stage.body(function* (group: asyncio.TaskGroup) {
            yield start(
              group,
              stage.body(function* (started: Started) {
                yield sleep(0.5);
                started();
                yield sleep(0.5);
              }),
            );
          }),
        );
      });
    });
  });
});

function sleepsOf(stage: Stage): (seconds: number) => () => ReturnType<asyncio.Body<unknown>> {
  return (seconds) =>
    stage.body(function* () {
      yield sleep(seconds);
    });
}

/** Receives to the end. */
function* drain<T>(receiver: ChannelReceiver<T>, into: T[]): Script<void> {
  const iterator = receiver[Symbol.asyncIterator]();
  for (;;) {
    const step = (yield iterator.next() as unknown as asyncio.Awaitable<unknown>) as IteratorResult<T, void>;
    if (step.done === true) return;
    into.push(step.value);
  }
}

async function* counting(): AsyncGenerator<number, void, undefined> {
  try {
    for (let i = 0; i < 3; i++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await sleep(0.1);
      yield i;
    }
  } finally {
    await sleep(0);
  }
}
