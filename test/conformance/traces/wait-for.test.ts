/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */

import * as asyncio from "asyncio-ts";
import { except, float, me, repr } from "./python-words.ts";
import { golden } from "./trace-loop.ts";

golden("C01_wait_for_none", function* (log) {
  function* child() {
    log("child");
    return 1;
  }
  log("before");
  yield* asyncio.waitFor(child(), null);
  log("after");
});

golden("C02_wait_for_immediate", function* (log) {
  function* child() {
    log("child", me().getName() === name);
    return 1;
  }
  const name = me().getName();
  log("before");
  yield* asyncio.waitFor(child(), 1);
  log("after");
});

golden("C03_wait_for_timeout", function* (log) {
  const loop = asyncio.getRunningLoop();
  function* child() {
    try {
      yield* asyncio.sleep(10);
    } catch (error) {
      log("child cancelled at", float(loop.time()));
      throw error;
    }
  }
  log("before");
  try {
    yield* asyncio.waitFor(child(), 1);
  } catch (error) {
    const { cause } = except(asyncio.TimeoutError, error);
    log("TimeoutError at", float(loop.time()), "cause", repr(cause), "cancelling", me().cancelling());
  }
});

golden("C04_wait_for_zero_not_started", function* (log) {
  function* child() {
    log("child started");
  }
  log("before");
  try {
    yield* asyncio.waitFor(child(), 0);
  } catch (error) {
    log(except(asyncio.TimeoutError, error).name);
  }
});

golden("C05_wait_for_zero_done_future", function* (log) {
  const future = asyncio.getRunningLoop().createFuture<number>();
  future.setResult(7);
  log("before");
  log(yield* asyncio.waitFor(future, 0));
  log("after");
});

golden("C06_wait_for_future_timeout", function* (log) {
  const future = asyncio.getRunningLoop().createFuture();
  try {
    yield* asyncio.waitFor(future, 1);
  } catch (error) {
    except(asyncio.TimeoutError, error);
    log("timeout; f.cancelled()", future.cancelled());
  }
});

golden("C07_wait_for_task_suppresses_cancel_returns_value", function* (log) {
  function* child() {
    try {
      yield* asyncio.sleep(10);
      return "no";
    } catch (error) {
      except(asyncio.CancelledError, error);
      return "swallowed";
    }
  }
  try {
    log("r", yield* asyncio.waitFor(child(), 1));
  } catch (error) {
    except(asyncio.TimeoutError, error);
    log("timeout");
  }
});

golden("C08_wait_for_result_and_timeout_same_tick", function* (log) {
  const loop = asyncio.getRunningLoop();
  const future = loop.createFuture<string>();
  loop.callLater(1, () => future.setResult("ok"));
  try {
    log("r", yield* asyncio.waitFor(future, 1), "cancelling", me().cancelling());
  } catch (error) {
    except(asyncio.TimeoutError, error);
    log("timeout");
  }
});

golden("C09_wait_for_outer_cancel", function* (log) {
  function* parent() {
    const future = asyncio.getRunningLoop().createFuture();
    try {
      yield* asyncio.waitFor(future, 10);
    } catch (error) {
      except(asyncio.CancelledError, error);
      log("cancelled, f.cancelled", future.cancelled());
      throw error;
    }
  }
  const task = asyncio.createTask(parent());
  yield* asyncio.sleep(0);
  task.cancel();
  log("cancel");
  try {
    yield* task;
  } catch (error) {
    except(asyncio.CancelledError, error);
    log("main caught");
  }
});
