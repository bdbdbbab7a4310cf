/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */

/**
 * `TaskGroup.cancel`, of CPython 3.15.
 *
 * In async functions the body is a part of the task with a count of its own: it is cancelled, and the task does not
 * count it.
 */

import * as asyncio from "asyncio-ts";
import { except, exceptStar, me, repr, ValueError } from "./python-words.ts";
import { golden } from "./trace-loop.ts";

golden("M01_tg_cancel_from_body", function* (log) {
  function* good() {
    try {
      yield* asyncio.sleep(10);
    } catch (error) {
      except(asyncio.CancelledError, error);
      log("good cancelled");
      throw error;
    }
  }
  let task!: asyncio.Task<void>;
  yield* asyncio.taskGroup(function* (group) {
    task = group.createTask(good());
    yield* asyncio.sleep(0);
    group.cancel();
    log("cancel called", me().cancelling(), repr(group));
    log("body continues until next await");
    yield* asyncio.sleep(0);
    log("not reached");
  });
  log("after", me().cancelling(), task.cancelled());
});

golden("M02_tg_cancel_from_child", function* (log) {
  function* killer(group: asyncio.TaskGroup) {
    yield* asyncio.sleep(0);
    log("killer");
    group.cancel();
    log("killer goes on");
    yield* asyncio.sleep(0);
    log("not reached");
  }
  yield* asyncio.taskGroup(function* (group) {
    group.createTask(killer(group));
    try {
      yield* asyncio.sleep(10);
    } catch (error) {
      except(asyncio.CancelledError, error);
      log("body cancelled");
      throw error;
    }
  });
  log("after", me().cancelling());
});

// There is no group before its body: the first thing that the body does is what comes nearest.
golden("M03_tg_cancel_before_enter", function* (log) {
  yield* asyncio.taskGroup(function* (group) {
    group.cancel();
    log("body", me().cancelling());
    yield* asyncio.sleep(0);
    log("not reached");
  });
  log("after", me().cancelling());
});

golden("M04_tg_cancel_body_end_no_await", function* (log) {
  yield* asyncio.taskGroup(function* (group) {
    group.cancel();
  });
  log("after", me().cancelling());
  yield* asyncio.sleep(0);
  log("ok");
});

golden("M05_tg_cancel_and_child_error", function* (log) {
  function* child() {
    try {
      yield* asyncio.sleep(10);
    } catch {
      throw new ValueError("cleanup");
    }
  }
  try {
    yield* asyncio.taskGroup(function* (group) {
      group.createTask(child());
      yield* asyncio.sleep(0);
      group.cancel();
    });
  } catch (error) {
    log(repr(exceptStar(ValueError, error)), me().cancelling());
  }
});

golden(
  "M06_tg_cancel_then_create",
  function* (log) {
    yield* asyncio.taskGroup(function* (group) {
      group.cancel();
      const late = asyncio.sleep(0);
      try {
        group.createTask(late);
      } catch (error) {
        log(except(asyncio.RuntimeError, error));
      }
    });
  },
  {
    differs: {
      because: "the message says TaskGroup once",
      lines: {
        "1:TaskGroup <TaskGroup cancelling> is shutting down": "1:<TaskGroup cancelling> is shutting down",
      },
    },
  },
);

golden("M07_tg_cancel_swallows_external_cancel", function* (log) {
  function* parent() {
    yield* asyncio.taskGroup(function* (group) {
      group.cancel();
      me().cancel();
      yield* asyncio.sleep(0);
    });
    log("after", me().cancelling());
  }
  const task = asyncio.createTask(parent());
  try {
    yield* task;
    log("not cancelled");
  } catch (error) {
    except(asyncio.CancelledError, error);
    log("cancelled");
  }
});

golden("M08_tg_cancel_after_exit", function* (log) {
  const left = yield* asyncio.taskGroup(function* (group) {
    return group;
  });
  left.cancel();
  log("ok", me().cancelling());
});

golden("M09_tg_cancel_in_aexit", function* (log) {
  function* killer(group: asyncio.TaskGroup) {
    yield* asyncio.sleep(0);
    group.cancel();
    log("cancelled");
  }
  function* good() {
    yield* asyncio.sleep(10);
  }
  let task!: asyncio.Task<void>;
  yield* asyncio.taskGroup(function* (group) {
    group.createTask(killer(group));
    task = group.createTask(good());
    log("body end");
  });
  log("after", me().cancelling(), task.cancelled());
});
