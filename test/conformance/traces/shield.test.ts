/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */
/* oxlint-disable unicorn/consistent-function-scoping -- each program is whole, as it was run on CPython. */

import * as asyncio from "asyncio-ts";
import { except, float, golden, me, ValueError } from "./trace-loop.ts";

golden("F01_shield_normal", {
  *generators(log) {
    function* child() {
      log("child");
      return 5;
    }
    log("before");
    const result = yield* asyncio.shield(child());
    log("after", result);
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      log("child");
      return 5;
    });
    log("before");
    const result = await asyncio.shield(child());
    log("after", result);
  },
  trace: `
    1:before
    2:child
    4:after 5
    5:run_until_complete returned`,
});

golden("F02_shield_cancel_outer", {
  *generators(log) {
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
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      await asyncio.sleep(5);
      log("child finished");
      return 5;
    });
    const parent = asyncio.coroutine(async () => {
      try {
        await asyncio.shield(inner);
      } catch (error) {
        log("m cancelled; inner cancelled?", inner.cancelled());
        throw error;
      }
    });
    const inner = asyncio.createTask(child());
    const task = asyncio.createTask(parent());
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
    log(await inner);
  },
  trace: `
    3:cancel
    4:m cancelled; inner cancelled? False
    5:main
    7:child finished
    8:5
    9:run_until_complete returned`,
});

golden("F03_shield_inner_cancelled", {
  *generators(log) {
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
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      await asyncio.sleep(5);
    });
    const inner = asyncio.createTask(child());
    await asyncio.sleep(0);
    const parent = asyncio.coroutine(async () => {
      try {
        await asyncio.shield(inner);
      } catch (error) {
        log("m got", except(asyncio.CancelledError, error).name, me().cancelling());
      }
    });
    const task = asyncio.createTask(parent());
    await asyncio.sleep(0);
    inner.cancel();
    log("inner.cancel");
    await task;
    log("end");
  },
  trace: `
    3:inner.cancel
    6:m got CancelledError 0
    7:end
    8:run_until_complete returned`,
});

golden("F04_shield_done_inner_returns_inner", {
  *generators(log) {
    const future = asyncio.getRunningLoop().createFuture<number>();
    future.setResult(3);
    log(asyncio.shield(future) === future);
  },
  async functions(log) {
    const future = asyncio.getRunningLoop().createFuture<number>();
    future.setResult(3);
    log(asyncio.shield(future) === future);
  },
  trace: `
    1:True
    2:run_until_complete returned`,
});

golden("F05_shield_inner_fails_after_outer_cancelled", {
  *generators(log) {
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
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      await asyncio.sleep(1);
      throw new ValueError("late");
    });
    const inner = asyncio.createTask(child());
    const parent = asyncio.coroutine(async () => {
      await asyncio.shield(inner);
    });
    const task = asyncio.createTask(parent());
    await asyncio.sleep(0);
    await asyncio.sleep(0);
    task.cancel();
    try {
      await task;
    } catch (error) {
      except(asyncio.CancelledError, error);
      log("main");
    }
    await asyncio.sleep(2);
    log("end", float(asyncio.getRunningLoop().time()));
    inner.exception();
  },
  trace: `
    5:main
    8:EXCHANDLER ValueError exception in shielded future ValueError('late')
    10:end 2.0
    11:run_until_complete returned`,
});
