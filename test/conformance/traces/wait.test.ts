/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */

import * as asyncio from "asyncio-ts";
import { except, float, golden, ValueError } from "./trace-loop.ts";

golden("I01_wait_first_completed", {
  *generators(log) {
    function* child(n: number) {
      for (let i = 0; i < n; i++) yield* asyncio.sleep(0);
      log("c", n, "done");
    }
    const tasks = [0, 1, 5].map((n) => asyncio.createTask(child(n)));
    const { done, pending } = yield* asyncio.wait(tasks, { returnWhen: asyncio.FIRST_COMPLETED });
    log("done", done.size, "pending", pending.size);
    for (const task of pending) task.cancel();
  },
  async functions(log) {
    const child = asyncio.coroutine(async (n: number) => {
      for (let i = 0; i < n; i++) await asyncio.sleep(0);
      log("c", n, "done");
    });
    const tasks = [0, 1, 5].map((n) => asyncio.createTask(child(n)));
    const { done, pending } = await asyncio.wait(tasks, { returnWhen: asyncio.FIRST_COMPLETED });
    log("done", done.size, "pending", pending.size);
    for (const task of pending) task.cancel();
  },
  trace: `
    2:c 0 done
    3:c 1 done
    4:done 2 pending 1
    5:run_until_complete returned`,
});

golden("I02_wait_all", {
  *generators(log) {
    function* child(n: number) {
      log("c", n);
    }
    const { done, pending } = yield* asyncio.wait([asyncio.createTask(child(0)), asyncio.createTask(child(1))]);
    log("done", done.size, "pending", pending.size);
  },
  async functions(log) {
    const child = asyncio.coroutine(async (n: number) => log("c", n));
    const { done, pending } = await asyncio.wait([asyncio.createTask(child(0)), asyncio.createTask(child(1))]);
    log("done", done.size, "pending", pending.size);
  },
  trace: `
    2:c 0
    2:c 1
    4:done 2 pending 0
    5:run_until_complete returned`,
});

golden("I03_wait_all_already_done", {
  *generators(log) {
    const future = asyncio.getRunningLoop().createFuture<number>();
    future.setResult(1);
    log("before");
    const { done } = yield* asyncio.wait([future]);
    log("after", done.size);
  },
  async functions(log) {
    const future = asyncio.getRunningLoop().createFuture<number>();
    future.setResult(1);
    log("before");
    const { done } = await asyncio.wait([future]);
    log("after", done.size);
  },
  trace: `
    1:before
    3:after 1
    4:run_until_complete returned`,
});

golden("I04_wait_first_exception", {
  *generators(log) {
    function* child(n: number) {
      yield* asyncio.sleep(n);
      if (n === 1) throw new ValueError();
    }
    const tasks = [1, 2, 3].map((n) => asyncio.createTask(child(n)));
    const { done, pending } = yield* asyncio.wait(tasks, { returnWhen: asyncio.FIRST_EXCEPTION });
    log("done", done.size, "pending", pending.size, float(asyncio.getRunningLoop().time()));
    for (const task of done) task.exception();
    for (const task of pending) task.cancel();
  },
  async functions(log) {
    const child = asyncio.coroutine(async (n: number) => {
      await asyncio.sleep(n);
      if (n === 1) throw new ValueError();
    });
    const tasks = [1, 2, 3].map((n) => asyncio.createTask(child(n)));
    const { done, pending } = await asyncio.wait(tasks, { returnWhen: asyncio.FIRST_EXCEPTION });
    log("done", done.size, "pending", pending.size, float(asyncio.getRunningLoop().time()));
    for (const task of done) task.exception();
    for (const task of pending) task.cancel();
  },
  trace: `
    6:done 1 pending 2 1.0
    7:run_until_complete returned`,
});

golden("I05_wait_timeout", {
  *generators(log) {
    function* child() {
      yield* asyncio.sleep(10);
    }
    const task = asyncio.createTask(child());
    const { done, pending } = yield* asyncio.wait([task], { timeout: 1 });
    const now = float(asyncio.getRunningLoop().time());
    log("done", done.size, "pending", pending.size, now, task.cancelled());
    task.cancel();
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      await asyncio.sleep(10);
    });
    const task = asyncio.createTask(child());
    const { done, pending } = await asyncio.wait([task], { timeout: 1 });
    const now = float(asyncio.getRunningLoop().time());
    log("done", done.size, "pending", pending.size, now, task.cancelled());
    task.cancel();
  },
  trace: `
    4:done 0 pending 1 1.0 False
    5:run_until_complete returned`,
});

golden("I06_wait_cancelled_leaves_children", {
  *generators(log) {
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
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      await asyncio.sleep(3);
      log("child finished");
    });
    const task = asyncio.createTask(child());
    const parent = asyncio.coroutine(async () => {
      await asyncio.wait([task]);
    });
    const waiting = asyncio.createTask(parent());
    await asyncio.sleep(0);
    await asyncio.sleep(0);
    waiting.cancel();
    try {
      await waiting;
    } catch (error) {
      except(asyncio.CancelledError, error);
      log("wait cancelled; child cancelled?", task.cancelled());
    }
    await task;
  },
  trace: `
    5:wait cancelled; child cancelled? False
    7:child finished
    9:run_until_complete returned`,
});

golden("I07_wait_timeout_zero", {
  *generators(log) {
    function* child() {
      yield* asyncio.sleep(10);
    }
    const task = asyncio.createTask(child());
    log("b");
    const { done, pending } = yield* asyncio.wait([task], { timeout: 0 });
    log("done", done.size, "pending", pending.size);
    task.cancel();
  },
  async functions(log) {
    const child = asyncio.coroutine(async () => {
      await asyncio.sleep(10);
    });
    const task = asyncio.createTask(child());
    log("b");
    const { done, pending } = await asyncio.wait([task], { timeout: 0 });
    log("done", done.size, "pending", pending.size);
    task.cancel();
  },
  trace: `
    1:b
    3:done 0 pending 1
    4:run_until_complete returned`,
});
