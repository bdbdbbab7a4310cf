/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */

import * as asyncio from "asyncio-ts";
import { except, golden, repr } from "./trace-loop.ts";

golden("G01_lock_handoff", {
  *generators(log) {
    const lock = new asyncio.Lock();
    function* child(n: number) {
      log(n, "wait");
      yield* lock.hold(function* () {
        log(n, "got");
        yield* asyncio.sleep(0);
        log(n, "rel");
      });
    }
    yield* asyncio.gather(child(0), child(1), child(2));
    log("end");
  },
  async functions(log) {
    const lock = new asyncio.Lock();
    const child = asyncio.coroutine(async (n: number) => {
      log(n, "wait");
      await lock.hold(async () => {
        log(n, "got");
        await asyncio.sleep(0);
        log(n, "rel");
      });
    });
    await asyncio.gather(child(0), child(1), child(2));
    log("end");
  },
  trace: `
    2:0 wait
    2:0 got
    2:1 wait
    2:2 wait
    3:0 rel
    4:1 got
    5:1 rel
    6:2 got
    7:2 rel
    9:end
    10:run_until_complete returned`,
});

golden("G02_lock_uncontended", {
  *generators(log) {
    const lock = new asyncio.Lock();
    log("a");
    yield* lock.acquire();
    log("b");
    lock.release();
    log(repr(lock).split("[")[1]);
  },
  async functions(log) {
    const lock = new asyncio.Lock();
    log("a");
    await lock.acquire();
    log("b");
    lock.release();
    log(repr(lock).split("[")[1]);
  },
  trace: `
    1:a
    1:b
    1:unlocked]>
    2:run_until_complete returned`,
});

golden("G03_lock_barging", {
  *generators(log) {
    const lock = new asyncio.Lock();
    yield* lock.acquire();
    function* waiter(name: string) {
      yield* lock.acquire();
      log(name, "got");
      lock.release();
    }
    const task = asyncio.createTask(waiter("waiter"));
    yield* asyncio.sleep(0);
    lock.release();
    log("released; locked?", lock.locked());
    yield* lock.acquire();
    log("main re-acquired");
    lock.release();
    yield* task;
  },
  async functions(log) {
    const lock = new asyncio.Lock();
    await lock.acquire();
    const waiter = asyncio.coroutine(async (name: string) => {
      await lock.acquire();
      log(name, "got");
      lock.release();
    });
    const task = asyncio.createTask(waiter("waiter"));
    await asyncio.sleep(0);
    lock.release();
    log("released; locked?", lock.locked());
    await lock.acquire();
    log("main re-acquired");
    lock.release();
    await task;
  },
  trace: `
    2:released; locked? False
    3:waiter got
    4:main re-acquired
    5:run_until_complete returned`,
});

golden("G04_lock_cancel_first_waiter_after_wakeup", {
  *generators(log) {
    const lock = new asyncio.Lock();
    yield* lock.acquire();
    function* waiter(name: string) {
      try {
        yield* lock.acquire();
      } catch (error) {
        except(asyncio.CancelledError, error);
        log(name, "cancelled");
        throw error;
      }
      log(name, "got");
      lock.release();
    }
    const a = asyncio.createTask(waiter("a"));
    const b = asyncio.createTask(waiter("b"));
    yield* asyncio.sleep(0);
    lock.release();
    a.cancel();
    log("rel+cancel");
    yield* b;
    log("end");
  },
  async functions(log) {
    const lock = new asyncio.Lock();
    await lock.acquire();
    const waiter = asyncio.coroutine(async (name: string) => {
      try {
        await lock.acquire();
      } catch (error) {
        except(asyncio.CancelledError, error);
        log(name, "cancelled");
        throw error;
      }
      log(name, "got");
      lock.release();
    });
    const a = asyncio.createTask(waiter("a"));
    const b = asyncio.createTask(waiter("b"));
    await asyncio.sleep(0);
    lock.release();
    a.cancel();
    log("rel+cancel");
    await b;
    log("end");
  },
  trace: `
    2:rel+cancel
    3:a cancelled
    4:b got
    5:end
    6:run_until_complete returned`,
});

golden("G05_semaphore_order", {
  *generators(log) {
    const semaphore = new asyncio.Semaphore(2);
    function* child(n: number) {
      yield* semaphore.hold(function* () {
        log(n, "got");
        yield* asyncio.sleep(0);
        log(n, "rel");
      });
    }
    yield* asyncio.gather([0, 1, 2, 3, 4].map((n) => child(n)));
    log("end");
  },
  async functions(log) {
    const semaphore = new asyncio.Semaphore(2);
    const child = asyncio.coroutine(async (n: number) => {
      await semaphore.hold(async () => {
        log(n, "got");
        await asyncio.sleep(0);
        log(n, "rel");
      });
    });
    await asyncio.gather([0, 1, 2, 3, 4].map((n) => child(n)));
    log("end");
  },
  trace: `
    2:0 got
    2:1 got
    3:0 rel
    3:1 rel
    4:2 got
    4:3 got
    5:2 rel
    5:3 rel
    6:4 got
    7:4 rel
    9:end
    10:run_until_complete returned`,
});

golden("G06_semaphore_no_barging", {
  *generators(log) {
    const semaphore = new asyncio.Semaphore(1);
    yield* semaphore.acquire();
    function* waiter(name: string) {
      yield* semaphore.acquire();
      log(name, "got");
      semaphore.release();
    }
    const task = asyncio.createTask(waiter("waiter"));
    yield* asyncio.sleep(0);
    semaphore.release();
    log("released; locked?", semaphore.locked(), "value", semaphore.statistics().value);
    yield* semaphore.acquire();
    log("main");
    semaphore.release();
    yield* task;
  },
  async functions(log) {
    const semaphore = new asyncio.Semaphore(1);
    await semaphore.acquire();
    const waiter = asyncio.coroutine(async (name: string) => {
      await semaphore.acquire();
      log(name, "got");
      semaphore.release();
    });
    const task = asyncio.createTask(waiter("waiter"));
    await asyncio.sleep(0);
    semaphore.release();
    log("released; locked?", semaphore.locked(), "value", semaphore.statistics().value);
    await semaphore.acquire();
    log("main");
    semaphore.release();
    await task;
  },
  trace: `
    2:released; locked? True value 0
    3:waiter got
    4:main
    5:run_until_complete returned`,
});

golden("G07_event", {
  *generators(log) {
    const event = new asyncio.Event();
    function* waiter(n: number) {
      yield* event.wait();
      log(n, "woke", event.isSet());
    }
    const tasks = [0, 1, 2].map((n) => asyncio.createTask(waiter(n)));
    yield* asyncio.sleep(0);
    event.set();
    event.clear();
    log("set+clear");
    yield* asyncio.gather(tasks);
    log("end");
  },
  async functions(log) {
    const event = new asyncio.Event();
    const waiter = asyncio.coroutine(async (n: number) => {
      await event.wait();
      log(n, "woke", event.isSet());
    });
    const tasks = [0, 1, 2].map((n) => asyncio.createTask(waiter(n)));
    await asyncio.sleep(0);
    event.set();
    event.clear();
    log("set+clear");
    await asyncio.gather(tasks);
    log("end");
  },
  trace: `
    2:set+clear
    3:0 woke False
    3:1 woke False
    3:2 woke False
    5:end
    6:run_until_complete returned`,
});

golden("G08_condition_notify", {
  *generators(log) {
    const condition = new asyncio.Condition();
    function* waiter(n: number) {
      yield* condition.hold(function* () {
        log(n, "waiting");
        yield* condition.wait();
        log(n, "woke");
      });
    }
    const tasks = [0, 1, 2].map((n) => asyncio.createTask(waiter(n)));
    yield* asyncio.sleep(0);
    yield* condition.hold(function* () {
      condition.notify(2);
      log("notified 2");
    });
    yield* asyncio.sleep(0);
    yield* asyncio.sleep(0);
    yield* asyncio.sleep(0);
    log("later");
    yield* condition.hold(function* () {
      condition.notifyAll();
      log("notify_all");
    });
    yield* asyncio.gather(tasks);
    log("end");
  },
  async functions(log) {
    const condition = new asyncio.Condition();
    const waiter = asyncio.coroutine(async (n: number) => {
      await condition.hold(async () => {
        log(n, "waiting");
        await condition.wait();
        log(n, "woke");
      });
    });
    const tasks = [0, 1, 2].map((n) => asyncio.createTask(waiter(n)));
    await asyncio.sleep(0);
    await condition.hold(async () => {
      condition.notify(2);
      log("notified 2");
    });
    await asyncio.sleep(0);
    await asyncio.sleep(0);
    await asyncio.sleep(0);
    log("later");
    await condition.hold(async () => {
      condition.notifyAll();
      log("notify_all");
    });
    await asyncio.gather(tasks);
    log("end");
  },
  trace: `
    2:0 waiting
    2:1 waiting
    2:2 waiting
    2:notified 2
    3:0 woke
    3:1 woke
    5:later
    5:notify_all
    6:2 woke
    8:end
    9:run_until_complete returned`,
});

golden("G09_condition_cancel_waiter", {
  *generators(log) {
    const condition = new asyncio.Condition();
    function* waiter() {
      yield* condition.hold(function* () {
        try {
          yield* condition.wait();
        } catch (error) {
          except(asyncio.CancelledError, error);
          log("cancelled, locked", condition.locked());
          throw error;
        }
      });
    }
    const task = asyncio.createTask(waiter());
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
    const condition = new asyncio.Condition();
    const waiter = asyncio.coroutine(async () => {
      await condition.hold(async () => {
        try {
          await condition.wait();
        } catch (error) {
          except(asyncio.CancelledError, error);
          log("cancelled, locked", condition.locked());
          throw error;
        }
      });
    });
    const task = asyncio.createTask(waiter());
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
    3:cancelled, locked True
    4:main
    5:run_until_complete returned`,
});

golden("G10_barrier", {
  *generators(log) {
    const barrier = new asyncio.Barrier(3);
    function* waiter(n: number) {
      const place = yield* barrier.wait();
      log(n, "passed index", place);
    }
    yield* asyncio.gather(waiter(0), waiter(1), waiter(2));
    log("end");
  },
  async functions(log) {
    const barrier = new asyncio.Barrier(3);
    const waiter = asyncio.coroutine(async (n: number) => {
      const place = await barrier.wait();
      log(n, "passed index", place);
    });
    await asyncio.gather(waiter(0), waiter(1), waiter(2));
    log("end");
  },
  trace: `
    2:2 passed index 2
    3:0 passed index 0
    3:1 passed index 1
    5:end
    6:run_until_complete returned`,
});

golden("G11_barrier_abort", {
  *generators(log) {
    const barrier = new asyncio.Barrier(3);
    function* waiter(n: number) {
      try {
        yield* barrier.wait();
      } catch (error) {
        log(n, "Broken", except(asyncio.BrokenBarrierError, error));
      }
    }
    const tasks = [0, 1].map((n) => asyncio.createTask(waiter(n)));
    yield* asyncio.sleep(0);
    yield* barrier.abort();
    log("aborted", barrier.broken);
    yield* asyncio.gather(tasks);
  },
  async functions(log) {
    const barrier = new asyncio.Barrier(3);
    const waiter = asyncio.coroutine(async (n: number) => {
      try {
        await barrier.wait();
      } catch (error) {
        log(n, "Broken", except(asyncio.BrokenBarrierError, error));
      }
    });
    const tasks = [0, 1].map((n) => asyncio.createTask(waiter(n)));
    await asyncio.sleep(0);
    await barrier.abort();
    log("aborted", barrier.broken);
    await asyncio.gather(tasks);
  },
  trace: `
    2:aborted True
    3:0 Broken Abort or reset of barrier
    3:1 Broken Abort or reset of barrier
    6:run_until_complete returned`,
});

// Python's ValueError is a RangeError in JavaScript.
golden("G12_bounded_semaphore", {
  *generators(log) {
    const semaphore = new asyncio.BoundedSemaphore(1);
    try {
      semaphore.release();
    } catch (error) {
      log(except(RangeError, error));
    }
  },
  async functions(log) {
    const semaphore = new asyncio.BoundedSemaphore(1);
    try {
      semaphore.release();
    } catch (error) {
      log(except(RangeError, error));
    }
  },
  trace: `
    1:BoundedSemaphore released too many times
    2:run_until_complete returned`,
});
