/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */

import * as asyncio from "asyncio-ts";
import { except, float, golden } from "./trace-loop.ts";

golden("J01_as_completed_plain", {
  *generators(log) {
    function* child(n: number) {
      yield* asyncio.sleep(n);
      return n;
    }
    for (const next of asyncio.asCompleted([child(2), child(1), child(3)])) {
      log("r", yield* next, float(asyncio.getRunningLoop().time()));
    }
  },
  async functions(log) {
    const child = asyncio.coroutine(async (n: number) => {
      await asyncio.sleep(n);
      return n;
    });
    for (const next of asyncio.asCompleted([child(2), child(1), child(3)])) {
      log("r", await next, float(asyncio.getRunningLoop().time()));
    }
  },
  trace: `
    6:r 1 1.0
    10:r 2 2.0
    14:r 3 3.0
    15:run_until_complete returned`,
});

// A generator has no `for await`: it asks the iterator by hand.
golden("J02_as_completed_async", {
  *generators(log) {
    function* child(n: number) {
      yield* asyncio.sleep(n);
      return n;
    }
    const tasks: asyncio.Future<number>[] = [asyncio.createTask(child(2)), asyncio.createTask(child(1))];
    const iterator = asyncio.asCompleted(tasks)[Symbol.asyncIterator]();
    for (;;) {
      const step = yield* asyncio.fromPromise(iterator.next());
      if (step.done === true) break;
      const [future] = step.value;
      log("same obj", tasks.includes(future), "r", future.result(), float(asyncio.getRunningLoop().time()));
    }
  },
  async functions(log) {
    const child = asyncio.coroutine(async (n: number) => {
      await asyncio.sleep(n);
      return n;
    });
    const tasks: asyncio.Future<number>[] = [asyncio.createTask(child(2)), asyncio.createTask(child(1))];
    for await (const [future] of asyncio.asCompleted(tasks)) {
      log("same obj", tasks.includes(future), "r", future.result(), float(asyncio.getRunningLoop().time()));
    }
  },
  trace: `
    6:same obj True r 1 1.0
    10:same obj True r 2 2.0
    11:run_until_complete returned`,
  generatorsDiffer: {
    because: "a generator hears of a promise in the next turn",
    trace: `
      7:same obj True r 1 1.0
      12:same obj True r 2 2.0
      14:run_until_complete returned`,
  },
});

golden("J03_as_completed_timeout", {
  *generators(log) {
    const loop = asyncio.getRunningLoop();
    function* child(n: number) {
      yield* asyncio.sleep(n);
      return n;
    }
    try {
      for (const next of asyncio.asCompleted([child(1), child(5)], { timeout: 2 })) {
        log("r", yield* next, float(loop.time()));
      }
    } catch (error) {
      log(except(asyncio.TimeoutError, error).name, float(loop.time()));
    }
  },
  async functions(log) {
    const loop = asyncio.getRunningLoop();
    const child = asyncio.coroutine(async (n: number) => {
      await asyncio.sleep(n);
      return n;
    });
    try {
      for (const next of asyncio.asCompleted([child(1), child(5)], { timeout: 2 })) {
        log("r", await next, float(loop.time()));
      }
    } catch (error) {
      log(except(asyncio.TimeoutError, error).name, float(loop.time()));
    }
  },
  trace: `
    6:r 1 1.0
    8:TimeoutError 2.0
    9:run_until_complete returned`,
});

golden("J04_as_completed_ticks", {
  *generators(log) {
    function* child(n: number) {
      log("c", n);
      return n;
    }
    for (const next of asyncio.asCompleted([child(1)])) log("r", yield* next);
  },
  async functions(log) {
    const child = asyncio.coroutine(async (n: number) => {
      log("c", n);
      return n;
    });
    for (const next of asyncio.asCompleted([child(1)])) log("r", await next);
  },
  trace: `
    2:c 1
    4:r 1
    5:run_until_complete returned`,
});
