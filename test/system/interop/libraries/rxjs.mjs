/** RxJS: a task as an observable, and an observable as something to wait for. */

import assert from "node:assert/strict";
import { A_MOMENT } from "../kit.mjs";

export const packages = { rxjs: "7.8.2" };

export const how = `\`from(task)\` takes a task as a promise. To wait for an observable so that a cancellation unsubscribes:
\`fromPromise((signal) => firstValueFrom(source.pipe(takeUntil(fromEvent(signal, "abort")))))\`.`;

export async function checks(asyncio, load) {
  const { firstValueFrom, from, fromEvent, interval, Observable, takeUntil } = await load("rxjs");
  const { createTask, fromPromise, sleep } = asyncio;
  const first = (source) => (signal) => firstValueFrom(source.pipe(takeUntil(fromEvent(signal, "abort"))));

  async function unsubscribes(work) {
    let subscribed = 0;
    const source = new Observable(() => (subscribed++, () => subscribed--));
    const task = createTask(() => work(source));
    await sleep(A_MOMENT);
    assert.equal(subscribed, 1);
    task.cancel();
    await asyncio.wait([task]);
    assert.deepEqual([subscribed, task.cancelled()], [0, true]);
  }

  const every = {
    value: {
      async: async () => {
        assert.equal(await firstValueFrom(from(createTask(() => sleep(0.001, "value")))), "value");
        assert.equal(await firstValueFrom(from(sleep(0.001, "value"))), "value");
        assert.equal(await fromPromise(first(interval(1))), 0);
      },
      generator: function* () {
        assert.equal(yield* fromPromise(first(interval(1))), 0);
      },
    },
    errors: {
      async: async () => {
        const failing = createTask(async () => await Promise.reject(new RangeError("one")));
        await assert.rejects(firstValueFrom(from(failing)), RangeError);
      },
    },
    cancellation: {
      async: () => unsubscribes(async (source) => await fromPromise(first(source))),
      generator: () =>
        unsubscribes(function (source) {
          return (function* () {
            yield* fromPromise(first(source));
          })();
        }),
    },
    deadline: {
      async: () =>
        assert.rejects(
          asyncio.timeout(A_MOMENT, () => fromPromise(first(interval(20_000)))),
          asyncio.TimeoutError,
        ),
    },
  };
  return { checks: every, close: () => {} };
}
