/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */

import * as asyncio from "asyncio-ts";
import { argsOf, except, ValueError } from "./python-words.ts";
import { golden } from "./trace-loop.ts";

golden("B01_gather_empty", function* (log) {
  log("before");
  const results = yield* asyncio.gather();
  log("after", results);
});

golden("B02_gather_two_immediate", function* (log) {
  function* child(n: number) {
    log("child", n);
    return n;
  }
  log("before");
  const results = yield* asyncio.gather(child(1), child(2));
  log("after", results);
});

golden("B03_gather_done_futures", function* (log) {
  const loop = asyncio.getRunningLoop();
  const a = loop.createFuture<number>();
  a.setResult(1);
  const b = loop.createFuture<number>();
  b.setResult(2);
  log("before");
  const results = yield* asyncio.gather(a, b);
  log("after", results);
});

golden("B04_gather_first_exception", function* (log) {
  function* child(n: number) {
    log("child", n);
    if (n === 1) throw new ValueError(n);
    yield* asyncio.sleep(0);
    log("child", n, "resumed");
    yield* asyncio.sleep(0);
    log("child", n, "end");
  }
  log("before");
  try {
    yield* asyncio.gather(child(1), child(2));
  } catch (error) {
    log("caught", except(ValueError, error));
  }
  yield* asyncio.sleep(0);
  yield* asyncio.sleep(0);
  yield* asyncio.sleep(0);
  log("end");
});

golden("B05_gather_return_exceptions", function* (log) {
  function* child(n: number) {
    if (n === 1) throw new ValueError(n);
    return n;
  }
  const results = yield* asyncio.gather(child(1), child(2), { returnExceptions: true });
  log("after", results);
});

golden("B06_gather_cancel_outer", function* (log) {
  function* child(n: number) {
    try {
      yield* asyncio.sleep(10);
    } catch (error) {
      log("child", n, "cancelled");
      throw error;
    }
  }
  function* parent() {
    try {
      yield* asyncio.gather(child(1), child(2));
    } catch (error) {
      log("parent cancelled");
      throw error;
    }
  }
  const task = asyncio.createTask(parent());
  yield* asyncio.sleep(0);
  yield* asyncio.sleep(0);
  log("cancel");
  task.cancel("msg");
  try {
    yield* task;
  } catch (error) {
    log("main caught", argsOf(except(asyncio.CancelledError, error)));
  }
});

golden("B07_gather_child_cancelled", function* (log) {
  function* child() {
    yield* asyncio.sleep(10);
  }
  const first = asyncio.createTask(child());
  const second = asyncio.createTask(child());
  const gathering = asyncio.gather(first, second);
  yield* asyncio.sleep(0);
  first.cancel("kid");
  log("cancelled child");
  try {
    yield* gathering;
  } catch (error) {
    const kid = argsOf(except(asyncio.CancelledError, error));
    log("caught", kid, "g.cancelled", gathering.cancelled(), "t1 done", second.done());
  }
  second.cancel();
});

golden("B08_gather_return_exceptions_cancel", function* (log) {
  function* child() {
    yield* asyncio.sleep(10);
  }
  function* parent() {
    try {
      log("r", yield* asyncio.gather(child(), child(), { returnExceptions: true }));
    } catch (error) {
      log("parent cancelled");
      throw error;
    }
  }
  const task = asyncio.createTask(parent());
  yield* asyncio.sleep(0);
  yield* asyncio.sleep(0);
  task.cancel();
  try {
    yield* task;
  } catch (error) {
    log("main caught", argsOf(except(asyncio.CancelledError, error)));
  }
});

golden("B09_gather_duplicates", function* (log) {
  function* child() {
    return {};
  }
  const same = child();
  const results = yield* asyncio.gather(same, same);
  log(results[0] === results[1]);
});
