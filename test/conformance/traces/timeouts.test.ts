/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */

import * as asyncio from "asyncio-ts";
import { except, float, golden, KeyError, me, repr } from "./trace-loop.ts";

golden("D01_timeout_no_expire", {
  *generators(log) {
    let deadline!: asyncio.Timeout;
    log("before");
    yield* asyncio.timeout(1, function* (scope) {
      deadline = scope;
      log("in", float(scope.when()!));
    });
    log("after", deadline.expired());
  },
  async functions(log) {
    let deadline!: asyncio.Timeout;
    log("before");
    await asyncio.timeout(1, async (scope) => {
      deadline = scope;
      log("in", float(scope.when()!));
    });
    log("after", deadline.expired());
  },
  trace: `
    1:before
    1:in 1.0
    1:after False
    2:run_until_complete returned`,
});

golden("D02_timeout_expire", {
  *generators(log) {
    let deadline!: asyncio.Timeout;
    try {
      yield* asyncio.timeout(1, function* (scope) {
        deadline = scope;
        try {
          yield* asyncio.sleep(10);
        } catch (error) {
          except(asyncio.CancelledError, error);
          log("cancelled inside", me().cancelling());
          throw error;
        }
      });
    } catch (error) {
      const { name } = except(asyncio.TimeoutError, error);
      log(name, deadline.expired(), me().cancelling(), float(asyncio.getRunningLoop().time()));
    }
  },
  async functions(log) {
    let deadline!: asyncio.Timeout;
    try {
      await asyncio.timeout(1, async (scope) => {
        deadline = scope;
        try {
          await asyncio.sleep(10);
        } catch (error) {
          except(asyncio.CancelledError, error);
          log("cancelled inside", me().cancelling());
          throw error;
        }
      });
    } catch (error) {
      const { name } = except(asyncio.TimeoutError, error);
      log(name, deadline.expired(), me().cancelling(), float(asyncio.getRunningLoop().time()));
    }
  },
  trace: `
    3:cancelled inside 1
    3:TimeoutError True 0 1.0
    4:run_until_complete returned`,
});

golden("D03_timeout_zero_no_await", {
  *generators(log) {
    let deadline!: asyncio.Timeout;
    yield* asyncio.timeout(0, function* (scope) {
      deadline = scope;
      log("body");
    });
    log("no error", deadline.expired());
    yield* asyncio.sleep(0);
    log("still fine");
  },
  async functions(log) {
    let deadline!: asyncio.Timeout;
    await asyncio.timeout(0, async (scope) => {
      deadline = scope;
      log("body");
    });
    log("no error", deadline.expired());
    await asyncio.sleep(0);
    log("still fine");
  },
  trace: `
    1:body
    1:no error False
    2:still fine
    3:run_until_complete returned`,
});

golden("D04_timeout_zero_with_sleep0", {
  *generators(log) {
    let deadline!: asyncio.Timeout;
    try {
      yield* asyncio.timeout(0, function* (scope) {
        deadline = scope;
        log("body");
        yield* asyncio.sleep(0);
        log("survived sleep0");
        yield* asyncio.sleep(0);
        log("survived 2");
      });
    } catch (error) {
      log(except(asyncio.TimeoutError, error).name, deadline.expired());
    }
  },
  async functions(log) {
    let deadline!: asyncio.Timeout;
    try {
      await asyncio.timeout(0, async (scope) => {
        deadline = scope;
        log("body");
        await asyncio.sleep(0);
        log("survived sleep0");
        await asyncio.sleep(0);
        log("survived 2");
      });
    } catch (error) {
      log(except(asyncio.TimeoutError, error).name, deadline.expired());
    }
  },
  trace: `
    1:body
    2:TimeoutError True
    3:run_until_complete returned`,
});

golden("D05_timeout_negative", {
  *generators(log) {
    try {
      yield* asyncio.timeout(-1, function* () {
        yield* asyncio.sleep(5);
      });
    } catch (error) {
      log(except(asyncio.TimeoutError, error).name, float(asyncio.getRunningLoop().time()));
    }
  },
  async functions(log) {
    try {
      await asyncio.timeout(-1, async () => {
        await asyncio.sleep(5);
      });
    } catch (error) {
      log(except(asyncio.TimeoutError, error).name, float(asyncio.getRunningLoop().time()));
    }
  },
  trace: `
    3:TimeoutError 0.0
    4:run_until_complete returned`,
});

golden("D06_nested_timeouts_outer_first", {
  *generators(log) {
    let outer!: asyncio.Timeout;
    let inner!: asyncio.Timeout;
    try {
      yield* asyncio.timeout(1, function* (outerScope) {
        outer = outerScope;
        try {
          yield* asyncio.timeout(2, function* (innerScope) {
            inner = innerScope;
            yield* asyncio.sleep(10);
          });
        } finally {
          log("inner exit", inner.expired());
        }
      });
    } catch (error) {
      except(asyncio.TimeoutError, error);
      log("outer", outer.expired(), inner.expired(), float(asyncio.getRunningLoop().time()));
    }
  },
  async functions(log) {
    let outer!: asyncio.Timeout;
    let inner!: asyncio.Timeout;
    try {
      await asyncio.timeout(1, async (outerScope) => {
        outer = outerScope;
        try {
          await asyncio.timeout(2, async (innerScope) => {
            inner = innerScope;
            await asyncio.sleep(10);
          });
        } finally {
          log("inner exit", inner.expired());
        }
      });
    } catch (error) {
      except(asyncio.TimeoutError, error);
      log("outer", outer.expired(), inner.expired(), float(asyncio.getRunningLoop().time()));
    }
  },
  trace: `
    3:inner exit False
    3:outer True False 1.0
    4:run_until_complete returned`,
});

golden("D07_nested_same_deadline", {
  *generators(log) {
    let outer!: asyncio.Timeout;
    let inner!: asyncio.Timeout;
    try {
      yield* asyncio.timeout(1, function* (outerScope) {
        outer = outerScope;
        try {
          yield* asyncio.timeout(1, function* (innerScope) {
            inner = innerScope;
            yield* asyncio.sleep(10);
          });
        } catch (error) {
          log("inner", except(asyncio.TimeoutError, error).name, inner.expired(), me().cancelling());
          throw error;
        }
      });
    } catch (error) {
      const { name } = except(asyncio.TimeoutError, error);
      log("outer", name, outer.expired(), inner.expired(), me().cancelling());
    }
  },
  async functions(log) {
    let outer!: asyncio.Timeout;
    let inner!: asyncio.Timeout;
    try {
      await asyncio.timeout(1, async (outerScope) => {
        outer = outerScope;
        try {
          await asyncio.timeout(1, async (innerScope) => {
            inner = innerScope;
            await asyncio.sleep(10);
          });
        } catch (error) {
          log("inner", except(asyncio.TimeoutError, error).name, inner.expired(), me().cancelling());
          throw error;
        }
      });
    } catch (error) {
      const { name } = except(asyncio.TimeoutError, error);
      log("outer", name, outer.expired(), inner.expired(), me().cancelling());
    }
  },
  trace: `
    3:outer TimeoutError True True 0
    4:run_until_complete returned`,
});

golden("D08_timeout_and_external_cancel_same_tick", {
  *generators(log) {
    let deadline!: asyncio.Timeout;
    function* parent() {
      try {
        yield* asyncio.timeout(1, function* (scope) {
          deadline = scope;
          yield* asyncio.sleep(10);
        });
      } catch (error) {
        const { name } = except(Error, error);
        log("m got", name, "expired", deadline.expired(), "cancelling", me().cancelling());
        throw error;
      }
    }
    const task = asyncio.createTask(parent());
    yield* asyncio.sleep(0);
    asyncio.getRunningLoop().callAt(1, () => task.cancel());
    try {
      yield* task;
    } catch (error) {
      log("main", except(Error, error).name);
    }
  },
  async functions(log) {
    let deadline!: asyncio.Timeout;
    const parent = asyncio.coroutine(async () => {
      try {
        await asyncio.timeout(1, async (scope) => {
          deadline = scope;
          await asyncio.sleep(10);
        });
      } catch (error) {
        const { name } = except(Error, error);
        log("m got", name, "expired", deadline.expired(), "cancelling", me().cancelling());
        throw error;
      }
    });
    const task = asyncio.createTask(parent());
    await asyncio.sleep(0);
    asyncio.getRunningLoop().callAt(1, () => task.cancel());
    try {
      await task;
    } catch (error) {
      log("main", except(Error, error).name);
    }
  },
  trace: `
    4:m got CancelledError expired True cancelling 1
    5:main CancelledError
    6:run_until_complete returned`,
});

golden("D09_timeout_swallowed_cancel", {
  *generators(log) {
    let deadline!: asyncio.Timeout;
    yield* asyncio.timeout(1, function* (scope) {
      deadline = scope;
      try {
        yield* asyncio.sleep(10);
      } catch (error) {
        except(asyncio.CancelledError, error);
        log("swallowed");
      }
      log("continuing", me().cancelling());
    });
    log("exit normal", deadline.expired(), me().cancelling());
  },
  async functions(log) {
    let deadline!: asyncio.Timeout;
    await asyncio.timeout(1, async (scope) => {
      deadline = scope;
      try {
        await asyncio.sleep(10);
      } catch (error) {
        except(asyncio.CancelledError, error);
        log("swallowed");
      }
      log("continuing", me().cancelling());
    });
    log("exit normal", deadline.expired(), me().cancelling());
  },
  trace: `
    3:swallowed
    3:continuing 1
    3:exit normal True 0
    4:run_until_complete returned`,
});

// JavaScript writes 5 for CPython's 5.0, as `Timeout` does in `when=5`.
golden("D10_timeout_reschedule", {
  *generators(log) {
    const loop = asyncio.getRunningLoop();
    let deadline!: asyncio.Timeout;
    yield* asyncio.timeout(null, function* (scope) {
      deadline = scope;
      log(scope.when());
      scope.reschedule(loop.time() + 5);
      log(scope.when(), repr(scope));
      yield* asyncio.sleep(3);
      scope.reschedule(null);
      yield* asyncio.sleep(5);
    });
    log("ok", float(loop.time()), repr(deadline));
  },
  async functions(log) {
    const loop = asyncio.getRunningLoop();
    let deadline!: asyncio.Timeout;
    await asyncio.timeout(null, async (scope) => {
      deadline = scope;
      log(scope.when());
      scope.reschedule(loop.time() + 5);
      log(scope.when(), repr(scope));
      await asyncio.sleep(3);
      scope.reschedule(null);
      await asyncio.sleep(5);
    });
    log("ok", float(loop.time()), repr(deadline));
  },
  trace: `
    1:None
    1:5 <Timeout [active] when=5>
    5:ok 8.0 <Timeout [finished]>
    6:run_until_complete returned`,
});

// An error thrown in JavaScript does not know which other it displaced: its `__context__`, where CPython puts the
// TimeoutError, is left out.
golden("D11_timeout_other_exception_context", {
  *generators(log) {
    try {
      yield* asyncio.timeout(1, function* () {
        try {
          yield* asyncio.sleep(10);
        } catch {
          throw new KeyError("x");
        }
      });
    } catch (error) {
      log(repr(except(KeyError, error)));
    }
  },
  async functions(log) {
    try {
      await asyncio.timeout(1, async () => {
        try {
          await asyncio.sleep(10);
        } catch {
          throw new KeyError("x");
        }
      });
    } catch (error) {
      log(repr(except(KeyError, error)));
    }
  },
  trace: `
    3:KeyError('x')
    4:run_until_complete returned`,
});
