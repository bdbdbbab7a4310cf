/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */
/* oxlint-disable unicorn/consistent-function-scoping -- each program is whole, as it was run on CPython. */

import * as asyncio from "asyncio-ts";
import { golden } from "./trace-loop.ts";

golden("A01_call_soon_fifo_and_nested", {
  *generators(log) {
    const loop = asyncio.getRunningLoop();
    const callback = (n: number | string) => log("cb", n);
    const outer = () => {
      log("outer");
      loop.callSoon(callback, "nested");
    };
    loop.callSoon(callback, 1);
    loop.callSoon(outer);
    loop.callSoon(callback, 2);
    yield* asyncio.sleep(0);
    log("main after sleep0");
    yield* asyncio.sleep(0);
    log("main after sleep0 x2");
  },
  async functions(log) {
    const loop = asyncio.getRunningLoop();
    const callback = (n: number | string) => log("cb", n);
    const outer = () => {
      log("outer");
      loop.callSoon(callback, "nested");
    };
    loop.callSoon(callback, 1);
    loop.callSoon(outer);
    loop.callSoon(callback, 2);
    await asyncio.sleep(0);
    log("main after sleep0");
    await asyncio.sleep(0);
    log("main after sleep0 x2");
  },
  trace: `
    2:cb 1
    2:outer
    2:cb 2
    2:main after sleep0
    3:cb nested
    3:main after sleep0 x2
    4:run_until_complete returned`,
});

golden("A02_sleep0", {
  *generators(log) {
    log("before");
    yield* asyncio.sleep(0);
    log("after1");
    yield* asyncio.sleep(0);
    log("after2");
  },
  async functions(log) {
    log("before");
    await asyncio.sleep(0);
    log("after1");
    await asyncio.sleep(0);
    log("after2");
  },
  trace: `
    1:before
    2:after1
    3:after2
    4:run_until_complete returned`,
});

golden("A03_await_done_future", {
  *generators(log) {
    const future = asyncio.getRunningLoop().createFuture<number>();
    future.setResult(1);
    log("before");
    yield* future;
    log("after");
  },
  async functions(log) {
    const future = asyncio.getRunningLoop().createFuture<number>();
    future.setResult(1);
    log("before");
    await future;
    log("after");
  },
  trace: `
    1:before
    1:after
    2:run_until_complete returned`,
});

golden("A04_await_pending_future_set_by_callback", {
  *generators(log) {
    const loop = asyncio.getRunningLoop();
    const future = loop.createFuture<number>();
    loop.callSoon(() => {
      log("set");
      future.setResult(1);
    });
    loop.callSoon(() => log("other"));
    log("before");
    yield* future;
    log("after");
  },
  async functions(log) {
    const loop = asyncio.getRunningLoop();
    const future = loop.createFuture<number>();
    loop.callSoon(() => {
      log("set");
      future.setResult(1);
    });
    loop.callSoon(() => log("other"));
    log("before");
    await future;
    log("after");
  },
  trace: `
    1:before
    2:set
    2:other
    3:after
    4:run_until_complete returned`,
});

golden("A05_create_task_then_await", {
  *generators(log) {
    function* child() {
      log("child");
      return 1;
    }
    const task = asyncio.createTask(child());
    log("created");
    yield* task;
    log("after");
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      log("child");
      return 1;
    });
    const task = asyncio.createTask(child());
    log("created");
    await task;
    log("after");
  },
  trace: `
    1:created
    2:child
    3:after
    4:run_until_complete returned`,
});

golden("A06_create_task_child_sleep0", {
  *generators(log) {
    function* child() {
      log("child1");
      yield* asyncio.sleep(0);
      log("child2");
    }
    const task = asyncio.createTask(child());
    log("created");
    yield* task;
    log("after");
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      log("child1");
      await asyncio.sleep(0);
      log("child2");
    });
    const task = asyncio.createTask(child());
    log("created");
    await task;
    log("after");
  },
  trace: `
    1:created
    2:child1
    3:child2
    4:after
    5:run_until_complete returned`,
});

golden("A07_await_coroutine_directly", {
  *generators(log) {
    function* child() {
      log("child");
    }
    log("before");
    yield* child();
    log("after");
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => log("child"));
    log("before");
    await child();
    log("after");
  },
  trace: `
    1:before
    1:child
    1:after
    2:run_until_complete returned`,
});

golden("A08_await_finished_task", {
  *generators(log) {
    function* child() {
      log("child");
    }
    const task = asyncio.createTask(child());
    yield* asyncio.sleep(0);
    log("done?", task.done());
    yield* task;
    log("after");
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => log("child"));
    const task = asyncio.createTask(child());
    await asyncio.sleep(0);
    log("done?", task.done());
    await task;
    log("after");
  },
  trace: `
    2:child
    2:done? True
    2:after
    3:run_until_complete returned`,
});

golden("A09_add_done_callback_order", {
  *generators(log) {
    const future = asyncio.getRunningLoop().createFuture();
    future.addDoneCallback(() => log("cb1"));
    function* waiter() {
      yield* future;
      log("waiter");
    }
    const task = asyncio.createTask(waiter());
    yield* asyncio.sleep(0);
    future.addDoneCallback(() => log("cb2"));
    future.setResult();
    log("set");
    future.addDoneCallback(() => log("cb3-late"));
    yield* asyncio.sleep(0);
    log("main");
    yield* task;
  },
  async functions(log) {
    const future = asyncio.getRunningLoop().createFuture();
    future.addDoneCallback(() => log("cb1"));
    const waiter = asyncio.coroutine(async () => {
      await future;
      log("waiter");
    });
    const task = asyncio.createTask(waiter());
    await asyncio.sleep(0);
    future.addDoneCallback(() => log("cb2"));
    future.setResult();
    log("set");
    future.addDoneCallback(() => log("cb3-late"));
    await asyncio.sleep(0);
    log("main");
    await task;
  },
  trace: `
    2:set
    3:cb1
    3:waiter
    3:cb2
    3:cb3-late
    3:main
    4:run_until_complete returned`,
});
