/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */

import * as asyncio from "asyncio-ts";
import { except, float, golden, me, repr } from "./trace-loop.ts";

golden("C01_wait_for_none", {
  *generators(log) {
    function* child() {
      log("child");
      return 1;
    }
    log("before");
    yield* asyncio.waitFor(child(), null);
    log("after");
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      log("child");
      return 1;
    });
    log("before");
    await asyncio.waitFor(child(), null);
    log("after");
  },
  trace: `
    1:before
    1:child
    1:after
    2:run_until_complete returned`,
});

golden("C02_wait_for_immediate", {
  *generators(log) {
    function* child() {
      log("child", me().getName() === name);
      return 1;
    }
    const name = me().getName();
    log("before");
    yield* asyncio.waitFor(child(), 1);
    log("after");
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      log("child", me().getName() === name);
      return 1;
    });
    const name = me().getName();
    log("before");
    await asyncio.waitFor(child(), 1);
    log("after");
  },
  trace: `
    1:before
    1:child True
    1:after
    2:run_until_complete returned`,
});

golden("C03_wait_for_timeout", {
  *generators(log) {
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
  },
  async functions(log) {
    const loop = asyncio.getRunningLoop();
    const child = asyncio.coroutine(async () => {
      try {
        await asyncio.sleep(10);
      } catch (error) {
        log("child cancelled at", float(loop.time()));
        throw error;
      }
    });
    log("before");
    try {
      await asyncio.waitFor(child(), 1);
    } catch (error) {
      const { cause } = except(asyncio.TimeoutError, error);
      log("TimeoutError at", float(loop.time()), "cause", repr(cause), "cancelling", me().cancelling());
    }
  },
  trace: `
    1:before
    3:child cancelled at 1.0
    3:TimeoutError at 1.0 cause CancelledError() cancelling 0
    4:run_until_complete returned`,
});

golden("C04_wait_for_zero_not_started", {
  *generators(log) {
    function* child() {
      log("child started");
    }
    log("before");
    try {
      yield* asyncio.waitFor(child(), 0);
    } catch (error) {
      log(except(asyncio.TimeoutError, error).name);
    }
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => log("child started"));
    log("before");
    try {
      await asyncio.waitFor(child(), 0);
    } catch (error) {
      log(except(asyncio.TimeoutError, error).name);
    }
  },
  trace: `
    1:before
    4:TimeoutError
    5:run_until_complete returned`,
});

golden("C05_wait_for_zero_done_future", {
  *generators(log) {
    const future = asyncio.getRunningLoop().createFuture<number>();
    future.setResult(7);
    log("before");
    log(yield* asyncio.waitFor(future, 0));
    log("after");
  },
  async functions(log) {
    const future = asyncio.getRunningLoop().createFuture<number>();
    future.setResult(7);
    log("before");
    log(await asyncio.waitFor(future, 0));
    log("after");
  },
  trace: `
    1:before
    1:7
    1:after
    2:run_until_complete returned`,
});

golden("C06_wait_for_future_timeout", {
  *generators(log) {
    const future = asyncio.getRunningLoop().createFuture();
    try {
      yield* asyncio.waitFor(future, 1);
    } catch (error) {
      except(asyncio.TimeoutError, error);
      log("timeout; f.cancelled()", future.cancelled());
    }
  },
  async functions(log) {
    const future = asyncio.getRunningLoop().createFuture();
    try {
      await asyncio.waitFor(future, 1);
    } catch (error) {
      except(asyncio.TimeoutError, error);
      log("timeout; f.cancelled()", future.cancelled());
    }
  },
  trace: `
    3:timeout; f.cancelled() True
    4:run_until_complete returned`,
});

golden("C07_wait_for_task_suppresses_cancel_returns_value", {
  *generators(log) {
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
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      try {
        await asyncio.sleep(10);
        return "no";
      } catch (error) {
        except(asyncio.CancelledError, error);
        return "swallowed";
      }
    });
    try {
      log("r", await asyncio.waitFor(child(), 1));
    } catch (error) {
      except(asyncio.TimeoutError, error);
      log("timeout");
    }
  },
  trace: `
    3:r swallowed
    4:run_until_complete returned`,
});

golden("C08_wait_for_result_and_timeout_same_tick", {
  *generators(log) {
    const loop = asyncio.getRunningLoop();
    const future = loop.createFuture<string>();
    loop.callLater(1, () => future.setResult("ok"));
    try {
      log("r", yield* asyncio.waitFor(future, 1), "cancelling", me().cancelling());
    } catch (error) {
      except(asyncio.TimeoutError, error);
      log("timeout");
    }
  },
  async functions(log) {
    const loop = asyncio.getRunningLoop();
    const future = loop.createFuture<string>();
    loop.callLater(1, () => future.setResult("ok"));
    try {
      log("r", await asyncio.waitFor(future, 1), "cancelling", me().cancelling());
    } catch (error) {
      except(asyncio.TimeoutError, error);
      log("timeout");
    }
  },
  trace: `
    3:timeout
    4:run_until_complete returned`,
});

golden("C09_wait_for_outer_cancel", {
  *generators(log) {
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
  },
  async functions(log) {
    const parent = asyncio.coroutine(async () => {
      const future = asyncio.getRunningLoop().createFuture();
      try {
        await asyncio.waitFor(future, 10);
      } catch (error) {
        except(asyncio.CancelledError, error);
        log("cancelled, f.cancelled", future.cancelled());
        throw error;
      }
    });
    const task = asyncio.createTask(parent());
    await asyncio.sleep(0);
    task.cancel();
    log("cancel");
    try {
      await task;
    } catch (error) {
      except(asyncio.CancelledError, error);
      log("main caught");
    }
  },
  trace: `
    2:cancel
    3:cancelled, f.cancelled True
    4:main caught
    5:run_until_complete returned`,
});
