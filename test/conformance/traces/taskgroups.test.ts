/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */

import * as asyncio from "asyncio-ts";
import { argsOf, except, exceptStar, golden, KeyError, me, repr, ValueError } from "./trace-loop.ts";

golden("E01_taskgroup_empty", {
  *generators(log) {
    log("before");
    yield* asyncio.taskGroup(function* () {});
    log("after");
  },
  async functions(log) {
    log("before");
    await asyncio.taskGroup(async () => {});
    log("after");
  },
  trace: `
    1:before
    1:after
    2:run_until_complete returned`,
});

golden("E02_taskgroup_one_immediate", {
  *generators(log) {
    function* child() {
      log("child");
    }
    yield* asyncio.taskGroup(function* (group) {
      group.createTask(child());
      log("body end");
    });
    log("after");
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => log("child"));
    await asyncio.taskGroup(async (group) => {
      group.createTask(child());
      log("body end");
    });
    log("after");
  },
  trace: `
    1:body end
    2:child
    4:after
    5:run_until_complete returned`,
});

golden("E03_taskgroup_two_uneven", {
  *generators(log) {
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
  },
  async functions(log) {
    const child = asyncio.coroutine(async (n: number) => {
      for (let i = 0; i < n; i++) await asyncio.sleep(0);
      log("child end", n);
    });
    await asyncio.taskGroup(async (group) => {
      group.createTask(child(0));
      group.createTask(child(2));
      log("body end");
    });
    log("after");
  },
  trace: `
    1:body end
    2:child end 0
    4:child end 2
    6:after
    7:run_until_complete returned`,
});

golden("E04_taskgroup_child_error_cancels_sibling_and_body", {
  *generators(log) {
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
  },
  async functions(log) {
    const bad = asyncio.coroutine(async () => {
      log("bad");
      throw new ValueError("x");
    });
    const good = asyncio.coroutine(async () => {
      try {
        await asyncio.sleep(10);
      } catch (error) {
        except(asyncio.CancelledError, error);
        log("good cancelled");
        throw error;
      }
    });
    try {
      await asyncio.taskGroup(async (group) => {
        group.createTask(good());
        group.createTask(bad());
        try {
          await asyncio.sleep(10);
        } catch (error) {
          except(asyncio.CancelledError, error);
          log("body cancelled; cancelling()=", me().cancelling());
          throw error;
        }
      });
    } catch (error) {
      log("eg", repr(exceptStar(ValueError, error)), "cancelling", me().cancelling());
    }
  },
  trace: `
    2:bad
    4:good cancelled
    4:body cancelled; cancelling()= 1
    6:eg ExceptionGroup('unhandled errors in a TaskGroup', [ValueError('x')]) cancelling 0
    7:run_until_complete returned`,
});

golden("E05_taskgroup_child_error_while_in_aexit", {
  *generators(log) {
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
  },
  async functions(log) {
    const bad = asyncio.coroutine(async () => {
      await asyncio.sleep(0);
      log("bad");
      throw new ValueError("x");
    });
    const good = asyncio.coroutine(async () => {
      try {
        await asyncio.sleep(10);
      } catch (error) {
        except(asyncio.CancelledError, error);
        log("good cancelled");
        throw error;
      }
    });
    try {
      await asyncio.taskGroup(async (group) => {
        group.createTask(good());
        group.createTask(bad());
        log("body end");
      });
    } catch (error) {
      log("eg", repr(exceptStar(ValueError, error)), "cancelling", me().cancelling());
    }
  },
  trace: `
    1:body end
    3:bad
    5:good cancelled
    7:eg ExceptionGroup('unhandled errors in a TaskGroup', [ValueError('x')]) cancelling 0
    8:run_until_complete returned`,
});

golden("E06_taskgroup_body_error", {
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
    try {
      await asyncio.taskGroup(async (group) => {
        group.createTask(good());
        await asyncio.sleep(0);
        log("raise");
        throw new KeyError("k");
      });
    } catch (error) {
      log("eg", repr(exceptStar(KeyError, error)));
    }
  },
  trace: `
    2:raise
    3:good cancelled
    5:eg ExceptionGroup('unhandled errors in a TaskGroup', [KeyError('k')])
    6:run_until_complete returned`,
});

golden("E07_taskgroup_body_error_before_child_started", {
  *generators(log) {
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
  },
  async functions(log) {
    let task!: asyncio.Task<void>;
    const good = asyncio.coroutine(async () => log("never"));
    try {
      await asyncio.taskGroup(async (group) => {
        task = group.createTask(good());
        throw new KeyError("k");
      });
    } catch (error) {
      log("eg", repr(exceptStar(KeyError, error)), "child cancelled", task.cancelled());
    }
  },
  trace: `
    4:eg ExceptionGroup('unhandled errors in a TaskGroup', [KeyError('k')]) child cancelled True
    5:run_until_complete returned`,
});

golden("E08_taskgroup_external_cancel", {
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
    const parent = asyncio.coroutine(async () => {
      try {
        await asyncio.taskGroup(async (group) => {
          group.createTask(good());
        });
      } catch (error) {
        log("m cancelled", argsOf(except(asyncio.CancelledError, error)), me().cancelling());
        throw error;
      }
    });
    const task = asyncio.createTask(parent());
    await asyncio.sleep(0);
    await asyncio.sleep(0);
    task.cancel("ext");
    log("cancel");
    try {
      await task;
    } catch (error) {
      log("main caught", argsOf(except(asyncio.CancelledError, error)));
    }
  },
  trace: `
    3:cancel
    5:good cancelled
    7:m cancelled ('ext',) 1
    8:main caught ('ext',)
    9:run_until_complete returned`,
});

golden("E09_taskgroup_external_cancel_and_child_error", {
  *generators(log) {
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
  },
  async functions(log) {
    const good = asyncio.coroutine(async () => {
      try {
        await asyncio.sleep(10);
      } catch (error) {
        except(asyncio.CancelledError, error);
        throw new ValueError("from cleanup");
      }
    });
    const parent = asyncio.coroutine(async () => {
      try {
        await asyncio.taskGroup(async (group) => {
          group.createTask(good());
        });
      } catch (error) {
        log("m eg", repr(exceptStar(ValueError, error)), "cancelling", me().cancelling());
      }
      log("m continues");
      try {
        await asyncio.sleep(0);
        log("NOT cancelled");
      } catch (error) {
        except(asyncio.CancelledError, error);
        log("cancelled at next await");
        throw error;
      }
    });
    const task = asyncio.createTask(parent());
    await asyncio.sleep(0);
    await asyncio.sleep(0);
    task.cancel();
    log("cancel");
    try {
      await task;
    } catch (error) {
      log("main caught", except(asyncio.CancelledError, error).name);
    }
  },
  trace: `
    3:cancel
    7:m eg ExceptionGroup('unhandled errors in a TaskGroup', [ValueError('from cleanup')]) cancelling 1
    7:m continues
    8:cancelled at next await
    9:main caught CancelledError
    10:run_until_complete returned`,
});

// CPython's message says `TaskGroup <TaskGroup entered>` of a group that has been left; ours says `<TaskGroup>`.
golden("E10_taskgroup_create_task_in_aexit", {
  *generators(log) {
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
  async functions(log) {
    const first = asyncio.coroutine(async (group: asyncio.TaskGroup) => {
      log("c1");
      group.createTask(second());
    });
    const second = asyncio.coroutine(async () => log("c2"));
    const left = await asyncio.taskGroup(async (group) => {
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
  trace: `
    2:c1
    3:c2
    5:after
    5:RuntimeError <TaskGroup> is finished
    6:run_until_complete returned`,
});

golden("E11_taskgroup_child_cancelled_alone", {
  *generators(log) {
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
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      await asyncio.sleep(10);
    });
    let task!: asyncio.Task<void>;
    await asyncio.taskGroup(async (group) => {
      task = group.createTask(child());
      await asyncio.sleep(0);
      task.cancel();
    });
    log("after", task.cancelled());
  },
  trace: `
    5:after True
    6:run_until_complete returned`,
});

golden("E12_taskgroup_nested_error", {
  *generators(log) {
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
  },
  async functions(log) {
    const bad = asyncio.coroutine(async () => {
      throw new ValueError("x");
    });
    try {
      await asyncio.taskGroup(async () => {
        await asyncio.taskGroup(async (inner) => {
          inner.createTask(bad());
        });
      });
    } catch (error) {
      log(repr(exceptStar(ValueError, error)), me().cancelling());
    }
  },
  trace: `
    4:ExceptionGroup('unhandled errors in a TaskGroup', [ExceptionGroup('unhandled errors in a TaskGroup', [ValueError('x')])]) 0
    5:run_until_complete returned`,
});

golden("E13_taskgroup_children_order", {
  *generators(log) {
    function* child(n: number) {
      log("c", n);
    }
    yield* asyncio.taskGroup(function* (group) {
      for (let i = 0; i < 4; i++) group.createTask(child(i));
    });
    log("after");
  },
  async functions(log) {
    const child = asyncio.coroutine(async (n: number) => log("c", n));
    await asyncio.taskGroup(async (group) => {
      for (let i = 0; i < 4; i++) group.createTask(child(i));
    });
    log("after");
  },
  trace: `
    2:c 0
    2:c 1
    2:c 2
    2:c 3
    4:after
    5:run_until_complete returned`,
});
