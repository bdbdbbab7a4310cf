/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */

import * as asyncio from "asyncio-ts";
import { except, float, me, ValueError } from "./python-words.ts";
import { golden } from "./trace-loop.ts";

golden("F01_shield_normal", function* (log) {
  function* child() {
    log("child");
    return 5;
  }
  log("before");
  const result = yield* asyncio.shield(child());
  log("after", result);
});

golden("F02_shield_cancel_outer", function* (log) {
  function* child() {
    yield* asyncio.sleep(5);
    log("child finished");
    return 5;
  }
  function* parent() {
    try {
      yield* asyncio.shield(inner);
    } catch (error) {
      log("m cancelled; inner cancelled?", inner.cancelled());
      throw error;
    }
  }
  const inner = asyncio.createTask(child());
  const task = asyncio.createTask(parent());
  yield* asyncio.sleep(0);
  yield* asyncio.sleep(0);
  task.cancel();
  log("cancel");
  try {
    yield* task;
  } catch (error) {
    except(asyncio.CancelledError, error);
    log("main");
  }
  log(yield* inner);
});

golden("F03_shield_inner_cancelled", function* (log) {
  function* child() {
    yield* asyncio.sleep(5);
  }
  const inner = asyncio.createTask(child());
  yield* asyncio.sleep(0);
  function* parent() {
    try {
      yield* asyncio.shield(inner);
    } catch (error) {
      log("m got", except(asyncio.CancelledError, error).name, me().cancelling());
    }
  }
  const task = asyncio.createTask(parent());
  yield* asyncio.sleep(0);
  inner.cancel();
  log("inner.cancel");
  yield* task;
  log("end");
});

golden("F04_shield_done_inner_returns_inner", function* (log) {
  const future = asyncio.getRunningLoop().createFuture<number>();
  future.setResult(3);
  log(asyncio.shield(future) === future);
});

golden("F05_shield_inner_fails_after_outer_cancelled", function* (log) {
  function* child() {
    yield* asyncio.sleep(1);
    throw new ValueError("late");
  }
  const inner = asyncio.createTask(child());
  function* parent() {
    yield* asyncio.shield(inner);
  }
  const task = asyncio.createTask(parent());
  yield* asyncio.sleep(0);
  yield* asyncio.sleep(0);
  task.cancel();
  try {
    yield* task;
  } catch (error) {
    except(asyncio.CancelledError, error);
    log("main");
  }
  yield* asyncio.sleep(2);
  log("end", float(asyncio.getRunningLoop().time()));
  inner.exception();
});
