import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Timer } from "../../../../src/core/kernel/contract.ts";
import { Scheduler } from "../../../../src/core/loop/scheduler.ts";

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

  cancel(scheduler: Scheduler): void {
    if (!this.#cancelled) scheduler.timerCancelled(this);
    this.#cancelled = true;
  }

  run(): void {}
}

const entry = (): { run(): void } => ({ run() {} });

function runTurn(scheduler: Scheduler, end: number): unknown[] {
  scheduler.beginTurn(end);
  const ran: unknown[] = [];
  for (let next = scheduler.nextOfTurn(); next !== undefined; next = scheduler.nextOfTurn()) ran.push(next);
  return ran;
}

test("a turn holds what was ready at its beginning, then the timers that are due", () => {
  const scheduler = new Scheduler();
  const [a, b, late] = [entry(), entry(), entry()];
  const timer = new FakeTimer(1);
  scheduler.schedule(timer);
  scheduler.enqueue(a);
  scheduler.enqueue(b);
  expect(scheduler.beginTurn(2)).toBe(3);
  expect(scheduler.nextOfTurn()).toBe(a);
  scheduler.enqueue(late);
  expect(scheduler.nextOfTurn()).toBe(b);
  expect(scheduler.nextOfTurn()).toBe(timer);
  expect(scheduler.nextOfTurn()).toBeUndefined();
  expect(runTurn(scheduler, 2)).toEqual([late]);
});

test("a turn that is broken off leaves the rest to the next", () => {
  const scheduler = new Scheduler();
  const [a, b] = [entry(), entry()];
  scheduler.enqueue(a);
  scheduler.enqueue(b);
  scheduler.beginTurn(0);
  scheduler.nextOfTurn();
  scheduler.breakTurn();
  expect(scheduler.nextOfTurn()).toBeUndefined();
  expect(runTurn(scheduler, 0)).toEqual([b]);
});

test("timers fire by deadline, and in the order of their making when that is equal, whatever was cancelled", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean()), { maxLength: 400 }), (specs) => {
      const scheduler = new Scheduler();
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
      const scheduler = new Scheduler();
      for (const size of batches) {
        const batch = Array.from({ length: size }, entry);
        for (const item of batch) scheduler.enqueue(item);
        expect(scheduler.ready).toBe(size);
        expect(runTurn(scheduler, 0)).toEqual(batch);
      }
    }),
  );
});

test("a million timers set and cancelled do not pile up", () => {
  const scheduler = new Scheduler();
  for (let i = 0; i < 1_000_000; i++) {
    const timer = new FakeTimer(1000);
    scheduler.schedule(timer);
    timer.cancel(scheduler);
    if (i % 100 === 0) runTurn(scheduler, 0);
  }
  expect(scheduler.timers).toBeLessThan(300);
});

test("clear forgets ready entries and timers", () => {
  const scheduler = new Scheduler();
  scheduler.enqueue(entry());
  scheduler.schedule(new FakeTimer(1));
  scheduler.clear();
  expect([scheduler.ready, scheduler.timers, scheduler.cancelledTimers]).toEqual([0, 0, 0]);
  expect(scheduler.nextDeadline()).toBe(Infinity);
});
