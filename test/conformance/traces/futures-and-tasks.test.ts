/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */

import * as asyncio from "asyncio-ts";
import { golden } from "./trace-loop.ts";

golden("A01_call_soon_fifo_and_nested", function* (log) {
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
});

golden("A02_sleep0", function* (log) {
  log("before");
  yield* asyncio.sleep(0);
  log("after1");
  yield* asyncio.sleep(0);
  log("after2");
});

golden("A03_await_done_future", function* (log) {
  const future = asyncio.getRunningLoop().createFuture<number>();
  future.setResult(1);
  log("before");
  yield* future;
  log("after");
});

golden("A04_await_pending_future_set_by_callback", function* (log) {
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
});

golden("A05_create_task_then_await", function* (log) {
  function* child() {
    log("child");
    return 1;
  }
  const task = asyncio.createTask(child());
  log("created");
  yield* task;
  log("after");
});

golden("A06_create_task_child_sleep0", function* (log) {
  function* child() {
    log("child1");
    yield* asyncio.sleep(0);
    log("child2");
  }
  const task = asyncio.createTask(child());
  log("created");
  yield* task;
  log("after");
});

golden("A07_await_coroutine_directly", function* (log) {
  function* child() {
    log("child");
  }
  log("before");
  yield* child();
  log("after");
});

golden("A08_await_finished_task", function* (log) {
  function* child() {
    log("child");
  }
  const task = asyncio.createTask(child());
  yield* asyncio.sleep(0);
  log("done?", task.done());
  yield* task;
  log("after");
});

golden("A09_add_done_callback_order", function* (log) {
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
});
