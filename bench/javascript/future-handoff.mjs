/**
 * Two tasks that hand control to each other: each makes a future, completes the one the other waits for, and waits for
 * its own. Nothing else is ready, so that each handoff is a turn of the loop: what a request and its answer cost.
 *
 * @module
 */

// oxlint-disable no-await-in-loop -- to wait in a loop is what is measured

import { ASYNC, GENERATORS, NATIVE } from "../subjects.mjs";
import { now } from "./measure.mjs";

/** @type {import("../benchmark.mjs").Benchmark} */
export const futureHandoff = {
  name: "future-handoff",
  unit: "ns per handoff",
  better: "lower",
  sizes: { full: { handoffs: 500_000 }, quick: { handoffs: 100_000 }, warmUp: { handoffs: 50_000 } },
  programs: { [GENERATORS]: generators, [ASYNC]: asyncFunctions, [NATIVE]: native },
  python: "future-handoff.py",
};

function generators({ handoffs }, asyncio) {
  let waiting = null;
  function* player(loop) {
    for (let i = 0; i < handoffs / 2; i++) {
      const other = waiting;
      waiting = loop.createFuture();
      other?.setResult();
      yield* waiting;
    }
    // The other waits for its last one.
    if (!waiting.done()) waiting.setResult();
  }
  return asyncio.run(function* () {
    const loop = asyncio.getRunningLoop();
    const start = now();
    yield* asyncio.gather(
      asyncio.createTask(() => player(loop)),
      asyncio.createTask(() => player(loop)),
    );
    return perHandoff(start, handoffs);
  });
}

function asyncFunctions({ handoffs }, asyncio) {
  let waiting = null;
  async function player(loop) {
    for (let i = 0; i < handoffs / 2; i++) {
      const other = waiting;
      waiting = loop.createFuture();
      other?.setResult();
      await waiting;
    }
    if (!waiting.done()) waiting.setResult();
  }
  return asyncio.run(async () => {
    const loop = asyncio.getRunningLoop();
    const start = now();
    await asyncio.gather(
      asyncio.createTask(() => player(loop)),
      asyncio.createTask(() => player(loop)),
    );
    return perHandoff(start, handoffs);
  });
}

async function native({ handoffs }) {
  let waiting = null;
  async function player() {
    for (let i = 0; i < handoffs / 2; i++) {
      const other = waiting;
      waiting = withResolvers();
      other?.resolve();
      await waiting.promise;
    }
    waiting.resolve();
  }
  const start = now();
  await Promise.all([player(), player()]);
  return perHandoff(start, handoffs);
}

/** `Promise.withResolvers`, which Node 20 lacks. */
function withResolvers() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

function perHandoff(start, handoffs) {
  return ((now() - start) * 1e6) / handoffs;
}
