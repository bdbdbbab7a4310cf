/* oxlint-disable require-yield -- a coroutine need not wait, in Python either. */

import * as asyncio from "asyncio-ts";
import { except, float, KeyError, me, repr } from "./python-words.ts";
import { golden } from "./trace-loop.ts";

golden("D01_timeout_no_expire", function* (log) {
  let deadline!: asyncio.Timeout;
  log("before");
  yield* asyncio.timeout(1, function* (scope) {
    deadline = scope;
    log("in", float(scope.when()!));
  });
  log("after", deadline.expired());
});

golden("D02_timeout_expire", function* (log) {
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
});

golden("D03_timeout_zero_no_await", function* (log) {
  let deadline!: asyncio.Timeout;
  yield* asyncio.timeout(0, function* (scope) {
    deadline = scope;
    log("body");
  });
  log("no error", deadline.expired());
  yield* asyncio.sleep(0);
  log("still fine");
});

golden("D04_timeout_zero_with_sleep0", function* (log) {
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
});

golden("D05_timeout_negative", function* (log) {
  try {
    yield* asyncio.timeout(-1, function* () {
      yield* asyncio.sleep(5);
    });
  } catch (error) {
    log(except(asyncio.TimeoutError, error).name, float(asyncio.getRunningLoop().time()));
  }
});

golden("D06_nested_timeouts_outer_first", function* (log) {
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
});

golden("D07_nested_same_deadline", function* (log) {
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
});

golden("D08_timeout_and_external_cancel_same_tick", function* (log) {
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
});

golden("D09_timeout_swallowed_cancel", function* (log) {
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
});

golden(
  "D10_timeout_reschedule",
  function* (log) {
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
  {
    differs: {
      because: "JavaScript writes 5 for a float of 5.0",
      lines: {
        "1:5.0 <Timeout [active] when=5.0>": "1:5 <Timeout [active] when=5>",
      },
    },
  },
);

golden(
  "D11_timeout_other_exception_context",
  function* (log) {
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
  {
    differs: {
      because: "an error thrown in JavaScript does not know which other it displaced: no `__context__`",
      lines: {
        "3:KeyError ctx TimeoutError() ctx.cause CancelledError()": "3:KeyError('x')",
      },
    },
  },
);
