/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */

/**
 * `TaskGroup.cancel`, of CPython 3.15.
 *
 * In async functions the body is a part of the task with a count of its own: it is cancelled, and the task does not
 * count it.
 */

import * as asyncio from "asyncio-ts";
import { except, exceptStar, golden, me, repr, ValueError } from "./trace-loop.ts";

golden("M01_tg_cancel_from_body", {
  *generators(log) {
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
  },
  async functions(log) {
    const good = asyncio.coroutine(async () => {
      try {
        await asyncio.sleep(10);
      } catch (error) {
        except(asyncio.CancelledError, error);
        log("good cancelled");
        throw error;
      }
    });
    let task!: asyncio.Task<void>;
    await asyncio.taskGroup(async (group) => {
      task = group.createTask(good());
      await asyncio.sleep(0);
      group.cancel();
      log("cancel called", me().cancelling(), repr(group));
      log("body continues until next await");
      await asyncio.sleep(0);
      log("not reached");
    });
    log("after", me().cancelling(), task.cancelled());
  },
  trace: `
    2:cancel called 1 <TaskGroup tasks=1 cancelling>
    2:body continues until next await
    3:good cancelled
    5:after 0 True
    6:run_until_complete returned`,
});

golden("M02_tg_cancel_from_child", {
  *generators(log) {
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
  },
  async functions(log) {
    const killer = asyncio.coroutine(async (group: asyncio.TaskGroup) => {
      await asyncio.sleep(0);
      log("killer");
      group.cancel();
      log("killer goes on");
      await asyncio.sleep(0);
      log("not reached");
    });
    await asyncio.taskGroup(async (group) => {
      group.createTask(killer(group));
      try {
        await asyncio.sleep(10);
      } catch (error) {
        except(asyncio.CancelledError, error);
        log("body cancelled");
        throw error;
      }
    });
    log("after", me().cancelling());
  },
  trace: `
    3:killer
    3:killer goes on
    4:body cancelled
    6:after 0
    7:run_until_complete returned`,
});

// There is no group before its body: the first thing that the body does is what comes nearest.
golden("M03_tg_cancel_before_enter", {
  *generators(log) {
    yield* asyncio.taskGroup(function* (group) {
      group.cancel();
      log("body", me().cancelling());
      yield* asyncio.sleep(0);
      log("not reached");
    });
    log("after", me().cancelling());
  },
  async functions(log) {
    await asyncio.taskGroup(async (group) => {
      group.cancel();
      log("body", me().cancelling());
      await asyncio.sleep(0);
      log("not reached");
    });
    log("after", me().cancelling());
  },
  trace: `
    1:body 1
    2:after 0
    3:run_until_complete returned`,
});

golden("M04_tg_cancel_body_end_no_await", {
  *generators(log) {
    yield* asyncio.taskGroup(function* (group) {
      group.cancel();
    });
    log("after", me().cancelling());
    yield* asyncio.sleep(0);
    log("ok");
  },
  async functions(log) {
    await asyncio.taskGroup(async (group) => group.cancel());
    log("after", me().cancelling());
    await asyncio.sleep(0);
    log("ok");
  },
  trace: `
    1:after 0
    2:ok
    3:run_until_complete returned`,
});

golden("M05_tg_cancel_and_child_error", {
  *generators(log) {
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
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      try {
        await asyncio.sleep(10);
      } catch {
        throw new ValueError("cleanup");
      }
    });
    try {
      await asyncio.taskGroup(async (group) => {
        group.createTask(child());
        await asyncio.sleep(0);
        group.cancel();
      });
    } catch (error) {
      log(repr(exceptStar(ValueError, error)), me().cancelling());
    }
  },
  trace: `
    5:ExceptionGroup('unhandled errors in a TaskGroup', [ValueError('cleanup')]) 0
    6:run_until_complete returned`,
});

// CPython's message says `TaskGroup <TaskGroup cancelling>`; ours says it once.
golden("M06_tg_cancel_then_create", {
  *generators(log) {
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
  async functions(log) {
    await asyncio.taskGroup(async (group) => {
      group.cancel();
      const late = asyncio.sleep(0);
      try {
        group.createTask(late);
      } catch (error) {
        log(except(asyncio.RuntimeError, error));
      }
    });
  },
  trace: `
    1:<TaskGroup cancelling> is shutting down
    2:run_until_complete returned`,
});

golden("M07_tg_cancel_swallows_external_cancel", {
  *generators(log) {
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
  },
  async functions(log) {
    const parent = asyncio.coroutine(async () => {
      await asyncio.taskGroup(async (group) => {
        group.cancel();
        me().cancel();
        await asyncio.sleep(0);
      });
      log("after", me().cancelling());
    });
    const task = asyncio.createTask(parent());
    try {
      await task;
      log("not cancelled");
    } catch (error) {
      except(asyncio.CancelledError, error);
      log("cancelled");
    }
  },
  trace: `
    4:cancelled
    5:run_until_complete returned`,
});

golden("M08_tg_cancel_after_exit", {
  *generators(log) {
    const left = yield* asyncio.taskGroup(function* (group) {
      return group;
    });
    left.cancel();
    log("ok", me().cancelling());
  },
  async functions(log) {
    const left = await asyncio.taskGroup(async (group) => group);
    left.cancel();
    log("ok", me().cancelling());
  },
  trace: `
    1:ok 0
    2:run_until_complete returned`,
});

golden("M09_tg_cancel_in_aexit", {
  *generators(log) {
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
  },
  async functions(log) {
    const killer = asyncio.coroutine(async (group: asyncio.TaskGroup) => {
      await asyncio.sleep(0);
      group.cancel();
      log("cancelled");
    });
    const good = asyncio.coroutine(async () => {
      await asyncio.sleep(10);
    });
    let task!: asyncio.Task<void>;
    await asyncio.taskGroup(async (group) => {
      group.createTask(killer(group));
      task = group.createTask(good());
      log("body end");
    });
    log("after", me().cancelling(), task.cancelled());
  },
  trace: `
    1:body end
    3:cancelled
    6:after 0 True
    7:run_until_complete returned`,
});
