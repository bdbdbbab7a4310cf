/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */

import * as asyncio from "asyncio-ts";
import { except, float } from "./python-words.ts";
import { golden } from "./trace-loop.ts";

golden("J01_as_completed_plain", function* (log) {
  function* child(n: number) {
    yield* asyncio.sleep(n);
    return n;
  }
  for (const next of asyncio.asCompleted([child(2), child(1), child(3)])) {
    log("r", yield* next, float(asyncio.getRunningLoop().time()));
  }
});

// Written twice: a generator has no `for await` and asks the iterator by hand.
golden("J02_as_completed_async", {
  *generators(log) {
    function* child(n: number) {
      yield* asyncio.sleep(n);
      return n;
    }
    const tasks: asyncio.Future<number>[] = [asyncio.createTask(child(2)), asyncio.createTask(child(1))];
    const iterator = asyncio.asCompleted(tasks)[Symbol.asyncIterator]();
    for (;;) {
      const step = yield* iterator.next() as unknown as asyncio.Coroutine<Awaited<ReturnType<typeof iterator.next>>>;
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
});

golden("J03_as_completed_timeout", function* (log) {
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
});

golden("J04_as_completed_ticks", function* (log) {
  function* child(n: number) {
    log("c", n);
    return n;
  }
  for (const next of asyncio.asCompleted([child(1)])) log("r", yield* next);
});
