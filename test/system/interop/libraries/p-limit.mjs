/** p-limit, p-queue and p-retry: what is queued in them goes on, unless it is told. */

import assert from "node:assert/strict";
import { A_MOMENT } from "../kit.mjs";

export const packages = { "p-limit": "7.2.0", "p-queue": "8.1.1", "p-retry": "7.1.0" };

export const how = `What is queued in them is nobody's task: it goes on after a cancellation, and p-retry takes a cancellation for a
failure and tries again. Use a \`Semaphore\` and a \`taskGroup\` instead; or give them work that looks at the signal
(\`signal.throwIfAborted()\`), p-retry the \`signal\` and a \`shouldRetry\` that says no to \`isCancelled(error)\`.`;

export async function checks(asyncio, load) {
  const [{ default: pLimit }, { default: PQueue }, { default: pRetry }] = await Promise.all(
    ["p-limit", "p-queue", "p-retry"].map(load),
  );
  const { createTask, currentTask, fromPromise, sleep } = asyncio;

  /** How many of ten pieces of work have begun, some time after the task that queued them was cancelled. */
  async function begunAfter(queueAll) {
    let begun = 0;
    const work = async (signal) => {
      signal?.throwIfAborted();
      begun++;
      await new Promise((resolve) => setTimeout(resolve, A_MOMENT * 400));
    };
    const task = createTask(() => fromPromise((signal) => queueAll(work, signal)));
    await sleep(A_MOMENT / 5);
    task.cancel();
    await asyncio.wait([task]);
    assert.equal(task.cancelled(), true);
    await sleep(A_MOMENT * 8);
    return begun;
  }

  const ten = Array.from({ length: 10 });
  const limited = (work, signal) => {
    const limit = pLimit(1);
    return Promise.all(ten.map(() => limit(() => work(signal))));
  };
  const queued = (work, signal) => {
    const queue = new PQueue({ concurrency: 1 });
    return Promise.all(ten.map(() => queue.add(() => work(signal))));
  };
  const every = {
    value: {
      async: async () =>
        assert.deepEqual(await Promise.all(ten.map((_, i) => pLimit(2)(async () => (await sleep(0.001), i)))), [
          ...ten.keys(),
        ]),
      generator: function* () {
        assert.equal(yield* fromPromise(pLimit(1)(async () => "value")), "value");
      },
    },
    cancellation: {
      async: async () => {
        assert.ok((await begunAfter((work) => limited(work))) > 1, "p-limit stops by itself now: say so in the docs");
        assert.equal(await begunAfter(limited), 1);
        assert.equal(await begunAfter(queued), 1);
      },
    },
    retry: {
      async: async () => {
        let tries = 0;
        const once = async () => {
          tries++;
          await asyncio.timeout(5, () => sleep(60));
        };
        const task = createTask(async () => {
          const { signal } = currentTask();
          await pRetry(once, {
            retries: 3,
            minTimeout: 1,
            signal,
            shouldRetry: ({ error }) => !asyncio.isCancelled(error),
          });
        });
        await sleep(A_MOMENT);
        task.cancel();
        await asyncio.wait([task]);
        assert.deepEqual([tries, task.cancelled()], [1, true]);
      },
    },
  };
  return { checks: every, close: () => {} };
}
