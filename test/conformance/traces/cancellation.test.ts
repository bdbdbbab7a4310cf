/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */

import * as asyncio from "asyncio-ts";
import { argsOf, except, me, repr, ValueError } from "./python-words.ts";
import { golden } from "./trace-loop.ts";

golden("K01_cancel_before_start", function* (log) {
  function* child() {
    log("never runs");
  }
  const task = asyncio.createTask(child());
  log("cancel", task.cancel());
  try {
    yield* task;
  } catch (error) {
    except(asyncio.CancelledError, error);
    log("cancelled", task.cancelled());
  }
});

golden("K02_cancel_at_sleep0", function* (log) {
  function* child() {
    try {
      yield* asyncio.sleep(0);
      log("no");
    } catch (error) {
      log("c cancelled");
      throw error;
    }
  }
  const task = asyncio.createTask(child());
  yield* asyncio.sleep(0);
  task.cancel();
  log("cancel");
  try {
    yield* task;
  } catch (error) {
    except(asyncio.CancelledError, error);
    log("main");
  }
});

golden(
  "K03_cancel_msg",
  function* (log) {
    function* child() {
      yield* asyncio.sleep(10);
    }
    const task = asyncio.createTask(child());
    yield* asyncio.sleep(0);
    task.cancel("why");
    try {
      yield* task;
    } catch (error) {
      log(argsOf(except(asyncio.CancelledError, error)));
    }
    try {
      task.result();
    } catch (error) {
      log("again", argsOf(except(asyncio.CancelledError, error)));
    }
    try {
      task.exception();
    } catch (error) {
      log("exception()", argsOf(except(asyncio.CancelledError, error)));
    }
  },
  {
    differs: {
      because: "a task has no private `_cancel_message` to show",
      lines: {
        "4:('why',) None": "4:('why',)",
      },
    },
  },
);

golden("K04_cancel_twice_message", function* (log) {
  function* child() {
    try {
      yield* asyncio.sleep(10);
    } catch (error) {
      log("inner", argsOf(except(asyncio.CancelledError, error)));
      throw error;
    }
  }
  const task = asyncio.createTask(child());
  yield* asyncio.sleep(0);
  log(task.cancel("one"), task.cancel("two"), task.cancelling());
  try {
    yield* task;
  } catch (error) {
    log("outer", argsOf(except(asyncio.CancelledError, error)));
  }
});

golden("K05_cancel_swallow_then_cancel_again", function* (log) {
  function* child() {
    for (let i = 0; i < 3; i++) {
      try {
        yield* asyncio.sleep(10);
      } catch (error) {
        except(asyncio.CancelledError, error);
        log("swallow", i, me().cancelling());
      }
    }
    return "ok";
  }
  const task = asyncio.createTask(child());
  yield* asyncio.sleep(0);
  for (let i = 0; i < 3; i++) {
    task.cancel();
    yield* asyncio.sleep(0);
    yield* asyncio.sleep(0);
  }
  log(yield* task);
});

golden("K06_uncancel", function* (log) {
  function* child() {
    try {
      yield* asyncio.sleep(10);
    } catch (error) {
      except(asyncio.CancelledError, error);
      log("cancelling", me().cancelling(), "uncancel", me().uncancel());
    }
    yield* asyncio.sleep(0);
    log("ok");
    return 1;
  }
  const task = asyncio.createTask(child());
  yield* asyncio.sleep(0);
  task.cancel();
  log(yield* task, task.cancelled());
});

golden("K07_uncancel_clears_must_cancel", function* (log) {
  function* child() {
    const task = me();
    task.cancel();
    log("cancelling", task.cancelling());
    task.uncancel();
    yield* asyncio.sleep(0);
    log("survived");
  }
  yield* asyncio.createTask(child());
});

golden("K08_self_cancel", function* (log) {
  function* child() {
    me().cancel();
    log("still running");
    try {
      yield* asyncio.sleep(0);
      log("no");
    } catch (error) {
      log("raised at next suspension");
      throw error;
    }
  }
  const task = asyncio.createTask(child());
  try {
    yield* task;
  } catch (error) {
    except(asyncio.CancelledError, error);
    log("main");
  }
});

golden("K09_self_cancel_then_return", function* (log) {
  function* child() {
    me().cancel();
    return 5;
  }
  const task = asyncio.createTask(child());
  try {
    log(yield* task);
  } catch (error) {
    except(asyncio.CancelledError, error);
    log("main cancelled", task.cancelled());
  }
});

golden("K10_self_cancel_await_done_future", function* (log) {
  function* child() {
    const future = asyncio.getRunningLoop().createFuture<number>();
    future.setResult(1);
    me().cancel();
    log(yield* future, "await done future not interrupted");
    yield* asyncio.sleep(0);
  }
  const task = asyncio.createTask(child());
  try {
    yield* task;
    log("no");
  } catch (error) {
    except(asyncio.CancelledError, error);
    log("main cancelled");
  }
});

golden("K11_cancel_task_awaiting_task", function* (log) {
  function* inner() {
    try {
      yield* asyncio.sleep(10);
    } catch (error) {
      log("inner cancelled");
      throw error;
    }
  }
  function* outer() {
    try {
      yield* innerTask;
    } catch (error) {
      log("outer cancelled");
      throw error;
    }
  }
  const innerTask = asyncio.createTask(inner());
  const task = asyncio.createTask(outer());
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
});

golden("K12_cancel_inner_swallows_outer_not_cancelled", function* (log) {
  function* inner() {
    try {
      yield* asyncio.sleep(10);
      return "no";
    } catch (error) {
      except(asyncio.CancelledError, error);
      return "swallowed";
    }
  }
  function* outer() {
    const result = yield* innerTask;
    log("outer got", result, "cancelling", me().cancelling());
    return result;
  }
  const innerTask = asyncio.createTask(inner());
  const task = asyncio.createTask(outer());
  yield* asyncio.sleep(0);
  yield* asyncio.sleep(0);
  task.cancel();
  log(yield* task);
});

golden("K13_cancel_done_task", function* (log) {
  function* child() {
    return 1;
  }
  const task = asyncio.createTask(child());
  yield* task;
  log(task.cancel(), task.cancelling());
});

golden("K14_cancel_with_completed_waiter", function* (log) {
  const future = asyncio.getRunningLoop().createFuture<number>();
  function* child() {
    try {
      log("got", yield* future);
    } catch (error) {
      log("cancelled although future had result");
      throw error;
    }
  }
  const task = asyncio.createTask(child());
  yield* asyncio.sleep(0);
  future.setResult(1);
  task.cancel();
  try {
    yield* task;
  } catch (error) {
    except(asyncio.CancelledError, error);
    log("main");
  }
});

golden("K15_raise_cancelled_without_cancel", function* (log) {
  function* child() {
    throw new asyncio.CancelledError("manual");
  }
  const task = asyncio.createTask(child());
  try {
    yield* task;
  } catch (error) {
    log(argsOf(except(asyncio.CancelledError, error)), task.cancelled(), task.cancelling());
  }
});

golden(
  "K16_cancelled_then_other_exception",
  function* (log) {
    function* child() {
      try {
        yield* asyncio.sleep(10);
      } catch {
        throw new ValueError("x");
      }
    }
    const task = asyncio.createTask(child());
    yield* asyncio.sleep(0);
    task.cancel();
    try {
      yield* task;
    } catch (error) {
      log(repr(except(ValueError, error)), task.cancelled());
    }
  },
  {
    differs: {
      because: "an error thrown in JavaScript does not know which other it displaced: no `__context__`",
      lines: {
        "4:ValueError('x') CancelledError() False": "4:ValueError('x') False",
      },
    },
  },
);
