/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */
/* oxlint-disable unicorn/consistent-function-scoping -- each program is whole, as it was run on CPython. */

import * as asyncio from "asyncio-ts";
import { argsOf, except, golden, ValueError } from "./trace-loop.ts";

golden("B01_gather_empty", {
  *generators(log) {
    log("before");
    const results = yield* asyncio.gather();
    log("after", results);
  },
  async functions(log) {
    log("before");
    const results = await asyncio.gather();
    log("after", results);
  },
  trace: `
    1:before
    1:after []
    2:run_until_complete returned`,
});

golden("B02_gather_two_immediate", {
  *generators(log) {
    function* child(n: number) {
      log("child", n);
      return n;
    }
    log("before");
    const results = yield* asyncio.gather(child(1), child(2));
    log("after", results);
  },
  async functions(log) {
    const child = asyncio.coroutine(async (n: number) => {
      log("child", n);
      return n;
    });
    log("before");
    const results = await asyncio.gather(child(1), child(2));
    log("after", results);
  },
  trace: `
    1:before
    2:child 1
    2:child 2
    4:after [1, 2]
    5:run_until_complete returned`,
});

golden("B03_gather_done_futures", {
  *generators(log) {
    const loop = asyncio.getRunningLoop();
    const a = loop.createFuture<number>();
    a.setResult(1);
    const b = loop.createFuture<number>();
    b.setResult(2);
    log("before");
    const results = yield* asyncio.gather(a, b);
    log("after", results);
  },
  async functions(log) {
    const loop = asyncio.getRunningLoop();
    const a = loop.createFuture<number>();
    a.setResult(1);
    const b = loop.createFuture<number>();
    b.setResult(2);
    log("before");
    const results = await asyncio.gather(a, b);
    log("after", results);
  },
  trace: `
    1:before
    1:after [1, 2]
    2:run_until_complete returned`,
});

golden("B04_gather_first_exception", {
  *generators(log) {
    function* child(n: number) {
      log("child", n);
      if (n === 1) throw new ValueError(n);
      yield* asyncio.sleep(0);
      log("child", n, "resumed");
      yield* asyncio.sleep(0);
      log("child", n, "end");
    }
    log("before");
    try {
      yield* asyncio.gather(child(1), child(2));
    } catch (error) {
      log("caught", except(ValueError, error));
    }
    yield* asyncio.sleep(0);
    yield* asyncio.sleep(0);
    yield* asyncio.sleep(0);
    log("end");
  },
  async functions(log) {
    const child = asyncio.coroutine(async (n: number) => {
      log("child", n);
      if (n === 1) throw new ValueError(n);
      await asyncio.sleep(0);
      log("child", n, "resumed");
      await asyncio.sleep(0);
      log("child", n, "end");
    });
    log("before");
    try {
      await asyncio.gather(child(1), child(2));
    } catch (error) {
      log("caught", except(ValueError, error));
    }
    await asyncio.sleep(0);
    await asyncio.sleep(0);
    await asyncio.sleep(0);
    log("end");
  },
  trace: `
    1:before
    2:child 1
    2:child 2
    3:child 2 resumed
    4:caught 1
    4:child 2 end
    7:end
    8:run_until_complete returned`,
});

golden("B05_gather_return_exceptions", {
  *generators(log) {
    function* child(n: number) {
      if (n === 1) throw new ValueError(n);
      return n;
    }
    const results = yield* asyncio.gather(child(1), child(2), { returnExceptions: true });
    log("after", results);
  },
  async functions(log) {
    const child = asyncio.coroutine(async (n: number) => {
      if (n === 1) throw new ValueError(n);
      return n;
    });
    const results = await asyncio.gather(child(1), child(2), { returnExceptions: true });
    log("after", results);
  },
  trace: `
    4:after [ValueError(1), 2]
    5:run_until_complete returned`,
});

golden("B06_gather_cancel_outer", {
  *generators(log) {
    function* child(n: number) {
      try {
        yield* asyncio.sleep(10);
      } catch (error) {
        log("child", n, "cancelled");
        throw error;
      }
    }
    function* parent() {
      try {
        yield* asyncio.gather(child(1), child(2));
      } catch (error) {
        log("parent cancelled");
        throw error;
      }
    }
    const task = asyncio.createTask(parent());
    yield* asyncio.sleep(0);
    yield* asyncio.sleep(0);
    log("cancel");
    task.cancel("msg");
    try {
      yield* task;
    } catch (error) {
      log("main caught", argsOf(except(asyncio.CancelledError, error)));
    }
  },
  async functions(log) {
    const child = asyncio.coroutine(async (n: number) => {
      try {
        await asyncio.sleep(10);
      } catch (error) {
        log("child", n, "cancelled");
        throw error;
      }
    });
    const parent = asyncio.coroutine(async () => {
      try {
        await asyncio.gather(child(1), child(2));
      } catch (error) {
        log("parent cancelled");
        throw error;
      }
    });
    const task = asyncio.createTask(parent());
    await asyncio.sleep(0);
    await asyncio.sleep(0);
    log("cancel");
    task.cancel("msg");
    try {
      await task;
    } catch (error) {
      log("main caught", argsOf(except(asyncio.CancelledError, error)));
    }
  },
  trace: `
    3:cancel
    4:child 1 cancelled
    4:child 2 cancelled
    6:parent cancelled
    7:main caught ('msg',)
    8:run_until_complete returned`,
});

golden("B07_gather_child_cancelled", {
  *generators(log) {
    function* child() {
      yield* asyncio.sleep(10);
    }
    const first = asyncio.createTask(child());
    const second = asyncio.createTask(child());
    const gathering = asyncio.gather(first, second);
    yield* asyncio.sleep(0);
    first.cancel("kid");
    log("cancelled child");
    try {
      yield* gathering;
    } catch (error) {
      const kid = argsOf(except(asyncio.CancelledError, error));
      log("caught", kid, "g.cancelled", gathering.cancelled(), "t1 done", second.done());
    }
    second.cancel();
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      await asyncio.sleep(10);
    });
    const first = asyncio.createTask(child());
    const second = asyncio.createTask(child());
    const gathering = asyncio.gather(first, second);
    await asyncio.sleep(0);
    first.cancel("kid");
    log("cancelled child");
    try {
      await gathering;
    } catch (error) {
      const kid = argsOf(except(asyncio.CancelledError, error));
      log("caught", kid, "g.cancelled", gathering.cancelled(), "t1 done", second.done());
    }
    second.cancel();
  },
  trace: `
    2:cancelled child
    5:caught ('kid',) g.cancelled False t1 done False
    6:run_until_complete returned`,
});

golden("B08_gather_return_exceptions_cancel", {
  *generators(log) {
    function* child() {
      yield* asyncio.sleep(10);
    }
    function* parent() {
      try {
        log("r", yield* asyncio.gather(child(), child(), { returnExceptions: true }));
      } catch (error) {
        log("parent cancelled");
        throw error;
      }
    }
    const task = asyncio.createTask(parent());
    yield* asyncio.sleep(0);
    yield* asyncio.sleep(0);
    task.cancel();
    try {
      yield* task;
    } catch (error) {
      log("main caught", argsOf(except(asyncio.CancelledError, error)));
    }
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      await asyncio.sleep(10);
    });
    const parent = asyncio.coroutine(async () => {
      try {
        log("r", await asyncio.gather(child(), child(), { returnExceptions: true }));
      } catch (error) {
        log("parent cancelled");
        throw error;
      }
    });
    const task = asyncio.createTask(parent());
    await asyncio.sleep(0);
    await asyncio.sleep(0);
    task.cancel();
    try {
      await task;
    } catch (error) {
      log("main caught", argsOf(except(asyncio.CancelledError, error)));
    }
  },
  trace: `
    6:parent cancelled
    7:main caught ()
    8:run_until_complete returned`,
});

golden("B09_gather_duplicates", {
  *generators(log) {
    function* child() {
      return {};
    }
    const same = child();
    const results = yield* asyncio.gather(same, same);
    log(results[0] === results[1]);
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => ({}));
    const same = child();
    const results = await asyncio.gather(same, same);
    log(results[0] === results[1]);
  },
  trace: `
    4:True
    5:run_until_complete returned`,
});
