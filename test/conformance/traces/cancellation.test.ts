/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */
/* oxlint-disable unicorn/consistent-function-scoping -- each program is whole, as it was run on CPython. */
/* oxlint-disable no-await-in-loop -- the program asks for it. */

import * as asyncio from "asyncio-ts";
import { argsOf, except, golden, me, repr, ValueError } from "./trace-loop.ts";

golden("K01_cancel_before_start", {
  *generators(log) {
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
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => log("never runs"));
    const task = asyncio.createTask(child());
    log("cancel", task.cancel());
    try {
      await task;
    } catch (error) {
      except(asyncio.CancelledError, error);
      log("cancelled", task.cancelled());
    }
  },
  trace: `
    1:cancel True
    3:cancelled True
    4:run_until_complete returned`,
});

golden("K02_cancel_at_sleep0", {
  *generators(log) {
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
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      try {
        await asyncio.sleep(0);
        log("no");
      } catch (error) {
        log("c cancelled");
        throw error;
      }
    });
    const task = asyncio.createTask(child());
    await asyncio.sleep(0);
    task.cancel();
    log("cancel");
    try {
      await task;
    } catch (error) {
      except(asyncio.CancelledError, error);
      log("main");
    }
  },
  trace: `
    2:cancel
    3:c cancelled
    4:main
    5:run_until_complete returned`,
});

// The private `task._cancel_message` that the first line of CPython's trace shows, too, is left out.
golden("K03_cancel_msg", {
  *generators(log) {
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
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      await asyncio.sleep(10);
    });
    const task = asyncio.createTask(child());
    await asyncio.sleep(0);
    task.cancel("why");
    try {
      await task;
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
  trace: `
    4:('why',)
    4:again ()
    4:exception() ()
    5:run_until_complete returned`,
});

golden("K04_cancel_twice_message", {
  *generators(log) {
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
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      try {
        await asyncio.sleep(10);
      } catch (error) {
        log("inner", argsOf(except(asyncio.CancelledError, error)));
        throw error;
      }
    });
    const task = asyncio.createTask(child());
    await asyncio.sleep(0);
    log(task.cancel("one"), task.cancel("two"), task.cancelling());
    try {
      await task;
    } catch (error) {
      log("outer", argsOf(except(asyncio.CancelledError, error)));
    }
  },
  trace: `
    2:True True 2
    3:inner ('one',)
    4:outer ('one',)
    5:run_until_complete returned`,
});

golden("K05_cancel_swallow_then_cancel_again", {
  *generators(log) {
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
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      for (let i = 0; i < 3; i++) {
        try {
          await asyncio.sleep(10);
        } catch (error) {
          except(asyncio.CancelledError, error);
          log("swallow", i, me().cancelling());
        }
      }
      return "ok";
    });
    const task = asyncio.createTask(child());
    await asyncio.sleep(0);
    for (let i = 0; i < 3; i++) {
      task.cancel();
      await asyncio.sleep(0);
      await asyncio.sleep(0);
    }
    log(await task);
  },
  trace: `
    3:swallow 0 1
    5:swallow 1 2
    7:swallow 2 3
    8:ok
    9:run_until_complete returned`,
});

golden("K06_uncancel", {
  *generators(log) {
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
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      try {
        await asyncio.sleep(10);
      } catch (error) {
        except(asyncio.CancelledError, error);
        log("cancelling", me().cancelling(), "uncancel", me().uncancel());
      }
      await asyncio.sleep(0);
      log("ok");
      return 1;
    });
    const task = asyncio.createTask(child());
    await asyncio.sleep(0);
    task.cancel();
    log(await task, task.cancelled());
  },
  trace: `
    3:cancelling 1 uncancel 0
    4:ok
    5:1 False
    6:run_until_complete returned`,
});

golden("K07_uncancel_clears_must_cancel", {
  *generators(log) {
    function* child() {
      const task = me();
      task.cancel();
      log("cancelling", task.cancelling());
      task.uncancel();
      yield* asyncio.sleep(0);
      log("survived");
    }
    yield* asyncio.createTask(child());
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      const task = me();
      task.cancel();
      log("cancelling", task.cancelling());
      task.uncancel();
      await asyncio.sleep(0);
      log("survived");
    });
    await asyncio.createTask(child());
  },
  trace: `
    2:cancelling 1
    3:survived
    5:run_until_complete returned`,
});

golden("K08_self_cancel", {
  *generators(log) {
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
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      me().cancel();
      log("still running");
      try {
        await asyncio.sleep(0);
        log("no");
      } catch (error) {
        log("raised at next suspension");
        throw error;
      }
    });
    const task = asyncio.createTask(child());
    try {
      await task;
    } catch (error) {
      except(asyncio.CancelledError, error);
      log("main");
    }
  },
  trace: `
    2:still running
    3:raised at next suspension
    4:main
    5:run_until_complete returned`,
});

golden("K09_self_cancel_then_return", {
  *generators(log) {
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
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      me().cancel();
      return 5;
    });
    const task = asyncio.createTask(child());
    try {
      log(await task);
    } catch (error) {
      except(asyncio.CancelledError, error);
      log("main cancelled", task.cancelled());
    }
  },
  trace: `
    3:main cancelled True
    4:run_until_complete returned`,
});

golden("K10_self_cancel_await_done_future", {
  *generators(log) {
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
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      const future = asyncio.getRunningLoop().createFuture<number>();
      future.setResult(1);
      me().cancel();
      log(await future, "await done future not interrupted");
      await asyncio.sleep(0);
    });
    const task = asyncio.createTask(child());
    try {
      await task;
      log("no");
    } catch (error) {
      except(asyncio.CancelledError, error);
      log("main cancelled");
    }
  },
  trace: `
    2:1 await done future not interrupted
    4:main cancelled
    5:run_until_complete returned`,
});

golden("K11_cancel_task_awaiting_task", {
  *generators(log) {
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
  },
  async functions(log) {
    const inner = asyncio.coroutine(async () => {
      try {
        await asyncio.sleep(10);
      } catch (error) {
        log("inner cancelled");
        throw error;
      }
    });
    const outer = asyncio.coroutine(async () => {
      try {
        await innerTask;
      } catch (error) {
        log("outer cancelled");
        throw error;
      }
    });
    const innerTask = asyncio.createTask(inner());
    const task = asyncio.createTask(outer());
    await asyncio.sleep(0);
    await asyncio.sleep(0);
    task.cancel();
    log("cancel");
    try {
      await task;
    } catch (error) {
      except(asyncio.CancelledError, error);
      log("main");
    }
  },
  trace: `
    3:cancel
    4:inner cancelled
    5:outer cancelled
    6:main
    7:run_until_complete returned`,
});

golden("K12_cancel_inner_swallows_outer_not_cancelled", {
  *generators(log) {
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
  },
  async functions(log) {
    const inner = asyncio.coroutine(async () => {
      try {
        await asyncio.sleep(10);
        return "no";
      } catch (error) {
        except(asyncio.CancelledError, error);
        return "swallowed";
      }
    });
    const outer = asyncio.coroutine(async () => {
      const result = await innerTask;
      log("outer got", result, "cancelling", me().cancelling());
      return result;
    });
    const innerTask = asyncio.createTask(inner());
    const task = asyncio.createTask(outer());
    await asyncio.sleep(0);
    await asyncio.sleep(0);
    task.cancel();
    log(await task);
  },
  trace: `
    5:outer got swallowed cancelling 1
    6:swallowed
    7:run_until_complete returned`,
});

golden("K13_cancel_done_task", {
  *generators(log) {
    function* child() {
      return 1;
    }
    const task = asyncio.createTask(child());
    yield* task;
    log(task.cancel(), task.cancelling());
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => 1);
    const task = asyncio.createTask(child());
    await task;
    log(task.cancel(), task.cancelling());
  },
  trace: `
    3:False 0
    4:run_until_complete returned`,
});

golden("K14_cancel_with_completed_waiter", {
  *generators(log) {
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
  },
  async functions(log) {
    const future = asyncio.getRunningLoop().createFuture<number>();
    const child = asyncio.coroutine(async () => {
      try {
        log("got", await future);
      } catch (error) {
        log("cancelled although future had result");
        throw error;
      }
    });
    const task = asyncio.createTask(child());
    await asyncio.sleep(0);
    future.setResult(1);
    task.cancel();
    try {
      await task;
    } catch (error) {
      except(asyncio.CancelledError, error);
      log("main");
    }
  },
  trace: `
    3:cancelled although future had result
    4:main
    5:run_until_complete returned`,
});

golden("K15_raise_cancelled_without_cancel", {
  *generators(log) {
    function* child() {
      throw new asyncio.CancelledError("manual");
    }
    const task = asyncio.createTask(child());
    try {
      yield* task;
    } catch (error) {
      log(argsOf(except(asyncio.CancelledError, error)), task.cancelled(), task.cancelling());
    }
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      throw new asyncio.CancelledError("manual");
    });
    const task = asyncio.createTask(child());
    try {
      await task;
    } catch (error) {
      log(argsOf(except(asyncio.CancelledError, error)), task.cancelled(), task.cancelling());
    }
  },
  trace: `
    3:('manual',) True 0
    4:run_until_complete returned`,
});

// An error thrown in JavaScript does not know which other it displaced: `e.__context__` is left out.
golden("K16_cancelled_then_other_exception", {
  *generators(log) {
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
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      try {
        await asyncio.sleep(10);
      } catch {
        throw new ValueError("x");
      }
    });
    const task = asyncio.createTask(child());
    await asyncio.sleep(0);
    task.cancel();
    try {
      await task;
    } catch (error) {
      log(repr(except(ValueError, error)), task.cancelled());
    }
  },
  trace: `
    4:ValueError('x') False
    5:run_until_complete returned`,
});
