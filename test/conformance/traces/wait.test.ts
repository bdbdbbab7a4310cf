/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */

import * as asyncio from "asyncio-ts";
import { except, float, ValueError } from "./python-words.ts";
import { golden } from "./trace-loop.ts";

golden("I01_wait_first_completed", function* (log) {
  function* child(n: number) {
    for (let i = 0; i < n; i++) yield* asyncio.sleep(0);
    log("c", n, "done");
  }
  const tasks = [0, 1, 5].map((n) => asyncio.createTask(child(n)));
  const { done, pending } = yield* asyncio.wait(tasks, { returnWhen: asyncio.FIRST_COMPLETED });
  log("done", done.size, "pending", pending.size);
  for (const task of pending) task.cancel();
});

golden("I02_wait_all", function* (log) {
  function* child(n: number) {
    log("c", n);
  }
  const { done, pending } = yield* asyncio.wait([asyncio.createTask(child(0)), asyncio.createTask(child(1))]);
  log("done", done.size, "pending", pending.size);
});

golden("I03_wait_all_already_done", function* (log) {
  const future = asyncio.getRunningLoop().createFuture<number>();
  future.setResult(1);
  log("before");
  const { done } = yield* asyncio.wait([future]);
  log("after", done.size);
});

golden("I04_wait_first_exception", function* (log) {
  function* child(n: number) {
    yield* asyncio.sleep(n);
    if (n === 1) throw new ValueError();
  }
  const tasks = [1, 2, 3].map((n) => asyncio.createTask(child(n)));
  const { done, pending } = yield* asyncio.wait(tasks, { returnWhen: asyncio.FIRST_EXCEPTION });
  log("done", done.size, "pending", pending.size, float(asyncio.getRunningLoop().time()));
  for (const task of done) task.exception();
  for (const task of pending) task.cancel();
});

golden("I05_wait_timeout", function* (log) {
  function* child() {
    yield* asyncio.sleep(10);
  }
  const task = asyncio.createTask(child());
  const { done, pending } = yield* asyncio.wait([task], { timeout: 1 });
  const now = float(asyncio.getRunningLoop().time());
  log("done", done.size, "pending", pending.size, now, task.cancelled());
  task.cancel();
});

golden("I06_wait_cancelled_leaves_children", function* (log) {
  function* child() {
    yield* asyncio.sleep(3);
    log("child finished");
  }
  const task = asyncio.createTask(child());
  function* parent() {
    yield* asyncio.wait([task]);
  }
  const waiting = asyncio.createTask(parent());
  yield* asyncio.sleep(0);
  yield* asyncio.sleep(0);
  waiting.cancel();
  try {
    yield* waiting;
  } catch (error) {
    except(asyncio.CancelledError, error);
    log("wait cancelled; child cancelled?", task.cancelled());
  }
  yield* task;
});

golden("I07_wait_timeout_zero", function* (log) {
  function* child() {
    yield* asyncio.sleep(10);
  }
  const task = asyncio.createTask(child());
  log("b");
  const { done, pending } = yield* asyncio.wait([task], { timeout: 0 });
  log("done", done.size, "pending", pending.size);
  task.cancel();
});
