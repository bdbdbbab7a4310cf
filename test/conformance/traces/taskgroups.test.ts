/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */

import * as asyncio from "asyncio-ts";
import { argsOf, except, exceptStar, KeyError, me, repr, ValueError } from "./python-words.ts";
import { golden } from "./trace-loop.ts";

golden("E01_taskgroup_empty", function* (log) {
  log("before");
  yield* asyncio.taskGroup(function* () {});
  log("after");
});

golden("E02_taskgroup_one_immediate", function* (log) {
  function* child() {
    log("child");
  }
  yield* asyncio.taskGroup(function* (group) {
    group.createTask(child());
    log("body end");
  });
  log("after");
});

golden("E03_taskgroup_two_uneven", function* (log) {
  function* child(n: number) {
    for (let i = 0; i < n; i++) yield* asyncio.sleep(0);
    log("child end", n);
  }
  yield* asyncio.taskGroup(function* (group) {
    group.createTask(child(0));
    group.createTask(child(2));
    log("body end");
  });
  log("after");
});

golden("E04_taskgroup_child_error_cancels_sibling_and_body", function* (log) {
  function* bad() {
    log("bad");
    throw new ValueError("x");
  }
  function* good() {
    try {
      yield* asyncio.sleep(10);
    } catch (error) {
      except(asyncio.CancelledError, error);
      log("good cancelled");
      throw error;
    }
  }
  try {
    yield* asyncio.taskGroup(function* (group) {
      group.createTask(good());
      group.createTask(bad());
      try {
        yield* asyncio.sleep(10);
      } catch (error) {
        except(asyncio.CancelledError, error);
        log("body cancelled; cancelling()=", me().cancelling());
        throw error;
      }
    });
  } catch (error) {
    log("eg", repr(exceptStar(ValueError, error)), "cancelling", me().cancelling());
  }
});

golden("E05_taskgroup_child_error_while_in_aexit", function* (log) {
  function* bad() {
    yield* asyncio.sleep(0);
    log("bad");
    throw new ValueError("x");
  }
  function* good() {
    try {
      yield* asyncio.sleep(10);
    } catch (error) {
      except(asyncio.CancelledError, error);
      log("good cancelled");
      throw error;
    }
  }
  try {
    yield* asyncio.taskGroup(function* (group) {
      group.createTask(good());
      group.createTask(bad());
      log("body end");
    });
  } catch (error) {
    log("eg", repr(exceptStar(ValueError, error)), "cancelling", me().cancelling());
  }
});

golden("E06_taskgroup_body_error", function* (log) {
  function* good() {
    try {
      yield* asyncio.sleep(10);
    } catch (error) {
      except(asyncio.CancelledError, error);
      log("good cancelled");
      throw error;
    }
  }
  try {
    yield* asyncio.taskGroup(function* (group) {
      group.createTask(good());
      yield* asyncio.sleep(0);
      log("raise");
      throw new KeyError("k");
    });
  } catch (error) {
    log("eg", repr(exceptStar(KeyError, error)));
  }
});

golden("E07_taskgroup_body_error_before_child_started", function* (log) {
  let task!: asyncio.Task<void>;
  function* good() {
    log("never");
  }
  try {
    yield* asyncio.taskGroup(function* (group) {
      task = group.createTask(good());
      throw new KeyError("k");
    });
  } catch (error) {
    log("eg", repr(exceptStar(KeyError, error)), "child cancelled", task.cancelled());
  }
});

golden("E08_taskgroup_external_cancel", function* (log) {
  function* good() {
    try {
      yield* asyncio.sleep(10);
    } catch (error) {
      except(asyncio.CancelledError, error);
      log("good cancelled");
      throw error;
    }
  }
  function* parent() {
    try {
      yield* asyncio.taskGroup(function* (group) {
        group.createTask(good());
      });
    } catch (error) {
      log("m cancelled", argsOf(except(asyncio.CancelledError, error)), me().cancelling());
      throw error;
    }
  }
  const task = asyncio.createTask(parent());
  yield* asyncio.sleep(0);
  yield* asyncio.sleep(0);
  task.cancel("ext");
  log("cancel");
  try {
    yield* task;
  } catch (error) {
    log("main caught", argsOf(except(asyncio.CancelledError, error)));
  }
});

golden("E09_taskgroup_external_cancel_and_child_error", function* (log) {
  function* good() {
    try {
      yield* asyncio.sleep(10);
    } catch (error) {
      except(asyncio.CancelledError, error);
      throw new ValueError("from cleanup");
    }
  }
  function* parent() {
    try {
      yield* asyncio.taskGroup(function* (group) {
        group.createTask(good());
      });
    } catch (error) {
      log("m eg", repr(exceptStar(ValueError, error)), "cancelling", me().cancelling());
    }
    log("m continues");
    try {
      yield* asyncio.sleep(0);
      log("NOT cancelled");
    } catch (error) {
      except(asyncio.CancelledError, error);
      log("cancelled at next await");
      throw error;
    }
  }
  const task = asyncio.createTask(parent());
  yield* asyncio.sleep(0);
  yield* asyncio.sleep(0);
  task.cancel();
  log("cancel");
  try {
    yield* task;
  } catch (error) {
    log("main caught", except(asyncio.CancelledError, error).name);
  }
});

golden(
  "E10_taskgroup_create_task_in_aexit",
  function* (log) {
    function* first(group: asyncio.TaskGroup) {
      log("c1");
      group.createTask(second());
    }
    function* second() {
      log("c2");
    }
    const left = yield* asyncio.taskGroup(function* (group) {
      group.createTask(first(group));
      return group;
    });
    log("after");
    const late = second();
    try {
      left.createTask(late);
    } catch (error) {
      const { name, message } = except(asyncio.RuntimeError, error);
      log(name, message);
    }
  },
  {
    differs: {
      because: "the message says TaskGroup once, and does not say that a group which has been left is entered",
      lines: {
        "5:RuntimeError TaskGroup <TaskGroup entered> is finished": "5:RuntimeError <TaskGroup> is finished",
      },
    },
  },
);

golden("E11_taskgroup_child_cancelled_alone", function* (log) {
  function* child() {
    yield* asyncio.sleep(10);
  }
  let task!: asyncio.Task<void>;
  yield* asyncio.taskGroup(function* (group) {
    task = group.createTask(child());
    yield* asyncio.sleep(0);
    task.cancel();
  });
  log("after", task.cancelled());
});

golden("E12_taskgroup_nested_error", function* (log) {
  function* bad() {
    throw new ValueError("x");
  }
  try {
    yield* asyncio.taskGroup(function* () {
      yield* asyncio.taskGroup(function* (inner) {
        inner.createTask(bad());
      });
    });
  } catch (error) {
    log(repr(exceptStar(ValueError, error)), me().cancelling());
  }
});

golden("E13_taskgroup_children_order", function* (log) {
  function* child(n: number) {
    log("c", n);
  }
  yield* asyncio.taskGroup(function* (group) {
    for (let i = 0; i < 4; i++) group.createTask(child(i));
  });
  log("after");
});
