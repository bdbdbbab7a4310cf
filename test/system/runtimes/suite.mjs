/**
 * What must hold on every runtime: small programs on the built package, in plain JavaScript without a test framework,
 * since they run in Node.js, Bun, Deno and a browser alike. `scripts/runtimes.mjs` says where and how.
 *
 * A check with `where: "async context"` is for platforms that carry a context across `await`; one with `where: "none"` is
 * for the others, and says what the library promises there. All others run everywhere.
 *
 * @module
 */

import { scheduleChecks } from "./schedules.mjs";

/**
 * What a check is given.
 *
 * @typedef {object} Platform
 * @property {typeof import("asyncio-ts")} asyncio the package, by the entry point that the runtime's conditions choose
 * @property {typeof import("asyncio-ts/structured")} structured
 * @property {typeof import("asyncio-ts/testing")} testing
 * @property {object | null} AsyncLocalStorage the class, where there is one
 */

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {"async context" | "none"} [where] which platforms it is for; all by default
 * @property {(platform: Platform) => unknown} run throws if the check fails; a string that it returns is a remark
 */

/** The same events as CPython 3.14 has for the program in the two checks of order. */
const ORDER = [
  "a starts, b starts, soon, main 1, a waits, b waits, main 2, a leaves, a in branch, a ends, b leaves, b in branch",
  "b ends, future done, c starts, sooner or later, a done, main 3, c cancelled, main ends",
]
  .join(", ")
  .split(", ");

/** @type {Check[]} */
const checks = [
  {
    name: "order of events: generators",
    async run({ asyncio }) {
      const events = [];
      const say = (event) => void events.push(event);
      function* leaf(future, name) {
        say(`${name} waits`);
        try {
          yield* future;
        } finally {
          say(`${name} leaves`);
        }
      }
      function* branch(future, name) {
        yield* asyncio.sleep(0);
        yield* leaf(future, name);
        say(`${name} in branch`);
      }
      function* worker(future, name) {
        say(`${name} starts`);
        yield* branch(future, name);
        say(`${name} ends`);
      }
      await asyncio.run(function* () {
        const loop = asyncio.getRunningLoop();
        const future = loop.createFuture();
        const [a, b] = ["a", "b"].map((name) => asyncio.createTask(() => worker(future, name)));
        a.addDoneCallback(() => say("a done"));
        loop.callSoon(say, "soon");
        yield* asyncio.sleep(0);
        say("main 1");
        yield* asyncio.sleep(0);
        say("main 2");
        future.addDoneCallback(() => say("future done"));
        future.setResult();
        const c = asyncio.createTask(() => worker(future, "c"));
        loop.callSoon(say, "sooner or later");
        yield* b;
        say("main 3");
        c.cancel();
        try {
          yield* c;
        } catch (error) {
          if (asyncio.isCancelled(error)) say("c cancelled");
        }
        yield* a;
        say("main ends");
      });
      equal(events, ORDER);
    },
  },

  {
    name: "order of events: async functions",
    async run({ asyncio, AsyncLocalStorage }) {
      const events = [];
      const say = (event) => void events.push(event);
      async function leaf(future, name) {
        say(`${name} waits`);
        try {
          await future;
        } finally {
          say(`${name} leaves`);
        }
      }
      async function branch(future, name) {
        await asyncio.sleep(0);
        await leaf(future, name);
        say(`${name} in branch`);
      }
      async function worker(future, name) {
        say(`${name} starts`);
        await branch(future, name);
        say(`${name} ends`);
      }
      await asyncio.run(async () => {
        const loop = asyncio.getRunningLoop();
        const future = loop.createFuture();
        const [a, b] = ["a", "b"].map((name) => asyncio.createTask(() => worker(future, name)));
        a.addDoneCallback(() => say("a done"));
        loop.callSoon(say, "soon");
        await asyncio.sleep(0);
        say("main 1");
        await asyncio.sleep(0);
        say("main 2");
        future.addDoneCallback(() => say("future done"));
        future.setResult();
        const c = asyncio.createTask(() => worker(future, "c"));
        loop.callSoon(say, "sooner or later");
        await b;
        say("main 3");
        if (AsyncLocalStorage === null) return; // an async function cannot be cancelled here
        c.cancel();
        try {
          await c;
        } catch (error) {
          if (asyncio.isCancelled(error)) say("c cancelled");
        }
        await a;
        say("main ends");
      });
      const expected = AsyncLocalStorage === null ? ORDER.slice(0, ORDER.indexOf("c cancelled")) : ORDER;
      equal(events.slice(0, expected.length), expected);
    },
  },

  {
    name: "order: what promises carry on goes before the next callback",
    async run({ asyncio }) {
      const events = [];
      await asyncio.run(async () => {
        const loop = asyncio.getRunningLoop();
        const future = loop.createFuture();
        const task = asyncio.createTask(async () => {
          await future;
          events.push("first");
          for (let i = 0; i < 20; i++) await Promise.resolve();
          events.push("twenty promises later");
        });
        await asyncio.sleep(0);
        future.setResult();
        loop.callSoon(() => events.push("callback"));
        await task;
      });
      equal(events, ["first", "twenty promises later", "callback"]);
    },
  },

  {
    name: "run: result and error, in both syntaxes",
    async run({ asyncio }) {
      equal(await asyncio.run(async () => 1), 1);
      const returnsTwo = asyncio.coroutine(function* () {
        yield* asyncio.sleep(0);
        return 2;
      });
      equal(await asyncio.run(returnsTwo()), 2);
      const fails = async () => {
        await asyncio.sleep(0);
        throw new RangeError("late");
      };
      equal(await errorOf(asyncio.run(fails)), "RangeError: late");
      const failsAtOnce = () => {
        throw new RangeError("at once");
      };
      equal(await errorOf(asyncio.run(failsAtOnce)), "RangeError: at once");
    },
  },

  {
    name: "run: refused in a coroutine",
    async run({ asyncio }) {
      let refusal = null;
      await asyncio.run(function* () {
        yield* asyncio.sleep(0);
        refusal = yield* asyncio.fromPromise(errorOf(asyncio.run(async () => 1)));
      });
      equal(refusal.split(":")[0], "RuntimeError");
    },
  },

  {
    name: "run: two programs at a time",
    async run({ asyncio }) {
      const napper = (result) =>
        function* () {
          for (let i = 0; i < 5; i++) yield* asyncio.sleep(0.001);
          return result;
        };
      const outcomes = await Promise.allSettled([asyncio.run(napper(1)), asyncio.run(napper(2))]);
      equal(
        outcomes.map(({ value, reason }) => value ?? String(reason)),
        [1, 2],
      );
    },
  },

  {
    name: "run: tasks left over are cancelled, and clean up",
    async run({ asyncio }) {
      const events = [];
      await asyncio.run(function* () {
        asyncio.createTask(function* () {
          try {
            yield* asyncio.sleep(60);
          } finally {
            yield* asyncio.sleep(0.001);
            events.push("cleaned");
          }
        });
        yield* asyncio.sleep(0);
      });
      equal(events, ["cleaned"]);
    },
  },

  {
    name: "cancellation with cleanup that waits: generators",
    async run({ asyncio }) {
      const events = [];
      await asyncio.run(function* () {
        const task = asyncio.createTask(function* () {
          try {
            yield* asyncio.sleep(60);
          } catch (error) {
            events.push(String(error));
            throw error;
          } finally {
            yield* asyncio.sleep(0.001);
            events.push("cleaned");
          }
        });
        yield* asyncio.sleep(0);
        task.cancel("enough");
        yield* asyncio.gather(task, { returnExceptions: true });
        events.push(task.cancelled());
      });
      equal(events, ["CancelledError: enough", "cleaned", true]);
    },
  },

  {
    name: "cancellation with cleanup that waits: async functions, nested",
    where: "async context",
    async run({ asyncio }) {
      const events = [];
      await asyncio.run(async () => {
        const inner = async () => {
          await Promise.resolve();
          try {
            await asyncio.sleep(60);
          } catch (error) {
            events.push(String(error));
            throw error;
          } finally {
            await asyncio.sleep(0.001);
            await Promise.resolve();
            events.push("cleaned");
          }
        };
        const task = asyncio.createTask(async () => {
          await inner();
        });
        await asyncio.sleep(0);
        task.cancel("enough");
        await asyncio.gather(task, { returnExceptions: true });
        events.push(task.cancelled());
      });
      equal(events, ["CancelledError: enough", "cleaned", true]);
    },
  },

  {
    name: "cancellation reaches every branch of a Promise.all",
    where: "async context",
    async run({ asyncio }) {
      const events = [];
      await asyncio.run(async () => {
        const branch = async (name) => {
          try {
            await asyncio.sleep(60);
          } finally {
            await asyncio.sleep(0.001);
            events.push(name);
          }
        };
        const task = asyncio.createTask(async () => {
          await Promise.all([branch("a"), branch("b"), branch("c")]);
        });
        await asyncio.sleep(0);
        task.cancel();
        await asyncio.gather(task, { returnExceptions: true });
        await asyncio.sleep(0.01);
        events.push(task.cancelled());
      });
      equal(events, ["a", "b", "c", true]);
    },
  },

  {
    name: "a task cancelled at a bare promise hears of it at its next wait",
    where: "async context",
    async run({ asyncio }) {
      const events = [];
      await asyncio.run(async () => {
        const task = asyncio.createTask(async () => {
          await new Promise((resolve) => void setTimeout(resolve, 5));
          events.push("the promise is through");
          await asyncio.sleep(60);
        });
        await asyncio.sleep(0);
        task.cancel();
        await asyncio.gather(task, { returnExceptions: true });
        events.push(task.cancelled());
      });
      equal(events, ["the promise is through", true]);
    },
  },

  {
    name: "an async function without async context is cancelled when its promise settles",
    where: "none",
    async run({ asyncio }) {
      const events = [];
      await asyncio.run(function* () {
        const task = asyncio.createTask(async () => {
          await asyncio.sleep(0.05);
          events.push("not interrupted");
        });
        yield* asyncio.sleep(0.001);
        task.cancel();
        yield* asyncio.gather(task, { returnExceptions: true });
        events.push(task.cancelled());
      });
      equal(events, ["not interrupted", true]);
    },
  },

  {
    name: "currentTask after awaits of bare promises, timers and thenables",
    where: "async context",
    async run({ asyncio }) {
      const seen = [];
      const look = () => void seen.push(asyncio.currentTask()?.getName() ?? "none");
      async function* numbers() {
        yield 1;
        await Promise.resolve();
        look();
        yield 2;
      }
      const worker = async () => {
        look();
        await Promise.resolve();
        look();
        await new Promise((resolve) => void setTimeout(resolve, 1));
        look();
        // oxlint-disable-next-line typescript/await-thenable -- it cannot see that it is one
        await { then: (resolve) => resolve() };
        look();
        // oxlint-disable-next-line typescript/await-thenable -- it cannot see that it is one
        await { then: (resolve) => void setTimeout(() => resolve(), 1) };
        look();
        for await (const _ of numbers()) look();
        await Promise.all([Promise.resolve(), Promise.resolve().then(look)]);
        queueMicrotask(look);
        await Promise.reject(new Error("caught")).catch(look).finally(look);
        look();
      };
      await asyncio.run(async () => {
        await asyncio.createTask(worker, { name: "worker" });
      });
      equal(
        seen,
        seen.map(() => "worker"),
      );
      equal(seen.length, 13);
    },
  },

  {
    name: "currentTask and context variables in generators",
    async run({ asyncio }) {
      const seen = [];
      const variable = new asyncio.ContextVar("variable", { default: "unset" });
      const worker = (name) =>
        function* () {
          variable.set(name);
          yield* asyncio.sleep(0.001);
          yield* asyncio.fromPromise(Promise.resolve());
          seen.push(`${asyncio.currentTask()?.getName()} ${variable.get()}`);
        };
      await asyncio.run(function* () {
        variable.set("main");
        const tasks = ["a", "b"].map((name) => asyncio.createTask(worker(name), { name }));
        yield* asyncio.gather(tasks);
        seen.push(variable.get());
      });
      equal(seen, ["a a", "b b", "main"]);
      equal(variable.get(), "unset");
    },
  },

  {
    name: "context variables in async functions, across bare promises",
    where: "async context",
    async run({ asyncio }) {
      const variable = new asyncio.ContextVar("variable", { default: "unset" });
      const seen = [];
      const set = async (value) => {
        await Promise.resolve();
        variable.set(value);
      };
      const worker = async (name) => {
        seen.push(variable.get());
        await set(name);
        await new Promise((resolve) => void setTimeout(resolve, 1));
        await asyncio.sleep(0.001);
        seen.push(variable.get());
      };
      await asyncio.run(async () => {
        variable.set("main");
        await asyncio.gather(["a", "b"].map((name) => asyncio.createTask(() => worker(name))));
        seen.push(variable.get());
      });
      equal(seen, ["main", "main", "a", "b", "main"]);
    },
  },

  {
    name: "the user's AsyncLocalStorage flows into tasks of both kinds",
    where: "async context",
    async run({ asyncio, AsyncLocalStorage }) {
      const storage = new AsyncLocalStorage();
      const seen = [];
      const look = (what) => void seen.push(`${what}: ${storage.getStore()}`);
      const inGenerator = function* () {
        yield* asyncio.sleep(0.001);
        look("generator");
        yield* asyncio.fromPromise(new Promise((resolve) => void setTimeout(resolve, 1)));
        look("generator later");
      };
      const inAsync = async () => {
        await asyncio.sleep(0.001);
        look("async");
        await new Promise((resolve) => void setTimeout(resolve, 1));
        await asyncio.sleep(0);
        look("async later");
      };
      await storage.run("request", () =>
        asyncio.run(async () => {
          await Promise.resolve();
          look("main");
          await asyncio.createTask(inGenerator);
          await storage.run("inner", () => asyncio.createTask(inAsync));
          look("main later");
        }),
      );
      equal(storage.getStore(), undefined);
      equal(seen, [
        "main: request",
        "generator: request",
        "generator later: request",
        "async: inner",
        "async later: inner",
        "main later: request",
      ]);
    },
  },

  {
    name: "the user's AsyncLocalStorage around a coroutine awaited in place; two requests at a time",
    where: "async context",
    async run({ asyncio, AsyncLocalStorage }) {
      const storage = new AsyncLocalStorage();
      const look = asyncio.coroutine(function* () {
        yield* asyncio.sleep(0.001);
        return storage.getStore();
      });
      const request = (id) => storage.run(id, () => asyncio.run(handle));
      const handle = async () => {
        const outer = await look();
        // oxlint-disable-next-line typescript/return-await -- the await has to happen inside
        const inner = await storage.run("inner", async () => await look());
        return `${outer} ${inner} ${storage.getStore()}`;
      };
      equal(await Promise.all([request(1), request(2)]), ["1 inner 1", "2 inner 2"]);
    },
  },

  {
    name: "timers fire in order, and not early",
    async run({ asyncio }) {
      const events = [];
      await asyncio.run(function* () {
        const loop = asyncio.getRunningLoop();
        const start = loop.time();
        for (const name of ["second", "third", "fourth"]) loop.callAt(start + 0.01, () => void events.push(name));
        loop.callAt(start + 0.005, () => void events.push("first"));
        loop.callAt(start + 0.002, () => void events.push("never")).cancel();
        yield* asyncio.sleep({ milliseconds: 20 });
        events.push(loop.time() - start >= 0.02 - 0.001 ? "on time" : "early");
        const naps = [0.05, 0.001].map((delay) => asyncio.createTask(asyncio.sleep(delay)));
        for (const [i, task] of naps.entries()) task.addDoneCallback(() => void events.push(`nap ${i}`));
        yield* asyncio.gather(naps);
      });
      equal(events, ["first", "second", "third", "fourth", "on time", "nap 1", "nap 0"]);
    },
  },

  {
    name: "fromPromise: cancelled at once, and the signal stops the work",
    async run({ asyncio }) {
      const events = [];
      await asyncio.run(function* () {
        const task = asyncio.createTask(function* () {
          yield* asyncio.fromPromise(
            (signal) =>
              new Promise((_, reject) => {
                signal.addEventListener("abort", () => {
                  events.push(`aborted: ${signal.reason.name}`);
                  reject(signal.reason);
                });
              }),
          );
        });
        yield* asyncio.sleep(0.001);
        task.cancel();
        yield* asyncio.gather(task, { returnExceptions: true });
        events.push(task.cancelled());
        events.push(yield* asyncio.fromPromise(Promise.resolve("value")));
      });
      equal(events, ["aborted: CancelledError", true, "value"]);
    },
  },

  {
    name: "AbortSignal: run({ signal }), and a task's own",
    async run({ asyncio }) {
      const controller = new AbortController();
      let own = null;
      const main = function* () {
        own = asyncio.currentTask().signal;
        setTimeout(() => controller.abort(new Error("stop")), 2);
        yield* asyncio.sleep(60);
      };
      equal(await errorOf(asyncio.run(main, { signal: controller.signal })), "CancelledError: stop");
      equal([own instanceof AbortSignal, own.aborted], [true, true]);
    },
  },

  {
    name: "gather: results in order, the first error, exceptions as results",
    async run({ asyncio }) {
      const nap = asyncio.coroutine(function* (delay, error) {
        yield* asyncio.sleep(delay);
        if (error) throw new Error(error);
        return delay;
      });
      await asyncio.run(function* () {
        equal(yield* asyncio.gather(nap(0.003), nap(0.001), Promise.resolve("p")), [0.003, 0.001, "p"]);
        const outcomes = yield* asyncio.gather(nap(0.001), nap(0, "boom"), { returnExceptions: true });
        equal(outcomes.map(String), ["0.001", "Error: boom"]);
        try {
          yield* asyncio.gather(nap(0.03, "second"), nap(0.001, "first"));
          equal("no error", "an error");
        } catch (error) {
          equal(String(error), "Error: first");
        }
        yield* asyncio.sleep(0.04);
      });
    },
  },

  {
    name: "shield: the work goes on when its waiter is cancelled",
    async run({ asyncio }) {
      await asyncio.run(function* () {
        const saved = asyncio.getRunningLoop().createFuture();
        const work = asyncio.createTask(function* () {
          return yield* saved;
        });
        const waiter = asyncio.createTask(function* () {
          yield* asyncio.shield(work);
        });
        yield* asyncio.sleep(0.001);
        waiter.cancel();
        yield* asyncio.gather(waiter, { returnExceptions: true });
        equal([waiter.cancelled(), work.done()], [true, false]);
        saved.setResult("saved");
        equal(yield* work, "saved");
      });
    },
  },

  {
    name: "coroutine(): lazy, in the same task, and usable once",
    async run({ asyncio }) {
      const events = [];
      const work = asyncio.coroutine(function* work(name) {
        events.push(name);
        yield* asyncio.sleep(0);
        return name;
      });
      await asyncio.run(async () => {
        const call = work("a");
        events.push("not started");
        events.push(await call);
        events.push(await errorOf(call));
      });
      equal(events.slice(0, 3), ["not started", "a", "a"]);
      equal(events[3].startsWith("RuntimeError: cannot reuse"), true);
    },
  },

  {
    name: "the platform's own callbacks are not starved by a busy loop",
    async run({ asyncio }) {
      const isPlatformHeard = async (main) => {
        let heard = false;
        setTimeout(() => (heard = true), 1);
        return await asyncio.run(main(() => heard));
      };
      const busy = (isHeard) =>
        function* () {
          const end = performance.now() + 1000;
          while (!isHeard() && performance.now() < end) yield* asyncio.sleep(0);
          return isHeard();
        };
      const busyAsync = (isHeard) => async () => {
        const end = performance.now() + 1000;
        while (!isHeard() && performance.now() < end) await asyncio.sleep(0);
        return isHeard();
      };
      equal([await isPlatformHeard(busy), await isPlatformHeard(busyAsync)], [true, true]);
    },
  },

  {
    name: "an exception that nobody retrieved is reported when the loop closes",
    async run({ asyncio }) {
      const reports = [];
      const keep = (message) => void reports.push(message.split("\n")[0]);
      asyncio.setLogger({ debug: keep, info: keep, warning: keep, error: keep });
      try {
        await asyncio.run(function* () {
          asyncio.createTask(async () => {
            throw new Error("lost");
          });
          asyncio.sleep(1);
          yield* asyncio.sleep(0);
          yield* asyncio.sleep(0);
        });
      } finally {
        asyncio.setLogger(null);
      }
      const wanted = ["Task exception was never retrieved", "coroutine 'sleep' was never awaited"];
      equal([reports.length, ...wanted.map((report) => reports.includes(report))], [2, true, true]);
    },
  },

  {
    name: "channels, select, mapConcurrent and race: generators",
    async run({ asyncio, structured }) {
      const { mapConcurrent, openChannel, race, select } = structured;
      const seen = [];
      await asyncio.run(function* () {
        const [sender, receiver] = openChannel(0);
        const [, stopped] = openChannel(1);
        const producer = asyncio.createTask(function* () {
          for (const item of [1, 2, 3]) yield* sender.send(item);
          sender.close();
        });
        seen.push((yield* select(stopped.receive(), receiver.receive())).value);
        const double = function* (item) {
          yield* asyncio.sleep(0);
          return item * 2;
        };
        seen.push(yield* mapConcurrent(receiver, double, { limit: 2 }));
        yield* producer;
        seen.push(
          yield* race(
            () => asyncio.sleep(60, "slow"),
            () => asyncio.sleep(0.001, "fast"),
          ),
        );
      });
      equal(seen, [1, [4, 6], "fast"]);
    },
  },

  {
    name: "cancel scopes: generators",
    async run({ asyncio, structured }) {
      const { moveOnAfter, shielded } = structured;
      const seen = [];
      await asyncio.run(function* () {
        const moved = yield* moveOnAfter(0.005, function* () {
          for (let i = 0; i < 2; i++) {
            try {
              yield* asyncio.sleep(60);
            } catch (error) {
              seen.push(error.message);
            }
          }
          seen.push(yield* shielded(() => asyncio.sleep(0.001, "shielded")));
          yield* asyncio.sleep(60);
        });
        seen.push(moved.cancelledCaught);
      });
      const message = "timed out after 0.005 seconds";
      equal(seen, [message, message, "shielded", true]);
    },
  },

  {
    name: "cancel scopes: async functions, a group in them, and the signal",
    where: "async context",
    async run({ asyncio, structured }) {
      const { CancelScope, failAfter } = structured;
      const seen = [];
      await asyncio.run(async () => {
        const scope = new CancelScope({ timeout: 0.005 });
        await scope.run(async () => {
          const { signal } = asyncio.currentTask();
          signal.addEventListener("abort", () => seen.push("aborted"));
          await asyncio.taskGroup(async (group) => {
            group.createTask(async () => {
              for (let i = 0; i < 2; i++) await asyncio.sleep(60).catch(() => seen.push("raised"));
            });
            await asyncio.sleep(60);
          });
        });
        seen.push(scope.cancelledCaught);
        await failAfter(0.001, async () => await asyncio.sleep(60)).catch((error) => seen.push(error.name));
      });
      equal(seen, ["aborted", "raised", "raised", true, "TimeoutError"]);
    },
  },

  {
    name: "channels, mapConcurrent, retry and a pool: async functions",
    where: "async context",
    async run({ asyncio, structured }) {
      const { mapConcurrent, openChannel, Pool, retry } = structured;
      const seen = [];
      await asyncio.run(async () => {
        const [sender, receiver] = openChannel(1);
        const producer = asyncio.createTask(async () => {
          for (const item of [1, 2]) await sender.send(item);
          sender.close();
        });
        for await (const item of receiver) seen.push(item);
        await producer;
        const flaky = async (attempt) => (attempt < 2 ? await Promise.reject(new Error("again")) : attempt);
        seen.push(await retry(flaky, { backoff: 0 }));
        const pool = new Pool({ size: 1, create: async () => ({}), destroy: async () => {} });
        const work = (n) => pool.hold(async () => await asyncio.sleep(0, n));
        seen.push(await mapConcurrent([5, 6], work, { limit: 2 }));
        await pool.close();
      });
      equal(seen, [1, 2, 2, [5, 6]]);
    },
  },

  {
    name: "virtual time: a week passes in no time, in both syntaxes",
    async run({ asyncio, testing }) {
      const start = performance.now();
      for (const main of [
        function* () {
          for (let day = 0; day < 7; day++) yield* asyncio.sleep({ days: 1 });
        },
        async () => {
          for (let day = 0; day < 7; day++) await asyncio.sleep({ days: 1 });
        },
      ]) {
        const loop = new asyncio.BaseEventLoop(new testing.VirtualHost());
        await loop.runUntilComplete(main);
        equal(loop.time(), 604_800);
        loop.close();
      }
      equal(performance.now() - start < 2000, true);
    },
  },

  {
    name: "a virtual deadlock is an error that names the task",
    async run({ asyncio, testing }) {
      const loopFactory = () => new asyncio.BaseEventLoop(new testing.VirtualHost());
      const main = function* stuck() {
        yield* asyncio.getRunningLoop().createFuture();
      };
      const error = await errorOf(asyncio.run(main, { loopFactory }));
      equal(/^DeadlockError: deadlock: a task still waits.*\n.*stuck\(\)/.test(error), true);
    },
  },

  {
    name: "remark: how promises are drained, and the price of a switch",
    async run({ asyncio }) {
      const Host = asyncio.NodeHost ?? asyncio.WebHost;
      let isSync = false;
      class Watched extends Host {
        drainMicrotasks() {
          isSync = super.drainMicrotasks?.() ?? false;
          return isSync;
        }
      }
      const loopFactory = () => new asyncio.BaseEventLoop(new Watched());
      const [tasks, switches] = [100, 100];
      const timed = async (worker) => {
        const start = performance.now();
        await asyncio.run(
          function* () {
            yield* asyncio.gather(Array.from({ length: tasks }, () => asyncio.createTask(worker)));
          },
          { loopFactory },
        );
        return Math.round(((performance.now() - start) * 1e6) / (tasks * switches));
      };
      const generators = await timed(function* () {
        for (let i = 0; i < switches; i++) yield* asyncio.sleep(0);
      });
      const asyncFunctions = await timed(async () => {
        for (let i = 0; i < switches; i++) await asyncio.sleep(0);
      });
      const how = isSync ? "drained in the turn" : "fallback, back to the host";
      return `${how}; a switch: ${generators} ns (generator), ${asyncFunctions} ns (async)`;
    },
  },
];

/** How long a check may take. */
const LIMIT_MILLISECONDS = 10_000;

/** @typedef {{ readonly name: string, readonly failure: string | null, readonly remark: string }} Result */

/**
 * Runs the checks that are for `platform`, one after another.
 *
 * @param {Platform} platform
 * @returns {AsyncGenerator<Result, void, undefined>}
 */
export async function* runSuite(platform, furtherChecks = []) {
  const here = platform.AsyncLocalStorage === null ? "none" : "async context";
  for (const { name, where = here, run } of [...checks, ...scheduleChecks, ...furtherChecks]) {
    if (where !== here) continue;
    try {
      yield { name, failure: null, remark: String((await inTime(run(platform))) ?? "") };
    } catch (error) {
      yield { name, failure: formatError(error), remark: "" };
    }
  }
}

async function inTime(work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("it did not end in time")), LIMIT_MILLISECONDS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function equal(actual, expected) {
  const [received, wanted] = [actual, expected].map((value) => JSON.stringify(value) ?? String(value));
  if (received !== wanted) throw new Unequal(`expected ${wanted}\nreceived ${received}`);
}

class Unequal extends Error {}

async function errorOf(work) {
  try {
    await work;
    return "no error";
  } catch (error) {
    return String(error);
  }
}

function formatError(error) {
  if (error instanceof Unequal || !(error instanceof Error)) return String(error.message ?? error);
  return `${error}\n${error.stack}`;
}
