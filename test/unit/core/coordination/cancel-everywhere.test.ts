/** Every primitive, its tasks cancelled at every moment: nothing is lost, nothing is left, nobody else is disturbed. */

import assert from "node:assert/strict";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import type { Stage } from "./cancel-everywhere.ts";
import { cancelEverywhere, SYNTAXES } from "./cancel-everywhere.ts";

const { sleep } = asyncio;

describe.each(SYNTAXES)("in %s", (syntax) => {
  const isPure = syntax !== "nests of both";

  describe("Lock", () => {
    test("acquire() and release(): one holder at a time, and the lock is free at the end", async () => {
      const scenario = (stage: Stage): void => {
        const lock = new asyncio.Lock();
        const inside = new Crowd(1);
        for (const name of ["a", "b", "c"]) {
          stage.task(name, function* () {
            for (let round = 0; round < 2; round++) {
              yield lock.acquire();
              try {
                inside.enter();
                yield sleep(round);
              } finally {
                inside.leave();
                lock.release();
              }
            }
          });
        }
        stage.untouched(() => lock.statistics());
      };
      const { plays } = await cancelEverywhere(syntax, scenario, { twice: isPure });
      expect(plays).toBeGreaterThan(50);
    });

    test("hold(body) and hold(): released however the body ends", async () => {
      await cancelEverywhere(
        syntax,
        (stage) => {
          const lock = new asyncio.Lock();
          const inside = new Crowd(1);
          const work = stage.body(() => stay(inside, 1));
          for (const name of ["a", "b"]) {
            stage.task(name, function* () {
              yield lock.hold(work);
            });
          }
          stage.task("using", function* () {
            using _held = (yield lock.hold()) as asyncio.Hold;
            yield* stay(inside, 0);
          });
          stage.untouched(() => lock.statistics());
        },
        { twice: isPure },
      );
    });
  });

  describe.each([
    ["Semaphore", () => new asyncio.Semaphore(2)],
    ["BoundedSemaphore", () => new asyncio.BoundedSemaphore(2)],
  ])("%s", (_name, make) => {
    test("acquire() and release(): never more than its value, and all slots come back", async () => {
      await cancelEverywhere(
        syntax,
        (stage) => {
          const semaphore = make();
          const inside = new Crowd(2);
          for (const [name, seconds] of [
            ["a", 2],
            ["b", 1],
            ["c", 0],
          ] as const) {
            stage.task(name, function* () {
              yield semaphore.acquire();
              try {
                yield* stay(inside, seconds);
              } finally {
                semaphore.release();
              }
              yield semaphore.hold(stage.body(() => stay(inside, 0)));
            });
          }
          stage.untouched(() => semaphore.statistics());
        },
        { twice: isPure },
      );
    });

    test("slots released in one turn wake one waiter each, though some of them are cancelled", async () => {
      await cancelEverywhere(
        syntax,
        (stage) => {
          const semaphore = make();
          stage.helper("owner", function* () {
            yield semaphore.acquire();
            yield semaphore.acquire();
            yield sleep(1);
            semaphore.release();
            semaphore.release();
          });
          for (const name of ["a", "b", "c"]) {
            stage.task(name, function* () {
              yield sleep(0);
              yield semaphore.acquire();
              semaphore.release();
            });
          }
          stage.untouched(() => semaphore.statistics());
        },
        { twice: isPure },
      );
    });
  });

  test("Event: those who wait for it are woken, before and after it is cleared", async () => {
    await cancelEverywhere(syntax, (stage) => {
      const event = new asyncio.Event();
      stage.helper("signal", function* () {
        yield sleep(1);
        event.set();
        event.clear();
        yield sleep(1);
        event.set();
        yield sleep(1);
        event.clear();
      });
      for (const name of ["a", "b", "c"]) {
        stage.task(name, function* () {
          yield event.wait();
          yield event.wait();
        });
      }
      stage.untouched(() => event.statistics());
    });
  });

  describe("Condition", () => {
    test("wait(): a notification goes to somebody who takes it, and the lock is always held again", async () => {
      await cancelEverywhere(
        syntax,
        (stage) => {
          const condition = new asyncio.Condition();
          const inside = new Crowd(1);
          const tokens: string[] = [];
          let isOver = false;
          stage.helper("notifier", function* () {
            for (const token of ["first", "second"]) {
              yield sleep(1);
              yield condition.acquire();
              tokens.push(token);
              condition.notify();
              condition.release();
            }
            yield sleep(1);
            const { waiting } = condition.statistics();
            expect(tokens.length === 0 || waiting === 0, "a token lies there while somebody waits").toBe(true);
            isOver = true;
            yield condition.acquire();
            condition.notifyAll();
            condition.release();
          });
          const isEmpty = (): boolean => !isOver && tokens.length === 0;
          for (const name of ["a", "b", "c"]) {
            stage.task(name, function* () {
              yield condition.acquire();
              try {
                while (isEmpty()) yield condition.wait();
                tokens.pop();
                yield* stay(inside, 0);
              } finally {
                assert.ok(condition.locked(), "the lock is held after wait()");
                condition.release();
              }
            });
          }
          stage.untouched(() => condition.statistics());
        },
        { twice: isPure },
      );
    });

    test("waitFor(): two conditions on one lock", async () => {
      await cancelEverywhere(
        syntax,
        (stage) => {
          const lock = new asyncio.Lock();
          const [notEmpty, notFull] = [new asyncio.Condition(lock), new asyncio.Condition(lock)];
          const box = new Set<number>();
          let isOver = false;
          const takeAll = stage.body(function* () {
            for (;;) {
              yield notEmpty.waitFor(() => isOver || box.size > 0);
              if (box.size === 0) return;
              box.clear();
              notFull.notify();
            }
          });
          const fill = stage.body(function* () {
            for (let item = 0; item < 2; item++) {
              yield notFull.waitFor(() => isOver || box.size === 0);
              box.add(item);
              notEmpty.notify();
            }
          });
          for (const name of ["taker", "other taker"]) {
            stage.task(name, function* () {
              yield notEmpty.hold(takeAll);
            });
          }
          stage.task("filler", function* () {
            yield lock.hold(fill);
          });
          stage.helper("end", function* () {
            yield sleep(10);
            yield lock.acquire();
            isOver = true;
            notEmpty.notifyAll();
            notFull.notifyAll();
            lock.release();
          });
          stage.untouched(() => [notEmpty.statistics(), notFull.statistics(), lock.statistics()]);
        },
        { twice: isPure },
      );
    });
  });

  describe("Barrier", () => {
    test("wait(): one who is cancelled has not come, and another can take the place", async () => {
      await cancelEverywhere(syntax, (stage) => {
        const barrier = new asyncio.Barrier(2);
        const waiting = new Crowd(3);
        stage.helper("end", function* () {
          yield sleep(10);
          expect(waiting.size, "how many wait though they are enough").toBeLessThan(2);
          yield barrier.abort();
          yield sleep(1);
          yield barrier.reset();
        });
        for (const name of ["a", "b", "c"]) {
          stage.task(name, function* () {
            for (let round = 0; round < 2; round++) {
              waiting.enter();
              try {
                yield* passOrBreak(barrier);
              } finally {
                waiting.leave();
              }
            }
          });
        }
        stage.untouched(() => barrier.statistics());
      });
    });

    test("reset() and abort(): those inside are sent away, whoever is cancelled", async () => {
      await cancelEverywhere(
        syntax,
        (stage) => {
          const barrier = new asyncio.Barrier(3);
          for (const name of ["a", "b"]) {
            stage.task(name, function* () {
              yield* passOrBreak(barrier);
              yield* passOrBreak(barrier);
            });
          }
          stage.task("resetter", function* () {
            yield sleep(1);
            yield barrier.reset();
          });
          stage.helper("end", function* () {
            yield sleep(2);
            yield barrier.abort();
            yield sleep(1);
            yield barrier.reset();
          });
          stage.untouched(() => barrier.statistics());
        },
        { twice: isPure },
      );
    });
  });

  describe.each([
    ["Queue", (maxsize: number) => new asyncio.Queue<number>(maxsize)],
    ["LifoQueue", (maxsize: number) => new asyncio.LifoQueue<number>(maxsize)],
    ["PriorityQueue", (maxsize: number) => new asyncio.PriorityQueue<number>(maxsize)],
  ])("%s", (kind, make) => {
    test("put(), get() and join(): each item that went in comes out once, or is still there", async () => {
      await cancelEverywhere(
        syntax,
        (stage) => {
          const queue = make(1);
          const [put, got]: number[][] = [[], []];
          for (const [index, name] of ["producer", "other producer"].entries()) {
            stage.task(name, function* () {
              for (let item = 0; item < 2; item++) {
                yield queue.put(10 * index + item);
                put!.push(10 * index + item);
              }
            });
          }
          for (const name of ["consumer", "other consumer"]) {
            stage.task(name, function* () {
              for (let count = 0; count < 2; count++) {
                try {
                  got!.push((yield queue.get()) as number);
                } catch (error) {
                  if (!(error instanceof asyncio.QueueShutDown)) throw error;
                  return;
                }
                queue.taskDone();
              }
            });
          }
          stage.task("joiner", function* () {
            yield sleep(0);
            yield queue.join();
          });
          stage.helper("end", function* () {
            yield sleep(10);
            const left: number[] = [];
            while (!queue.empty()) {
              left.push(queue.getNowait());
              queue.taskDone();
              yield sleep(0);
            }
            queue.shutdown();
            expect([...got!, ...left].toSorted(), "items that came out").toEqual(put!.toSorted());
          });
          stage.check(() => expect(queue.statistics()).toEqual(emptied(queue)));
        },
        { twice: isPure && kind === "Queue" },
      );
    });
  });

  test("Queue: a woken getter that is cancelled passes the item on to the next in line", async () => {
    await cancelEverywhere(
      syntax,
      (stage) => {
        const queue = new asyncio.Queue<string>();
        const got: string[] = [];
        for (const name of ["a", "b", "c"]) {
          stage.task(name, function* () {
            try {
              got.push((yield queue.get()) as string);
            } catch (error) {
              if (!(error instanceof asyncio.QueueShutDown)) throw error;
            }
          });
        }
        stage.helper("producer", function* () {
          yield sleep(1);
          queue.putNowait("x");
          queue.putNowait("y");
          yield sleep(1);
          const waiting = queue.statistics().getting;
          expect(queue.empty() || waiting === 0, "an item lies there while somebody waits for it").toBe(true);
          queue.shutdown();
        });
        stage.check(() => expect(got.length + queue.size).toBe(2));
      },
      { twice: isPure },
    );
  });

  test("taskGroup(): tasks and body end together, and the request comes through", async () => {
    await cancelEverywhere(
      syntax,
      (stage) => {
        const running = new Crowd(4);
        for (const name of ["a", "b"]) {
          stage.task(name, function* () {
            yield asyncio.taskGroup(
              stage.body(function* (group: asyncio.TaskGroup) {
                group.createTask(stage.body(() => stay(running, 2, 1)));
                group.createTask(stage.body(() => stay(running, 1, 1)));
                yield sleep(0);
              }),
            );
            expect(running.size).toBeLessThanOrEqual(2);
          });
        }
        stage.check(() => assert.equal(running.size, 0));
      },
      { twice: true },
    );
  });

  test("taskGroup(): a failing child, and a cancellation from outside", async () => {
    const mayRaise = (error: unknown): boolean => error instanceof asyncio.ExceptionGroup;
    await cancelEverywhere(
      syntax,
      (stage) => {
        const running = new Crowd(2);
        stage.task("parent", function* () {
          try {
            yield asyncio.taskGroup(
              stage.body(function* (group: asyncio.TaskGroup) {
                group.createTask(stage.body(() => stay(running, 10, 1)));
                group.createTask(
                  stage.body(function* () {
                    yield sleep(1);
                    throw new RangeError("child");
                  }),
                );
                yield sleep(10);
              }),
            );
          } catch (error) {
            if (!(error instanceof asyncio.ExceptionGroup)) throw error;
          }
          yield sleep(1); // a request that came while the group failed is raised here
        });
        stage.check(() => assert.equal(running.size, 0));
      },
      { twice: true, mayRaise },
    );
  });

  test("nested taskGroup(): the inner one fails while the outer one is cancelled", async () => {
    const mayRaise = (error: unknown): boolean => error instanceof asyncio.ExceptionGroup;
    await cancelEverywhere(
      syntax,
      (stage) => {
        const running = new Crowd(3);
        stage.task("parent", function* () {
          try {
            yield asyncio.taskGroup(
              stage.body(function* (outer: asyncio.TaskGroup) {
                outer.createTask(stage.body(() => stay(running, 5, 1)));
                yield asyncio.taskGroup(
                  stage.body(function* (inner: asyncio.TaskGroup) {
                    inner.createTask(stage.body(() => stay(running, 5, 1)));
                    yield sleep(1);
                    throw new RangeError("inner body");
                  }),
                );
              }),
            );
          } catch (error) {
            if (!(error instanceof asyncio.ExceptionGroup)) throw error;
          }
          yield sleep(1);
        });
        stage.check(() => assert.equal(running.size, 0));
      },
      { twice: true, mayRaise },
    );
  });

  test("timeout(): in time, too late, and nested, the request comes through and no timer is left", async () => {
    await cancelEverywhere(
      syntax,
      (stage) => {
        for (const [name, limit] of [
          ["in time", 5],
          ["too late", 1],
          ["at the same instant", 2],
        ] as const) {
          stage.task(name, function* () {
            try {
              yield asyncio.timeout(
                limit,
                stage.body(function* () {
                  yield asyncio.timeout(
                    3,
                    stage.body(function* () {
                      yield sleep(1);
                      yield sleep(1);
                    }),
                  );
                }),
              );
            } catch (error) {
              if (!(error instanceof asyncio.TimeoutError)) throw error;
            }
            yield sleep(1);
          });
        }
      },
      { twice: isPure },
    );
  });

  test("timeout() in taskGroup() in timeout()", async () => {
    await cancelEverywhere(
      syntax,
      (stage) => {
        const running = new Crowd(2);
        stage.task("parent", function* () {
          try {
            yield asyncio.timeout(
              2,
              stage.body(function* () {
                yield asyncio.taskGroup(
                  stage.body(function* (group: asyncio.TaskGroup) {
                    group.createTask(stage.body(() => stay(running, 3, 1)));
                    try {
                      yield asyncio.timeout(
                        1,
                        stage.body(() => stay(running, 3)),
                      );
                    } catch (error) {
                      if (!(error instanceof asyncio.TimeoutError)) throw error;
                    }
                  }),
                );
              }),
            );
          } catch (error) {
            if (!(error instanceof asyncio.TimeoutError)) throw error;
          }
          yield sleep(1);
        });
        stage.check(() => assert.equal(running.size, 0));
      },
      { twice: true },
    );
  });

  test.each([
    ["in time", 5],
    ["too late", 1],
    ["at the same instant", 2],
    ["at once", 0],
  ])("waitFor() of a coroutine and of a task, %s", async (_name, limit) => {
    await cancelEverywhere(
      syntax,
      (stage) => {
        const running = new Crowd(2);
        stage.task("coroutine", function* () {
          yield* unlessLate(
            asyncio.waitFor(
              stage.call(() => stay(running, 2)),
              limit,
            ),
          );
          yield sleep(0);
        });
        stage.task("task", function* () {
          const work = asyncio.createTask(stage.call(() => stay(running, 2, 1)));
          yield* unlessLate(asyncio.waitFor(work, limit));
          expect(work.done()).toBe(true);
          yield sleep(0);
        });
        stage.check(() => assert.equal(running.size, 0));
      },
      { twice: isPure },
    );
  });

  test("wait(): what is waited for goes on, and keeps no callback", async () => {
    await cancelEverywhere(syntax, (stage) => {
      const never = stage.loop.createFuture();
      const works: asyncio.Future<unknown>[] = [1, 2, 3].map((delay) => asyncio.createTask(sleep(delay, delay)));
      for (const [name, options] of [
        ["all", { timeout: 1000 }],
        ["first", { returnWhen: asyncio.FIRST_COMPLETED }],
        ["failure", { returnWhen: asyncio.FIRST_EXCEPTION, timeout: 2 }],
      ] as const) {
        stage.task(name, function* () {
          yield asyncio.wait([...works, never], options);
          yield asyncio.wait([...works, never], options);
        });
      }
      stage.helper("end", function* () {
        yield sleep(20);
        expect(works.map((work) => work.result())).toEqual([1, 2, 3]);
      });
      stage.check(() => expect(String(never)).toBe("<Future pending>"));
    });
  });

  test.each([
    ["without a limit", {}],
    ["with a limit that is reached", { timeout: 2 }],
    ["with a limit that is not", { timeout: 1000 }],
  ])("asCompleted() %s: the works go on, and no timer is left", async (_name, options) => {
    await cancelEverywhere(syntax, (stage) => {
      const works: asyncio.Future<number>[] = [];
      for (const name of ["a", "b"]) {
        stage.task(name, function* () {
          const mine = [1, 2, 3].map((delay) => asyncio.createTask(sleep(delay, delay)));
          works.push(...mine);
          const seen: number[] = [];
          for (const next of asyncio.asCompleted(mine, options)) {
            try {
              seen.push((yield next) as number);
            } catch (error) {
              if (!(error instanceof asyncio.TimeoutError)) throw error;
            }
          }
          expect(seen.slice(0, 1)).toEqual([1]);
        });
      }
      stage.helper("end", function* () {
        yield sleep(10);
        expect(works.every((work) => work.done() && !work.cancelled())).toBe(true);
      });
    });
  });

  test.each([
    ["with a delay", 1],
    ["without", null],
  ])("staggeredRace() %s: every attempt that began has ended", async (_name, delay) => {
    await cancelEverywhere(
      syntax,
      (stage) => {
        const runners = new Crowd(3);
        stage.task("race", function* () {
          const attempts = [
            stage.body(function* () {
              yield* stay(runners, 1);
              throw new RangeError("first");
            }),
            stage.body(() => stay(runners, 3, 1)),
            stage.body(() => stay(runners, 1)),
          ];
          yield asyncio.staggeredRace(attempts, delay);
          assert.equal(runners.size, 0);
        });
        stage.check(() => assert.equal(runners.size, 0));
      },
      { twice: isPure },
    );
  });

  test("gather(): the children end with the one who waits", async () => {
    await cancelEverywhere(
      syntax,
      (stage) => {
        for (const name of ["a", "b"]) {
          const running = new Crowd(2);
          stage.task(name, function* () {
            const children = [stage.call(() => stay(running, 1, 1)), stage.call(() => stay(running, 2))];
            yield asyncio.gather(children, { returnExceptions: true });
          });
          stage.check(() => assert.equal(running.size, 0));
        }
      },
      { twice: isPure },
    );
  });

  test("shield(): the work inside goes on, whoever of those who wait is cancelled", async () => {
    await cancelEverywhere(
      syntax,
      (stage) => {
        const running = new Crowd(1);
        const work = asyncio.createTask(stage.call(() => stay(running, 2)));
        for (const name of ["a", "b"]) {
          stage.task(name, function* () {
            yield asyncio.shield(work);
          });
        }
        stage.helper("end", function* () {
          yield sleep(5);
          expect([work.done(), work.cancelled()]).toEqual([true, false]);
        });
      },
      { twice: isPure },
    );
  });

  test("a lock in a queue's consumers in a group with a deadline", async () => {
    await cancelEverywhere(syntax, (stage) => {
      const queue = new asyncio.Queue<number>(1);
      const lock = new asyncio.Lock();
      const inside = new Crowd(1);
      let [put, got] = [0, 0];
      const consume = stage.body(function* () {
        for (;;) {
          yield queue.get();
          got++;
          yield lock.hold(stage.body(() => stay(inside, 1)));
          queue.taskDone();
        }
      });
      stage.task("parent", function* () {
        yield* unlessLate(
          asyncio.timeout(
            4,
            stage.body(function* () {
              yield asyncio.taskGroup(
                stage.body(function* (group: asyncio.TaskGroup) {
                  group.createTask(consume);
                  group.createTask(consume);
                  for (;;) {
                    yield queue.put(put);
                    put++;
                  }
                }),
              );
            }),
          ),
        );
        yield sleep(0);
      });
      stage.untouched(() => lock.statistics());
      stage.check(() => expect([queue.statistics().getting, queue.statistics().putting]).toEqual([0, 0]));
      stage.check(() => expect(put - got).toBe(queue.size));
    });
  });
});

describe("iteration of a queue with `for await`", () => {
  test("an item is handed to one consumer or stays, wherever they are cancelled", async () => {
    await cancelEverywhere(
      "async functions",
      (stage) => {
        const queue = new asyncio.Queue<number>(2);
        const got: number[] = [];
        let put = 0;
        const consume = asyncio.coroutine(async () => {
          for await (const item of queue) {
            got.push(item);
            await sleep(0);
            queue.taskDone();
          }
        });
        for (const name of ["a", "b"]) {
          stage.task(name, function* () {
            yield consume();
          });
        }
        stage.helper("producer", function* () {
          for (let item = 0; item < 4 && !queue.full(); item++) {
            queue.putNowait(item);
            put++;
            yield sleep(0.5);
          }
          queue.shutdown();
        });
        stage.check(() => expect(got.length + queue.size).toBe(put));
        stage.check(() => expect(queue.statistics()).toMatchObject({ getting: 0, putting: 0, shutDown: true }));
      },
      { twice: true },
    );
  });

  test("asCompleted() with `for await` leaves no timer and stops no work", async () => {
    await cancelEverywhere("async functions", (stage) => {
      const works: asyncio.Task<number>[] = [];
      const collect = asyncio.coroutine(async () => {
        const mine = [1, 2].map((delay) => asyncio.createTask(sleep(delay, delay)));
        works.push(...mine);
        const seen: unknown[] = [];
        for await (const [future] of asyncio.asCompleted(mine, { timeout: 3 })) seen.push(future);
        expect(seen).toEqual(mine);
      });
      for (const name of ["a", "b"]) {
        stage.task(name, function* () {
          yield collect();
        });
      }
      stage.helper("end", function* () {
        yield sleep(10);
        expect(works.every((work) => work.done() && !work.cancelled())).toBe(true);
      });
    });
  });
});

/** Counts who is inside of something, and how many there may be. */
class Crowd {
  readonly #limit: number;
  size: number = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  enter(): void {
    this.size++;
    assert.ok(this.size <= this.#limit, `${this.size} are inside at once`);
  }

  leave(): void {
    this.size--;
  }
}

/** Is in `crowd` for `seconds`, and for as long as its cleanup takes. */
function* stay(
  crowd: Crowd,
  seconds: number,
  cleanup: number = 0,
): Generator<asyncio.Awaitable<unknown>, void, unknown> {
  crowd.enter();
  try {
    yield sleep(seconds);
  } catch (error) {
    if (cleanup > 0) yield sleep(cleanup);
    throw error;
  } finally {
    crowd.leave();
  }
}

function* passOrBreak(barrier: asyncio.Barrier): Generator<asyncio.Awaitable<unknown>, void, unknown> {
  try {
    yield barrier.wait();
  } catch (error) {
    if (!(error instanceof asyncio.BrokenBarrierError)) throw error;
  }
}

function* unlessLate(wait: asyncio.Coroutine<unknown>): Generator<asyncio.Awaitable<unknown>, void, unknown> {
  try {
    yield wait;
  } catch (error) {
    if (!(error instanceof asyncio.TimeoutError)) throw error;
  }
}

function emptied(queue: asyncio.Queue<number>): asyncio.QueueStatistics {
  return { size: 0, maxsize: queue.maxsize, unfinished: 0, getting: 0, putting: 0, shutDown: true };
}
