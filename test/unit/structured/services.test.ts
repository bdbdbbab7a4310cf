/** Services: what a program consists of starts in order, and stops in the other order. */

import * as asyncio from "asyncio-ts";
import type { Service } from "asyncio-ts/structured";
import { Services } from "asyncio-ts/structured";
import { asyncTest } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import type { Program } from "../syntaxes.ts";
import { SYNTAXES, wait } from "../syntaxes.ts";

const { createTask, getRunningLoop, sleep } = asyncio;

describe.each(SYNTAXES)("in %s", (_name, syntax) => {
  const specify = (name: string, program: () => Program<void>, debug = true): void =>
    test(name, asyncTest(syntax(program) as () => Promise<void>, { debug }));

  /** A service that takes `getReady` seconds to be ready and `cleanUp` to stop. */
  const part = (log: string[], name: string, { getReady = 1, cleanUp = 0, ...rest } = {}): Service => ({
    name,
    run: syntax(function* (ready: () => void) {
      yield* wait(sleep(getReady));
      log.push(`${getRunningLoop().time()} ${name} is ready`);
      ready();
      try {
        yield* wait(sleep(3600));
      } finally {
        yield* wait(sleep(cleanUp));
        log.push(`${getRunningLoop().time()} ${name} has stopped`);
      }
    }),
    ...rest,
  });

  specify("they start in order, and stop in the other order when run() is cancelled", function* () {
    const log: string[] = [];
    const services = new Services([part(log, "a"), part(log, "b", { cleanUp: 2 }), part(log, "c", { cleanUp: 1 })]);
    expect(services.health()).toEqual({ isReady: false, services: { a: "waiting", b: "waiting", c: "waiting" } });
    const running = createTask(services.run());
    yield* wait(sleep(1.5));
    expect(services.health()).toEqual({ isReady: false, services: { a: "ready", b: "starting", c: "waiting" } });
    yield* wait(sleep(8.5));
    expect(services.health().isReady).toBe(true);
    running.cancel();
    yield* wait(sleep(0.5));
    expect(services.health().services).toEqual({ a: "ready", b: "ready", c: "stopping" });
    yield* wait(asyncio.wait([running]));
    expect(running.cancelled()).toBe(true);
    expect(log).toEqual([
      "1 a is ready",
      "2 b is ready",
      "3 c is ready",
      "11 c has stopped",
      "13 b has stopped",
      "13 a has stopped",
    ]);
    expect(services.health()).toEqual({ isReady: true, services: { a: "stopped", b: "stopped", c: "stopped" } });
  });

  specify("one that fails stops the others, at its start and later", function* () {
    for (const after of [0, 5]) {
      const log: string[] = [];
      const broken: Service = {
        name: "broken",
        run: syntax(function* (ready: () => void) {
          if (after > 0) ready();
          yield* wait(sleep(after));
          throw new Error("disk full");
        }),
      };
      const services = new Services([part(log, "a", { getReady: 0 }), broken, part(log, "never", { getReady: 60 })]);
      const running = createTask(services.run());
      yield* wait(asyncio.wait([running]));
      expect(running.exception()).toEqual(new Error("disk full"));
      expect(log.map((line) => line.split(" ").slice(1).join(" "))).toEqual(["a is ready", "a has stopped"]);
      expect(services.health().services["broken"]).toBe("failed");
    }
  });

  specify("run() returns when all have returned; one may be done before it says that it is ready", function* () {
    const migration: Service = { name: "migration", run: () => sleep(1) };
    const work: Service = { name: "work", run: () => sleep(2) };
    const services = new Services([migration, work]);
    yield* wait(services.run());
    expect([getRunningLoop().time(), services.health().isReady]).toEqual([3, true]);
  });

  specify("one that does not stop within its grace is cut short", function* () {
    const log: string[] = [];
    const services = new Services([part(log, "slow", { cleanUp: 60, stopWithin: 5 } as object)]);
    const running = createTask(services.run());
    yield* wait(sleep(2));
    running.cancel();
    yield* wait(asyncio.wait([running]));
    expect([running.cancelled(), getRunningLoop().time()]).toEqual([true, 7]);
  });

  specify(
    "one that awaits a bare promise cannot be stopped, and is named",
    function* () {
      let end!: () => void;
      const stuck: Service = { name: "stuck", run: () => new Promise<void>((resolve) => (end = resolve)) };
      const services = new Services([stuck]);
      const running = createTask(services.run());
      yield* wait(sleep(1));
      running.cancel();
      yield* wait(asyncio.wait([running]));
      expect(String(running.exception())).toContain("stuck did not stop: is a bare promise awaited there?");
      expect((running.exception() as Error).cause).toBeInstanceOf(asyncio.CancelledError);
      end();
      yield* wait(sleep(0));
    },
    false, // debug mode reports the promise
  );

  specify("cancelled while one is starting, and twice while they stop", function* () {
    const log: string[] = [];
    const services = new Services([part(log, "a", { cleanUp: 2 }), part(log, "b", { getReady: 60 })]);
    const running = createTask(services.run());
    yield* wait(sleep(5));
    running.cancel();
    yield* wait(sleep(1));
    running.cancel();
    yield* wait(asyncio.wait([running]));
    expect([running.cancelled(), log]).toEqual([true, ["1 a is ready", "7 a has stopped"]]);
  });
});

test("names are known apart, and times are times", () => {
  const service = { name: "same", run: () => sleep(0) };
  expect(() => new Services([service, service])).toThrow("two have the same name");
  expect(() => new Services([{ ...service, stopWithin: "soon" as never }])).toThrow("Invalid stopWithin");
});
