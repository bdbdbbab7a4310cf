import * as asyncio from "asyncio-ts";
import { except, golden } from "./trace-loop.ts";

golden("H01_queue_get_put", {
  *generators(log) {
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
  },
  async functions(log) {
    const queue = new asyncio.Queue<number>();
    const consumer = asyncio.coroutine(async () => {
      const item = await queue.get();
      log("got", item);
    });
    const task = asyncio.createTask(consumer());
    await asyncio.sleep(0);
    log("put");
    await queue.put(1);
    log("put returned");
    await task;
  },
  trace: `
    2:put
    2:put returned
    3:got 1
    5:run_until_complete returned`,
});

golden("H02_queue_bounded", {
  *generators(log) {
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
  },
  async functions(log) {
    const queue = new asyncio.Queue<number>(1);
    const producer = asyncio.coroutine(async () => {
      for (let i = 0; i < 3; i++) {
        await queue.put(i);
        log("put", i);
      }
    });
    const consumer = asyncio.coroutine(async () => {
      for (let i = 0; i < 3; i++) log("got", await queue.get());
    });
    await asyncio.gather(producer(), consumer());
    log("end");
  },
  trace: `
    2:put 0
    2:got 0
    3:put 1
    4:got 1
    5:put 2
    6:got 2
    8:end
    9:run_until_complete returned`,
});

golden("H03_queue_two_getters_fifo", {
  *generators(log) {
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
  },
  async functions(log) {
    const queue = new asyncio.Queue<string>();
    const consumer = asyncio.coroutine(async (n: number) => log(n, "got", await queue.get()));
    const tasks = [0, 1].map((n) => asyncio.createTask(consumer(n)));
    await asyncio.sleep(0);
    queue.putNowait("a");
    queue.putNowait("b");
    log("put both");
    await asyncio.gather(tasks);
  },
  trace: `
    2:put both
    3:0 got a
    3:1 got b
    6:run_until_complete returned`,
});

golden("H04_queue_join", {
  *generators(log) {
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
  },
  async functions(log) {
    const queue = new asyncio.Queue<number>();
    queue.putNowait(1);
    const joiner = asyncio.coroutine(async () => {
      await queue.join();
      log("joined");
    });
    const task = asyncio.createTask(joiner());
    await asyncio.sleep(0);
    queue.getNowait();
    queue.taskDone();
    log("task_done");
    await task;
  },
  trace: `
    2:task_done
    3:joined
    5:run_until_complete returned`,
});

golden("H05_queue_shutdown", {
  *generators(log) {
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
  },
  async functions(log) {
    const queue = new asyncio.Queue<number>(1);
    const getter = asyncio.coroutine(async (n: number) => {
      try {
        log(n, "got", await queue.get());
      } catch (error) {
        log(n, except(asyncio.QueueShutDown, error).name);
      }
    });
    const tasks = [0, 1].map((n) => asyncio.createTask(getter(n)));
    await asyncio.sleep(0);
    queue.shutdown();
    log("shutdown");
    await asyncio.gather(tasks);
    try {
      queue.putNowait(1);
    } catch (error) {
      log("put ->", except(asyncio.QueueShutDown, error).name);
    }
  },
  trace: `
    2:shutdown
    3:0 QueueShutDown
    3:1 QueueShutDown
    5:put -> QueueShutDown
    6:run_until_complete returned`,
});

golden("H06_queue_shutdown_with_items", {
  *generators(log) {
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
  },
  async functions(log) {
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
    await other.join();
    log("join ok");
  },
  trace: `
    1:1 2
    1:empty -> QueueShutDown
    1:size 0
    1:join ok
    2:run_until_complete returned`,
});

golden("H07_queue_putter_shutdown", {
  *generators(log) {
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
  },
  async functions(log) {
    const queue = new asyncio.Queue<number>(1);
    queue.putNowait(0);
    const putter = asyncio.coroutine(async () => {
      try {
        await queue.put(1);
      } catch (error) {
        log("putter", except(asyncio.QueueShutDown, error).name);
      }
    });
    const task = asyncio.createTask(putter());
    await asyncio.sleep(0);
    queue.shutdown();
    log("shutdown");
    await task;
    log(queue.getNowait());
  },
  trace: `
    2:shutdown
    3:putter QueueShutDown
    4:0
    5:run_until_complete returned`,
});

golden("H08_queue_get_cancel_after_wakeup", {
  *generators(log) {
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
  },
  async functions(log) {
    const queue = new asyncio.Queue<number>();
    const getter = asyncio.coroutine(async (name: string) => {
      try {
        log(name, "got", await queue.get());
      } catch (error) {
        except(asyncio.CancelledError, error);
        log(name, "cancelled");
        throw error;
      }
    });
    const a = asyncio.createTask(getter("a"));
    const b = asyncio.createTask(getter("b"));
    await asyncio.sleep(0);
    queue.putNowait(1);
    a.cancel();
    log("put+cancel");
    await b;
    log("end");
  },
  trace: `
    2:put+cancel
    3:a cancelled
    4:b got 1
    5:end
    6:run_until_complete returned`,
});

golden("H09_queue_steal", {
  *generators(log) {
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
  },
  async functions(log) {
    const queue = new asyncio.Queue<number>();
    const getter = asyncio.coroutine(async (name: string) => log(name, "got", await queue.get()));
    const a = asyncio.createTask(getter("a"));
    await asyncio.sleep(0);
    queue.putNowait(1);
    log("main steals", queue.getNowait());
    await asyncio.sleep(0);
    log("a back waiting", queue.statistics().getting);
    queue.putNowait(2);
    await a;
  },
  trace: `
    2:main steals 1
    3:a back waiting 1
    4:a got 2
    6:run_until_complete returned`,
});
