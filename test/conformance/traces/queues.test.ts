import * as asyncio from "asyncio-ts";
import { except } from "./python-words.ts";
import { golden } from "./trace-loop.ts";

golden("H01_queue_get_put", function* (log) {
  const queue = new asyncio.Queue<number>();
  function* consumer() {
    const item = yield* queue.get();
    log("got", item);
  }
  const task = asyncio.createTask(consumer());
  yield* asyncio.sleep(0);
  log("put");
  yield* queue.put(1);
  log("put returned");
  yield* task;
});

golden("H02_queue_bounded", function* (log) {
  const queue = new asyncio.Queue<number>(1);
  function* producer() {
    for (let i = 0; i < 3; i++) {
      yield* queue.put(i);
      log("put", i);
    }
  }
  function* consumer() {
    for (let i = 0; i < 3; i++) log("got", yield* queue.get());
  }
  yield* asyncio.gather(producer(), consumer());
  log("end");
});

golden("H03_queue_two_getters_fifo", function* (log) {
  const queue = new asyncio.Queue<string>();
  function* consumer(n: number) {
    log(n, "got", yield* queue.get());
  }
  const tasks = [0, 1].map((n) => asyncio.createTask(consumer(n)));
  yield* asyncio.sleep(0);
  queue.putNowait("a");
  queue.putNowait("b");
  log("put both");
  yield* asyncio.gather(tasks);
});

golden("H04_queue_join", function* (log) {
  const queue = new asyncio.Queue<number>();
  queue.putNowait(1);
  function* joiner() {
    yield* queue.join();
    log("joined");
  }
  const task = asyncio.createTask(joiner());
  yield* asyncio.sleep(0);
  queue.getNowait();
  queue.taskDone();
  log("task_done");
  yield* task;
});

golden("H05_queue_shutdown", function* (log) {
  const queue = new asyncio.Queue<number>(1);
  function* getter(n: number) {
    try {
      log(n, "got", yield* queue.get());
    } catch (error) {
      log(n, except(asyncio.QueueShutDown, error).name);
    }
  }
  const tasks = [0, 1].map((n) => asyncio.createTask(getter(n)));
  yield* asyncio.sleep(0);
  queue.shutdown();
  log("shutdown");
  yield* asyncio.gather(tasks);
  try {
    queue.putNowait(1);
  } catch (error) {
    log("put ->", except(asyncio.QueueShutDown, error).name);
  }
});

golden("H06_queue_shutdown_with_items", function* (log) {
  const queue = new asyncio.Queue<number>();
  queue.putNowait(1);
  queue.putNowait(2);
  queue.shutdown();
  log(queue.getNowait(), queue.getNowait());
  try {
    queue.getNowait();
  } catch (error) {
    log("empty ->", except(asyncio.QueueShutDown, error).name);
  }
  const other = new asyncio.Queue<number>();
  other.putNowait(1);
  other.shutdown({ immediate: true });
  log("size", other.qsize());
  yield* other.join();
  log("join ok");
});

golden("H07_queue_putter_shutdown", function* (log) {
  const queue = new asyncio.Queue<number>(1);
  queue.putNowait(0);
  function* putter() {
    try {
      yield* queue.put(1);
    } catch (error) {
      log("putter", except(asyncio.QueueShutDown, error).name);
    }
  }
  const task = asyncio.createTask(putter());
  yield* asyncio.sleep(0);
  queue.shutdown();
  log("shutdown");
  yield* task;
  log(queue.getNowait());
});

golden("H08_queue_get_cancel_after_wakeup", function* (log) {
  const queue = new asyncio.Queue<number>();
  function* getter(name: string) {
    try {
      log(name, "got", yield* queue.get());
    } catch (error) {
      except(asyncio.CancelledError, error);
      log(name, "cancelled");
      throw error;
    }
  }
  const a = asyncio.createTask(getter("a"));
  const b = asyncio.createTask(getter("b"));
  yield* asyncio.sleep(0);
  queue.putNowait(1);
  a.cancel();
  log("put+cancel");
  yield* b;
  log("end");
});

golden("H09_queue_steal", function* (log) {
  const queue = new asyncio.Queue<number>();
  function* getter(name: string) {
    log(name, "got", yield* queue.get());
  }
  const a = asyncio.createTask(getter("a"));
  yield* asyncio.sleep(0);
  queue.putNowait(1);
  log("main steals", queue.getNowait());
  yield* asyncio.sleep(0);
  log("a back waiting", queue.statistics().getting);
  queue.putNowait(2);
  yield* a;
});
