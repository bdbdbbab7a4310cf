/** Pool, and start. */

import * as asyncio from "asyncio-ts";
import type { Started } from "asyncio-ts/structured";
import { Pool, start } from "asyncio-ts/structured";
import { asyncTest, explore, waitAllTasksBlocked } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";

const { createTask, getRunningLoop, sleep, taskGroup } = asyncio;

/** Connections that count themselves. */
class Factory {
  made: number = 0;
  readonly open: Set<number> = new Set();
  readonly good: Set<number> = new Set();

  readonly create = async (): Promise<number> => {
    const number = ++this.made;
    await sleep(1);
    this.open.add(number);
    this.good.add(number);
    return number;
  };

  readonly destroy = async (connection: number): Promise<void> => {
    await sleep(1);
    this.open.delete(connection);
  };

  pool(size: number): Pool<number> {
    return new Pool({ size, create: this.create, destroy: this.destroy, check: this.check });
  }

  readonly check = async (connection: number): Promise<boolean> => {
    await sleep(0);
    return this.good.has(connection);
  };
}

describe("Pool", () => {
  test(
    "lends what came back, and makes no more than it may",
    asyncTest(async () => {
      const factory = new Factory();
      const pool = factory.pool(2);
      const used: number[] = [];
      const work = () => pool.hold(async (connection) => void used.push(await sleep(1, connection)));
      await asyncio.gather(Array.from({ length: 6 }, () => createTask(work)));
      expect([factory.made, used.length, new Set(used).size]).toEqual([2, 6, 2]);
      expect(pool.statistics()).toEqual({ size: 2, borrowed: 0, idle: 2, waiting: 0 });
      await pool.close();
      expect(factory.open.size).toBe(0);
      await expect(pool.hold(async () => {})).rejects.toThrow("is closed");
    }),
  );

  test(
    "what did not come back clean is destroyed (redis-py, CVE-2023-28858)",
    asyncTest(async () => {
      const factory = new Factory();
      await using pool = factory.pool(1);
      await expect(pool.hold(async () => await Promise.reject(new Error("half a reply")))).rejects.toThrow(
        "half a reply",
      );
      expect(factory.open.size).toBe(0);
      const using_ = createTask(pool.hold(async () => await sleep(60)));
      await sleep(2);
      using_.cancel();
      await asyncio.wait([using_]);
      expect([using_.cancelled(), factory.open.size]).toEqual([true, 0]);
      expect(await pool.hold(async (connection) => connection)).toBe(3);
    }),
  );

  test(
    "what is not good any more is replaced before it is lent",
    asyncTest(function* () {
      const factory = new Factory();
      const pool = new Pool({
        size: 1,
        *create() {
          return yield* asyncio.fromPromise(Promise.resolve(++factory.made));
        },
        destroy: factory.destroy,
        *check(connection) {
          yield* sleep(0);
          return connection > 1;
        },
      });
      const take = () =>
        pool.hold(function* (connection) {
          yield* sleep(0);
          return connection;
        });
      expect([yield* take(), yield* take(), yield* take()]).toEqual([1, 2, 2]);
      yield* pool.close();
    }),
  );

  test(
    "a pool that is closed waits for what is being destroyed; what is lent is destroyed when it comes back",
    asyncTest(async () => {
      const factory = new Factory();
      const pool = factory.pool(2);
      const busy = createTask(pool.hold(async () => await sleep(10)));
      await sleep(2);
      await pool.close();
      expect(factory.open.size).toBe(1);
      await busy;
      expect(factory.open.size).toBe(0);
    }),
  );

  test(
    "a resource that cannot be destroyed is reported, and does not hide the error of the body",
    asyncTest(async () => {
      const reports: unknown[] = [];
      getRunningLoop().setExceptionHandler((_loop, { exception }) => void reports.push(exception));
      const pool = new Pool({
        size: 1,
        create: async () => 1,
        destroy: async () => await Promise.reject(new Error("stuck")),
      });
      await expect(pool.hold(async () => await Promise.reject(new Error("its own")))).rejects.toThrow("its own");
      expect(reports).toEqual([new Error("stuck")]);
      expect(String(pool)).toBe("<Pool open 0 of 1 borrowed, 0 idle>");
    }),
  );

  test("nothing is lost or lent twice, with a cancellation at any wait", async () => {
    const { failure, exhausted } = await explore(
      async () => {
        const factory = new Factory();
        // The search cancels what destroys, too: it has let go of the resource by then.
        const destroy = async (connection: number): Promise<void> => {
          factory.open.delete(connection);
          await sleep(1);
        };
        const pool = new Pool({ size: 1, create: factory.create, destroy });
        let lent = 0;
        const work = () =>
          pool.hold(async () => {
            if (++lent > 1) throw new Error("lent twice");
            try {
              await sleep(1);
            } finally {
              lent--;
            }
          });
        await asyncio.wait([1, 2].map((n) => createTask(work, { name: `task ${n}` })));
        await pool.close();
        if (factory.open.size > 0) throw new Error("a resource is open still");
        if (pool.statistics().borrowed > 0) throw new Error("a resource is lent still");
      },
      { order: "any", policy: "delays", bound: 1, cancels: 1, runs: 50_000 },
    );
    expect(failure === null ? null : String(failure)).toBeNull();
    expect(exhausted).toBe(true);
  });

  test("bad options are errors at the call", () => {
    expect(() => new Pool({ size: 0, create: async () => 1, destroy: async () => {} })).toThrow("size: expected");
  });
});

describe("start", () => {
  test(
    "waits until the child is ready, and the child goes on",
    asyncTest(async () => {
      const log: unknown[] = [];
      await taskGroup(async (group) => {
        const port = await start(group, async (started: Started<number>) => {
          await sleep(1);
          started(8080);
          await sleep(5);
          log.push("served");
        });
        log.push(port, getRunningLoop().time());
      });
      expect(log).toEqual([8080, 1, "served"]);
    }),
  );

  test(
    "a failure before that is the caller's, one afterwards the group's",
    asyncTest(async () => {
      const failing = async (started: Started): Promise<void> => {
        await sleep(1);
        if (getRunningLoop().time() > 1) started();
        throw new Error("no port");
      };
      await taskGroup(async (group) => {
        await expect(start(group, failing)).rejects.toThrow("no port");
      });
      const group = taskGroup(async (inner) => {
        await start(inner, failing);
        await sleep(60);
      });
      await expect(group).rejects.toMatchObject({ errors: [{ message: "no port" }] });
    }),
  );

  test(
    "a child that ends without a word, or says it twice, is an error",
    asyncTest(function* () {
      yield* taskGroup(function* (group) {
        let failure: unknown;
        try {
          yield* start(group, function* () {
            yield* sleep(1);
          });
        } catch (error) {
          failure = error;
        }
        expect(String(failure)).toContain("ended without a call of started()");
      });
      const twice = taskGroup(async (group) => {
        await start(group, async (started: Started) => {
          started();
          started();
        });
      });
      let failure: unknown;
      try {
        yield* twice;
      } catch (error) {
        failure = error;
      }
      expect(failure).toMatchObject({ errors: [{ message: "started() was called before" }] });
    }),
  );

  test(
    "a caller that is cancelled cancels the child, and waits for it",
    asyncTest(async () => {
      let cleaned = 0;
      await taskGroup(async (group) => {
        const starting = createTask(
          start(group, async () => {
            try {
              await sleep(60);
            } finally {
              await sleep(1);
              cleaned = getRunningLoop().time();
            }
          }),
        );
        await waitAllTasksBlocked();
        starting.cancel();
        await asyncio.wait([starting]);
        expect([starting.cancelled(), cleaned]).toEqual([true, 1]);
      });
    }),
  );
});
