/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */

import * as asyncio from "asyncio-ts";
import { except, repr } from "./python-words.ts";
import { golden } from "./trace-loop.ts";

golden("G01_lock_handoff", function* (log) {
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
});

golden("G02_lock_uncontended", function* (log) {
  const lock = new asyncio.Lock();
  log("a");
  yield* lock.acquire();
  log("b");
  lock.release();
  log(repr(lock).split("[")[1]);
});

golden("G03_lock_barging", function* (log) {
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
});

golden("G04_lock_cancel_first_waiter_after_wakeup", function* (log) {
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
});

golden("G05_semaphore_order", function* (log) {
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
});

golden("G06_semaphore_no_barging", function* (log) {
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
});

golden("G07_event", function* (log) {
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
});

golden("G08_condition_notify", function* (log) {
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
});

golden("G09_condition_cancel_waiter", function* (log) {
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
});

golden("G10_barrier", function* (log) {
  const barrier = new asyncio.Barrier(3);
  function* waiter(n: number) {
    const place = yield* barrier.wait();
    log(n, "passed index", place);
  }
  yield* asyncio.gather(waiter(0), waiter(1), waiter(2));
  log("end");
});

golden("G11_barrier_abort", function* (log) {
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
});

// Python's ValueError is a RangeError in JavaScript.
golden("G12_bounded_semaphore", function* (log) {
  const semaphore = new asyncio.BoundedSemaphore(1);
  try {
    semaphore.release();
  } catch (error) {
    log(except(RangeError, error));
  }
});
