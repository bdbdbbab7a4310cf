/** n tasks wait for the same thing, each of them is cancelled, and then the thing is used. @module */

import { cpuMilliseconds, times } from "../../javascript/measure.mjs";
import { inBothSyntaxes, letThemStart, mustBeCancelled } from "../syntax.mjs";
import { shuffled } from "./shuffled.mjs";

export const cancelledWaiters = [
  cancelWaiters("growth-lock", { order: inLine, prepare: lock }),
  cancelWaiters("growth-condition", { order: inLine, prepare: condition }),
  cancelWaiters("growth-semaphore", { order: inLine, prepare: semaphore }),
  cancelWaiters("growth-event", { order: shuffled, prepare: event }),
  cancelWaiters("growth-barrier", { order: inLine, prepare: barrier }),
  cancelWaiters("growth-queue-get", { order: inLine, prepare: queueGet }),
  cancelWaiters("growth-queue-put", { order: shuffled, prepare: queuePut }),
  cancelWaiters("growth-shield", { order: shuffled, prepare: shield }),
  cancelWaiters("growth-shield-in-line", { order: inLine, prepare: shield }),
  cancelWaiters("growth-wait", { order: shuffled, prepare: wait }),
];

/** @returns {import("../operation.mjs").Operation} */
function cancelWaiters(name, { order, prepare }) {
  const program = (n, asyncio, awaiting) =>
    asyncio.run(function* () {
      const { waitInLine, useAfterwards } = yield* prepare(asyncio, n, awaiting);
      const tasks = times(n, () => asyncio.createTask(awaiting(waitInLine)));
      yield* letThemStart(asyncio);
      const cancelOrder = order(tasks);
      const start = cpuMilliseconds();
      for (const task of cancelOrder) task.cancel();
      yield* asyncio.gather(tasks, { returnExceptions: true });
      if (useAfterwards !== undefined) yield* useAfterwards();
      const milliseconds = cpuMilliseconds() - start;
      mustBeCancelled(tasks);
      return milliseconds;
    });
  return { name, programs: inBothSyntaxes(program), inPython: true };
}

function inLine(tasks) {
  return tasks;
}

function* lock(asyncio, n) {
  const held = new asyncio.Lock();
  yield* held.acquire();
  return {
    waitInLine: () => held.acquire(),
    *useAfterwards() {
      held.release();
      for (let i = 0; i < n; i++) {
        yield* held.acquire();
        held.release();
      }
    },
  };
}

// oxlint-disable require-yield -- each prepares a thing as `lock` does, which has to wait

function* condition(asyncio, _n, awaiting) {
  const shared = new asyncio.Condition();
  const body = awaiting(() => shared.wait());
  return { waitInLine: () => shared.hold(body) };
}

function* semaphore(asyncio) {
  const empty = new asyncio.Semaphore(0);
  return { waitInLine: () => empty.acquire() };
}

function* event(asyncio) {
  const unset = new asyncio.Event();
  return { waitInLine: () => unset.wait() };
}

function* barrier(asyncio, n) {
  const incomplete = new asyncio.Barrier(n + 1);
  return { waitInLine: () => incomplete.wait() };
}

function* queueGet(asyncio, n) {
  const empty = new asyncio.Queue();
  return {
    waitInLine: () => empty.get(),
    *useAfterwards() {
      for (let i = 0; i < n; i++) empty.putNowait(i);
    },
  };
}

function* queuePut(asyncio) {
  const full = new asyncio.Queue(1);
  full.putNowait(0);
  return { waitInLine: () => full.put(1) };
}

function* shield(asyncio) {
  const same = asyncio.getRunningLoop().createFuture();
  return { waitInLine: () => asyncio.shield(same) };
}

function* wait(asyncio) {
  const same = asyncio.getRunningLoop().createFuture();
  return { waitInLine: () => asyncio.wait([same]) };
}
