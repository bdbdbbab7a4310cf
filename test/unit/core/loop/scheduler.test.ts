import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Runnable, Timer } from "../../../../src/core/kernel/contract.ts";
import { TurnScheduler } from "../../../../src/core/loop/scheduler.ts";

class FakeTimer implements Timer {
  static made = 0;
  readonly _when: number;
  readonly _serial: number = FakeTimer.made++;
  _scheduled: boolean = false;
  #cancelled = false;

  constructor(when: number) {
    this._when = when;
  }

  cancelled(): boolean {
    return this.#cancelled;
  }

  cancel(scheduler: TurnScheduler): void {
    if (!this.#cancelled) scheduler.timerCancelled(this);
    this.#cancelled = true;
  }

  run(): void {}
}

const entry = (): { run(): void } => ({ run() {} });

function runTurn(scheduler: TurnScheduler, end: number): unknown[] {
  scheduler.beginTurn(end);
  const ran: unknown[] = [];
  for (let next = scheduler.nextOfTurn(); next !== undefined; next = scheduler.nextOfTurn()) ran.push(next);
  return ran;
}

test("a turn holds what was ready at its beginning, then the timers that are due", () => {
  const scheduler = new TurnScheduler();
  const [a, b, late] = [entry(), entry(), entry()];
  const timer = new FakeTimer(1);
  scheduler.schedule(timer);
  scheduler.enqueue(a, null);
  scheduler.enqueue(b, null);
  expect(scheduler.beginTurn(2)).toBe(3);
  expect(scheduler.nextOfTurn()).toBe(a);
  scheduler.enqueue(late, null);
  expect(scheduler.nextOfTurn()).toBe(b);
  expect(scheduler.nextOfTurn()).toBe(timer);
  expect(scheduler.nextOfTurn()).toBeUndefined();
  expect(runTurn(scheduler, 2)).toEqual([late]);
});

test("a turn that is broken off leaves the rest to the next", () => {
  const scheduler = new TurnScheduler();
  const [a, b] = [entry(), entry()];
  scheduler.enqueue(a, null);
  scheduler.enqueue(b, null);
  scheduler.beginTurn(0);
  scheduler.nextOfTurn();
  scheduler.breakTurn();
  expect(scheduler.nextOfTurn()).toBeUndefined();
  expect(runTurn(scheduler, 0)).toEqual([b]);
});

test("timers fire by deadline, and in the order of their making when that is equal, whatever was cancelled", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean()), { maxLength: 400 }), (specs) => {
      const scheduler = new TurnScheduler();
      const timers = specs.map(([when]) => new FakeTimer(when));
      for (const timer of timers) scheduler.schedule(timer);
      for (const [i, timer] of timers.entries()) if (specs[i]?.[1] === true) timer.cancel(scheduler);
      const alive = timers.filter((timer) => !timer.cancelled());
      const expected = alive.toSorted((a, b) => a._when - b._when || a._serial - b._serial);
      expect(scheduler.nextDeadline()).toBe(expected[0]?._when ?? Infinity);
      const ran = runTurn(scheduler, 6) as FakeTimer[];
      expect(ran).toEqual(expected);
      expect([scheduler.timers, scheduler.cancelledTimers]).toEqual([0, 0]);
      expect(timers.every((timer) => !timer._scheduled)).toBe(true);
    }),
  );
});

test("the ready queue is first in, first out, turn by turn", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 50 }), (batches) => {
      const scheduler = new TurnScheduler();
      for (const size of batches) {
        const batch = Array.from({ length: size }, entry);
        for (const item of batch) scheduler.enqueue(item, null);
        expect(scheduler.ready).toBe(size);
        expect(runTurn(scheduler, 0)).toEqual(batch);
      }
    }),
  );
});

test("a million timers set and cancelled do not pile up", () => {
  const scheduler = new TurnScheduler();
  for (let i = 0; i < 1_000_000; i++) {
    const timer = new FakeTimer(1000);
    scheduler.schedule(timer);
    timer.cancel(scheduler);
    if (i % 100 === 0) runTurn(scheduler, 0);
  }
  expect(scheduler.timers).toBeLessThan(300);
});

test("clear forgets ready entries and timers", () => {
  const scheduler = new TurnScheduler();
  scheduler.enqueue(entry(), null);
  scheduler.schedule(new FakeTimer(1));
  scheduler.clear();
  expect([scheduler.ready, scheduler.timers, scheduler.cancelledTimers]).toEqual([0, 0, 0]);
  expect(scheduler.nextDeadline()).toBe(Infinity);
});

describe("a scheduler of one's own", () => {
  /** Takes the newest entry of a turn first, and records what became ready because of what. */
  class NewestFirst extends TurnScheduler {
    readonly causes: string[] = [];
    #turn: Runnable[] = [];

    override enqueue(ready: Runnable, cause: Runnable | null): void {
      this.causes.push(`${String(ready)} because of ${cause === null ? "nothing" : String(cause)}`);
      super.enqueue(ready, cause);
    }

    override beginTurn(end: number): number {
      const size = super.beginTurn(end);
      for (let next = super.nextOfTurn(); next !== undefined; next = super.nextOfTurn()) this.#turn.push(next);
      return size;
    }

    override nextOfTurn(): Runnable | undefined {
      return this.#turn.pop();
    }
  }

  test("decides which of the ready entries is next", async () => {
    const scheduler = new NewestFirst();
    const loop = new asyncio.BaseEventLoop(new VirtualHost(), { scheduler });
    const record: string[] = [];
    const worker = asyncio.coroutine(async (name: string) => {
      record.push(`${name} begins`);
      await asyncio.sleep(0);
      record.push(`${name} ends`);
    });
    await asyncio.run(async () => void (await asyncio.gather(worker("a"), worker("b"))), { loopFactory: () => loop });
    expect(record).toEqual(["b begins", "a begins", "a ends", "b ends"]);
  });

  test("is told because of which entry another became ready", async () => {
    const scheduler = new NewestFirst();
    const loop = new asyncio.BaseEventLoop(new VirtualHost(), { scheduler });
    function second(): void {
      loop.stop();
    }
    function first(): void {
      loop.callSoon(second);
    }
    loop.callSoon(first);
    await loop.runForever();
    loop.close();
    expect(scheduler.causes).toEqual([
      "<Handle first()> because of nothing",
      "<Handle second()> because of <Handle first()>",
    ]);
  });
});
