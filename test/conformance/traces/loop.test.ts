/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */

/** The loop itself. L19 to L21, which shut asynchronous generators down, are left out. */

import * as asyncio from "asyncio-ts";
import { beforeColon, except, exceptStar, float, me, repr, ValueError } from "./python-words.ts";
import { goldenCallbacks, goldenLoop, newLoop } from "./trace-loop.ts";

goldenCallbacks(
  "L01_equal_deadline_order",
  async (loop, log) => {
    for (let n = 2; n <= 10; n++) {
      const out: number[] = [];
      const when = loop.time() + 1;
      for (let i = 0; i < n; i++) loop.callAt(when, () => out.push(i));
      loop.callAt(when + 0.5, () => loop.stop());
      await loop.runForever();
      log(n, out);
    }
  },
  {
    differs: {
      because: "timers that are due at the same instant fire in the order of their making, not in that of a heap",
      lines: {
        "4:3 [0, 2, 1]": "4:3 [0, 1, 2]",
        "6:4 [0, 2, 1, 3]": "6:4 [0, 1, 2, 3]",
        "8:5 [0, 2, 1, 3, 4]": "8:5 [0, 1, 2, 3, 4]",
        "10:6 [0, 2, 5, 1, 3, 4]": "10:6 [0, 1, 2, 3, 4, 5]",
        "12:7 [0, 2, 6, 5, 1, 3, 4]": "12:7 [0, 1, 2, 3, 4, 5, 6]",
        "14:8 [0, 2, 6, 5, 7, 1, 3, 4]": "14:8 [0, 1, 2, 3, 4, 5, 6, 7]",
        "16:9 [0, 2, 6, 5, 8, 7, 1, 3, 4]": "16:9 [0, 1, 2, 3, 4, 5, 6, 7, 8]",
        "18:10 [0, 2, 6, 5, 9, 8, 7, 1, 3, 4]": "18:10 [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]",
      },
    },
  },
);

goldenCallbacks(
  "L02_call_later0_vs_call_soon",
  async (loop, log) => {
    loop.callLater(0, log, "later0");
    loop.callSoon(log, "soon1");
    loop.callSoon(log, "soon2");
    loop.callLater(0, log, "later0b");
    loop.callLater(-1, log, "later-1");
    loop.callSoon(() => loop.stop());
    await loop.runForever();
  },
  {
    differs: {
      because: "timers that are due at the same instant fire in the order of their making, not in that of a heap",
      lines: {
        "1:later0b": "1:later0",
        "1:later0": "1:later0b",
      },
    },
  },
);

goldenCallbacks("L03_stop_before_run_forever", async (loop, log) => {
  loop.callSoon(log, "a");
  loop.stop();
  await loop.runForever();
  log("returned");
  loop.callSoon(log, "b");
  loop.callSoon(() => loop.stop());
  await loop.runForever();
  log("returned2");
});

goldenCallbacks("L04_stop_runs_rest_of_batch_not_next", async (loop, log) => {
  loop.callSoon(() => {
    log("first");
    loop.stop();
    loop.callSoon(log, "scheduled after stop");
  });
  loop.callSoon(log, "second");
  await loop.runForever();
  log("returned");
  loop.callSoon(() => loop.stop());
  await loop.runForever();
  log("returned2");
});

goldenCallbacks("L05_timer_ready_appended_after_existing_ready", async (loop, log) => {
  loop.callAt(0, log, "timer0");
  loop.callSoon(log, "soon");
  loop.callSoon(() => loop.stop());
  await loop.runForever();
});

goldenCallbacks(
  "L06_exception_in_callback",
  async (loop, log) => {
    function bad() {
      throw new ValueError("boom");
    }
    loop.callSoon(bad);
    loop.callSoon(log, "next");
    loop.callSoon(() => loop.stop());
    await loop.runForever();
  },
  {
    differs: {
      because: "JavaScript functions do not know where they were defined",
      lines: {
        "1:EXCHANDLER Exception in callback L06_exception_in_callback.<locals>.bad() at FILE:LINE ValueError('boom')":
          "1:EXCHANDLER Exception in callback bad() ValueError('boom')",
      },
    },
  },
);

goldenCallbacks("L07_systemexit_in_callback", async (loop, log) => {
  function bad() {
    throw new asyncio.SystemExit(3);
  }
  loop.callSoon(bad);
  loop.callSoon(log, "next");
  try {
    await loop.runForever();
  } catch (error) {
    const { exitCode } = except(asyncio.SystemExit, error);
    log("SystemExit propagated", exitCode, "running", loop.isRunning());
  }
  loop.callSoon(() => loop.stop());
  await loop.runForever();
  log("second run");
});

goldenCallbacks("L08_run_until_complete_future_never_done", async (loop, log) => {
  const future = loop.createFuture();
  loop.callSoon(() => loop.stop());
  try {
    await loop.runUntilComplete(future);
  } catch (error) {
    log(except(asyncio.RuntimeError, error));
  }
});

// CPython's program moves the canceller to the head of the loop's private queue; here it is scheduled first.
goldenCallbacks("L09_cancel_handle", async (loop, log) => {
  const handles: asyncio.Handle[] = [];
  loop.callSoon(() => handles.at(1)?.cancel());
  for (let i = 0; i < 3; i++) handles.push(loop.callSoon(log, i));
  loop.callSoon(() => loop.stop());
  await loop.runForever();
  log(handles.at(1)?.cancelled());
});

// `statistics()` tells what CPython's program reads in `_timer_cancelled_count` and `_scheduled`.
goldenCallbacks("L10_timer_sweep", async (loop, log) => {
  const count = (when: string) => log(when, loop.statistics().cancelledTimers, loop.statistics().timers);
  const schedule = (first: number, size: number) =>
    Array.from({ length: size }, (_, i) => loop.callAt(first + i, log, i));
  const runOnce = async () => {
    loop.callSoon(() => loop.stop());
    await loop.runForever();
  };
  for (const handle of schedule(100, 200).slice(0, 100)) handle.cancel();
  count("cancelled count");
  await runOnce();
  count("after run (head pops)");
  for (const handle of schedule(500, 100)) handle.cancel();
  count("now");
  await runOnce();
  count("50% exactly: not swept");
  loop.callAt(900, log, 1).cancel();
  await runOnce();
  count(">50%: swept");
});

goldenCallbacks("L11_closed_loop_errors", async (_loop, log) => {
  const closed = newLoop();
  closed.close();
  const attempts = {
    call_soon: () => closed.callSoon(() => {}),
    call_later: () => closed.callLater(1, () => {}),
    run_forever: () => closed.runForever(),
    close: () => closed.close(),
    create_task: () => closed.createTask(function* nothing() {}),
  };
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      log(name, await attempt());
    } catch (error) {
      log(name, repr(error));
    }
  }
});

// Written twice: running a loop gives a promise, which a generator must wrap in `fromPromise`.
goldenLoop(
  "L12_nested_run",
  {
    async generators(loop, log) {
      function* main() {
        try {
          yield* asyncio.fromPromise(loop.runUntilComplete(function* nested() {}));
        } catch (error) {
          log(beforeColon(except(asyncio.RuntimeError, error)));
        }
        const other = newLoop();
        try {
          yield* asyncio.fromPromise(other.runUntilComplete(function* nested() {}));
        } catch (error) {
          log(beforeColon(except(asyncio.RuntimeError, error)));
        }
        other.close();
      }
      await loop.runUntilComplete(main());
    },
    async functions(loop, log) {
      const main = asyncio.coroutine(async () => {
        try {
          await loop.runUntilComplete(async () => {});
        } catch (error) {
          log(beforeColon(except(asyncio.RuntimeError, error)));
        }
        const other = newLoop();
        try {
          await other.runUntilComplete(async () => {});
        } catch (error) {
          log(beforeColon(except(asyncio.RuntimeError, error)));
        }
        other.close();
      });
      await loop.runUntilComplete(main());
    },
  },
  {
    generatorsDiffer: { because: "a generator hears of a promise in the next turn" },
  },
);

// The names in the message are not CPython's: its ends are compared, as there.
goldenLoop("L13_task_on_other_loop", async (loop, log) => {
  const other = newLoop();
  const future = other.createFuture();
  function* main() {
    yield* future;
  }
  try {
    await loop.runUntilComplete(main());
  } catch (error) {
    const { message } = except(asyncio.RuntimeError, error);
    log(message.slice(0, 20), "...", message.slice(-30));
  }
  other.close();
});

goldenLoop(
  "L14_call_exception_handler_keys",
  async (loop, log) => {
    const runOnce = async () => {
      loop.callSoon(() => loop.stop());
      await loop.runForever();
    };
    loop.setExceptionHandler((_loop, context) => log(Object.keys(context).toSorted()));
    loop.callSoon(() => {
      throw new ValueError("boom");
    });
    await runOnce();
    const failing = loop.createTask(function* fail() {
      throw new ValueError(1);
    });
    await runOnce();
    const pending = loop.createTask(function* never() {
      yield* loop.createFuture();
    });
    await runOnce();
    const future = loop.createFuture();
    future.setException(new ValueError());
    loop.close();
    log(failing.done(), pending.done(), future.done());
  },
  {
    differs: {
      because:
        "what was forgotten is reported when the loop closes, pending tasks first, and not when garbage is collected",
      trace: `
      1:['exception', 'handle', 'message']
      3:['message', 'task']
      3:['exception', 'future', 'message']
      3:['exception', 'future', 'message']
      3:True False True`,
    },
  },
);

goldenLoop(
  "L15_eager_factory",
  async (loop, log) => {
    loop.setTaskFactory(asyncio.eagerTaskFactory);
    function* child(n: number) {
      log("c", n, "start");
      if (n > 0) yield* asyncio.sleep(0);
      log("c", n, "end");
      return n;
    }
    function* main() {
      for (const n of [0, 1]) {
        const task = asyncio.createTask(child(n));
        log("created", task.done());
        yield* task;
        log("awaited");
      }
      log(yield* asyncio.gather(child(0), child(0)));
      log(yield* asyncio.gather(child(0), child(1)));
      for (const n of [0, 1]) {
        yield* asyncio.taskGroup(function* (group) {
          group.createTask(child(n));
          log("body end");
        });
        log("tg done");
      }
    }
    await loop.runUntilComplete(main());
  },
  {
    functionsDiffer: {
      because: "the promise of an async function is settled only after createTask has returned",
      trace: `
      1:c 0 start
      1:c 0 end
      1:created False
      1:awaited
      1:c 1 start
      1:created False
      2:c 1 end
      3:awaited
      3:c 0 start
      3:c 0 end
      3:c 0 start
      3:c 0 end
      5:[0, 0]
      5:c 0 start
      5:c 0 end
      5:c 1 start
      6:c 1 end
      8:[0, 1]
      8:c 0 start
      8:c 0 end
      8:body end
      10:tg done
      10:c 1 start
      10:body end
      11:c 1 end
      13:tg done`,
    },
  },
);

// Written twice: the promise of an async function is settled only after `createTask` has returned, so the task is asked
// for its exception after an `await` that takes no turn.
goldenLoop("L16_eager_error", {
  async generators(loop, log) {
    loop.setTaskFactory(asyncio.eagerTaskFactory);
    function* bad() {
      throw new ValueError("e");
    }
    function* main() {
      const task = asyncio.createTask(bad());
      log("created", task.done(), repr(task.exception()));
      try {
        yield* asyncio.taskGroup(function* (group) {
          group.createTask(bad());
          log("body");
          yield* asyncio.sleep(0);
          log("body after sleep0");
        });
      } catch (error) {
        log(repr(exceptStar(ValueError, error)), me().cancelling());
      }
    }
    await loop.runUntilComplete(main());
  },
  async functions(loop, log) {
    loop.setTaskFactory(asyncio.eagerTaskFactory);
    const bad = asyncio.coroutine(async () => {
      throw new ValueError("e");
    });
    const main = asyncio.coroutine(async () => {
      const task = asyncio.createTask(bad());
      try {
        await task;
      } catch (error) {
        except(ValueError, error);
      }
      log("created", task.done(), repr(task.exception()));
      try {
        await asyncio.taskGroup(async (group) => {
          group.createTask(bad());
          log("body");
          await asyncio.sleep(0);
          log("body after sleep0");
        });
      } catch (error) {
        log(repr(exceptStar(ValueError, error)), me().cancelling());
      }
    });
    await loop.runUntilComplete(main());
  },
});

// Written twice: the promise of an async function is settled only after `createTask` has returned, so the task is asked
// for its result after an `await` that takes no turn. And a promise would wait for a task that it holds, but not for a
// list of one.
goldenLoop("L17_eager_context_and_current_task", {
  async generators(loop, log) {
    loop.setTaskFactory(asyncio.eagerTaskFactory);
    const variable = new asyncio.ContextVar("v", { default: 0 });
    function* child(parent: asyncio.Task<unknown>) {
      variable.set(1);
      log("cur is parent?", me() === parent, variable.get());
      return me();
    }
    function* main() {
      const parent = me();
      const task = asyncio.createTask(child(parent));
      log("v in parent", variable.get(), "restored", me() === parent, task.result() === task);
    }
    await loop.runUntilComplete(main());
  },
  async functions(loop, log) {
    loop.setTaskFactory(asyncio.eagerTaskFactory);
    const variable = new asyncio.ContextVar("v", { default: 0 });
    const child = asyncio.coroutine(async (parent: asyncio.Task<unknown>) => {
      variable.set(1);
      log("cur is parent?", me() === parent, variable.get());
      return [me()];
    });
    const main = asyncio.coroutine(async () => {
      const parent = me();
      const task = asyncio.createTask(child(parent));
      const restored = me() === parent;
      await task;
      log("v in parent", variable.get(), "restored", restored, task.result()[0] === task);
    });
    await loop.runUntilComplete(main());
  },
});

goldenLoop("L18_run_until_complete_cb_ordering", async (loop, log) => {
  function* main() {
    loop.callSoon(log, "cb scheduled in last step");
    loop.callSoon(() => loop.callSoon(log, "nested never runs"));
    return 1;
  }
  await loop.runUntilComplete(main());
  log("returned; leftover ready", loop.statistics().ready);
});

// Written twice: only a generator can yield what is no wait, and TypeScript must be made to look away; the async function
// waits a turn instead.
goldenLoop(
  "L22_bad_yields",
  {
    async generators(loop, log) {
      function* badYield(value: unknown): Generator<never, void, unknown> {
        yield value as never;
      }
      function* numbers() {
        yield 1;
      }
      function* main() {
        for (const value of [5, loop.createFuture(), numbers()]) {
          try {
            yield* badYield(value);
          } catch (error) {
            const { message } = except(asyncio.RuntimeError, error);
            log(message.replace(/yield: .*: yield/, "yield: ...: yield").slice(0, 60));
          }
        }
        function* selfWaiter() {
          yield* me();
        }
        try {
          yield* asyncio.createTask(selfWaiter());
        } catch (error) {
          log(except(asyncio.RuntimeError, error).message.slice(0, 30));
        }
      }
      await loop.runUntilComplete(main());
    },
    async functions(loop, log) {
      const main = asyncio.coroutine(async () => {
        await asyncio.sleep(0);
        await asyncio.sleep(0);
        await asyncio.sleep(0);
        const selfWaiter = asyncio.coroutine(async () => {
          await me();
        });
        try {
          await asyncio.createTask(selfWaiter());
        } catch (error) {
          log(except(asyncio.RuntimeError, error).message.slice(0, 30));
        }
      });
      await loop.runUntilComplete(main());
    },
  },
  {
    differs: {
      because: "`yield*` stands for `yield from`, and a generator that was yielded is a bad yield with a cure",
      lines: {
        "3:yield was used instead of yield from in task <Task pending n":
          "3:yield was used instead of yield* in task <Task pending name=",
        "4:yield was used instead of yield from for generator in task <":
          "4:Task got bad yield: ...: yield was used instead of yield*",
      },
    },
    functionsDiffer: {
      because: "they cannot yield",
      trace: `
      7:Task cannot await on itself: <`,
    },
  },
);

goldenLoop("L23_keyboardinterrupt_in_task", async (loop, log) => {
  const task = loop.createTask(function* bad() {
    throw new asyncio.KeyboardInterrupt();
  });
  loop.callSoon(log, "x");
  try {
    await loop.runUntilComplete(asyncio.sleep(0));
  } catch (error) {
    except(asyncio.KeyboardInterrupt, error);
    log("KI out of run_until_complete; task done", task.done(), repr(task.exception()));
  }
});

goldenCallbacks("L24_call_soon_context", async (loop, log) => {
  const variable = new asyncio.ContextVar("v", { default: 0 });
  const show = (title: string) => {
    log(title, variable.get());
    variable.set(99);
  };
  variable.set(1);
  loop.callSoon(show, "a");
  variable.set(2);
  loop.callSoon(show, "b");
  const context = asyncio.copyContext();
  variable.set(3);
  loop.callSoon({ context }, show, "c");
  loop.callSoon({ context }, show, "d");
  loop.callSoon(() => loop.stop());
  await loop.runForever();
  log("outer", variable.get());
});

goldenLoop("L25_task_context", async (loop, log) => {
  const variable = new asyncio.ContextVar("v", { default: 0 });
  function* child() {
    log(variable.get());
    variable.set(variable.get() + 10);
    yield* asyncio.sleep(0);
    log(variable.get());
  }
  function* main() {
    variable.set(1);
    const task = asyncio.createTask(child());
    variable.set(2);
    yield* task;
    log("m", variable.get());
    const context = asyncio.copyContext();
    yield* asyncio.createTask(child(), { context });
    log("ctx", context.get(variable), "m", variable.get());
    yield* child();
    log("m", variable.get());
  }
  await loop.runUntilComplete(main());
});

goldenCallbacks("L26_future_callbacks_context", async (loop, log) => {
  const variable = new asyncio.ContextVar("v", { default: 0 });
  const future = loop.createFuture<number>();
  variable.set(1);
  future.addDoneCallback(() => log("cb", variable.get()));
  variable.set(2);
  future.setResult(0);
  variable.set(3);
  loop.callSoon(() => loop.stop());
  await loop.runForever();
});

// The messages go on to name the future, after a colon.
goldenCallbacks(
  "L27_set_result_twice",
  async (loop, log) => {
    const refused = (attempt: () => unknown) => {
      try {
        attempt();
      } catch (error) {
        const invalid = except(asyncio.InvalidStateError, error);
        log(`${invalid.name}('${beforeColon(invalid)}')`);
      }
    };
    const finished = loop.createFuture<number>();
    finished.setResult(1);
    refused(() => finished.setResult(2));
    refused(() => finished.setException(new ValueError()));
    refused(() => loop.createFuture().result());
    refused(() => loop.createFuture().exception());
    log("cancel", finished.cancel());
    const cancelled = loop.createFuture<number>();
    cancelled.cancel("m");
    refused(() => cancelled.setResult(1));
    const failed = loop.createFuture();
    failed.setException(ValueError);
    log(repr(failed.exception()));
  },
  {
    differs: {
      because:
        "the messages have no full stop, and any value may be a future's exception: there is no StopIteration to refuse",
      lines: {
        "0:InvalidStateError('Result is not set.')": "0:InvalidStateError('Result is not set')",
        "0:InvalidStateError('Exception is not set.')": "0:InvalidStateError('Exception is not set')",
        "0:RuntimeError('StopIteration interacts badly with generators and cannot be raised into a Future') StopIteration(3)":
          null,
      },
    },
  },
);

goldenCallbacks("L28_remove_done_callback", async (loop, log) => {
  const future = loop.createFuture();
  const callback = () => log("x");
  future.addDoneCallback(callback);
  future.addDoneCallback(callback);
  log(future.removeDoneCallback(callback));
  log(future.removeDoneCallback(callback));
});

goldenLoop("L29_sleep_args", async (loop, log) => {
  function* main() {
    const results = [
      yield* asyncio.sleep(0, "r0"),
      yield* asyncio.sleep(-5, "neg"),
      yield* asyncio.sleep(1, "r1"),
    ] as const;
    log(...results, float(loop.time()));
    try {
      yield* asyncio.sleep(Number.NaN);
    } catch (error) {
      log(except(RangeError, error));
    }
  }
  await loop.runUntilComplete(main());
});

goldenLoop("L30_run_coroutine_exc_return", async (loop, log) => {
  function* failing() {
    throw new ValueError("z");
  }
  try {
    await loop.runUntilComplete(failing());
  } catch (error) {
    log(repr(except(ValueError, error)));
  }
  function* cancelling() {
    me().cancel();
    yield* asyncio.sleep(0);
  }
  try {
    await loop.runUntilComplete(cancelling());
  } catch (error) {
    log(repr(except(asyncio.CancelledError, error)));
  }
});

goldenCallbacks(
  "L31_clock_resolution",
  async (loop, log) => {
    loop.callAt(1, () => log("a", float(loop.time())));
    loop.callAt(1.2, () => log("b", float(loop.time())));
    loop.callAt(1.25, () => log("c", float(loop.time())));
    loop.callAt(2, () => loop.stop());
    await loop.runForever();
  },
  {
    clockResolution: 0.25,
  },
);
