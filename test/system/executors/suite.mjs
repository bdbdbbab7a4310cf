/** One suite over all executors that have workers, on the built package: `node --test test/system/executors/suite.mjs`. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import * as asyncio from "asyncio-ts";
import { BullExecutor, cloneCodec, serveTasks } from "asyncio-ts/bullmq";
import { moveOnAfter } from "asyncio-ts/structured";
import { InMemoryExecutor } from "asyncio-ts/testing";
import { hasRedis, startRedis } from "../bullmq/redis.mjs";
import { errorOf, until } from "./waiting.mjs";
import * as work from "./work.mjs";

const tasks = asyncio.defineTasks(new URL("./work.mjs", import.meta.url), work);
const { sleep } = asyncio;

const EXECUTORS = {
  ThreadPoolExecutor: (options) => new asyncio.ThreadPoolExecutor(options),
  ProcessPoolExecutor: (options) => new asyncio.ProcessPoolExecutor(options),
  InMemoryExecutor: (options) => new InMemoryExecutor(options),
};

const redis = hasRedis() ? await startRedis() : null;
if (redis !== null) {
  EXECUTORS.BullExecutor = served;
  after(() => redis.stop());
}

/** An executor and a worker for its queue, which ends with it, and which has threads. */
function served({ maxWorkers, maxPending, ...options }) {
  const [queue, connection] = [randomUUID(), redis.connection];
  const both = { queue, connection, codec: cloneCodec };
  const executor = new BullExecutor({ ...both, maxInFlight: maxWorkers, maxPending });
  const threads = new asyncio.ThreadPoolExecutor({ maxWorkers: 2, ...options });
  const serving = asyncio.createTask(serveTasks(tasks, { ...both, executor: threads, concurrency: 2 }));
  const { shutdown } = executor;
  executor.shutdown = async (how) => {
    await shutdown.call(executor, how);
    if (how?.wait === false) return;
    serving.cancel();
    await asyncio.wait([serving]);
    await threads.shutdown();
  };
  return executor;
}

/** What would keep the process: a thread, a process, a timer. */
const HELD = new Set(["MessagePort", "Worker", "ProcessWrap", "Timeout"]);

/** How many jobs it has. */
function jobsOf(executor) {
  const { pending, running } = executor.statistics();
  return { pending, running };
}

for (const [name, make] of Object.entries(EXECUTORS)) {
  void describe(name, () => {
    const hasWorkers = name !== "InMemoryExecutor";
    const isPool = hasWorkers && name !== "BullExecutor";

    /** A test on a loop and an executor of its own, which is shut down and leaves nothing. */
    const check = (title, body, options = {}) =>
      void test(title, () =>
        asyncio.run(async () => {
          const reports = [];
          asyncio.getRunningLoop().setExceptionHandler((_loop, report) => reports.push(report));
          const executor = make({ maxWorkers: 2, ...options });
          try {
            await body(executor);
          } finally {
            await executor.shutdown();
          }
          assert.deepEqual(jobsOf(executor), { pending: 0, running: 0 });
          assert.deepEqual(reports, []);
        }),
      );

    check("a result, of a function, an async one, and a coroutine", async (executor) => {
      assert.equal(await executor.submit(tasks.add, 1, 2), 3);
      assert.equal(await executor.submit(tasks.double, 21), 42);
      assert.equal(await executor.submit(tasks.coroutine, 0.001), "on a loop of its own");
    });

    check("an error: its name, message, code, cause, and both stacks", async (executor) => {
      const error = await errorOf(executor.submit(tasks.fail));
      assert.ok(error instanceof RangeError);
      assert.deepEqual([error.name, error.message, error.code], ["RangeError", "out of range", "E_RANGE"]);
      assert.ok(error.cause instanceof TypeError);
      assert.match(error.stack, /^RangeError: out of range\n +at fail .*work\.mjs:.*\n[^]*asked for ---\n.*suite\.mjs/);
      const odd = await errorOf(executor.submit(tasks.failOddly));
      assert.ok(odd instanceof AggregateError);
      assert.deepEqual(odd.errors.map(String), ["QuotaError: first", "Error: thrown: no error"]);
    });

    check("what cannot be sent is an error of its job alone", async (executor) => {
      assert.match(String(await errorOf(() => executor.submit(tasks.add, () => 1, 2))), /could not be cloned/);
      assert.match(String(await errorOf(executor.submit(tasks.give))), /could not be cloned/);
      assert.equal(await executor.submit(tasks.add, 1, 2), 3);
    });

    check("as many at a time as there are workers; the rest waits, in order", async (executor) => {
      const jobs = Array.from({ length: 5 }, () => executor.submit(tasks.nap, 0.02));
      assert.deepEqual(jobsOf(executor), { pending: 3, running: 2 });
      await asyncio.wait([jobs[2]]);
      assert.ok(!jobs[4].done());
      await asyncio.gather(jobs);
    });

    check("a job that waits is cancelled: it is never done", async (executor) => {
      const jobs = [0.02, 0.02, 0.02].map((seconds) => executor.submit(tasks.nap, seconds));
      assert.ok(jobs[2].cancel());
      assert.deepEqual(jobsOf(executor), { pending: 0, running: 2 });
      assert.ok((await errorOf(jobs[2])) instanceof asyncio.CancelledError);
      await asyncio.gather(jobs.slice(0, 2));
    });

    if (hasWorkers) {
      void test("ten thousand jobs, some of which break, are cancelled or late, leave nothing behind", async () => {
        const held = () => process.getActiveResourcesInfo().filter((kind) => HELD.has(kind)).length;
        const before = held();
        await asyncio.run(async () => {
          const executor = make({ maxWorkers: 2, stopWithin: 0 });
          let sum = 0;
          const numbers = Array.from({ length: 10_000 }, (_, i) => i);
          for await (const n of executor.map(tasks.double, numbers, { chunk: 50 })) sum += n;
          assert.equal(sum, 99_990_000);
          const late = executor.submit(tasks.nap.with({ timeout: 0.01 }), 60);
          assert.ok((await errorOf(late)) instanceof asyncio.TimeoutError);
          assert.ok((await errorOf(executor.submit(tasks.crash))) instanceof asyncio.BrokenExecutorError);
          const job = executor.submit(tasks.spin);
          await sleep(0.02);
          job.cancel();
          await executor.shutdown();
          assert.equal(asyncio.getRunningLoop().statistics().tasks, 1);
        });
        assert.equal(held(), before);
      });

      check("a job that runs is cancelled: the caller is answered at once, and the work is told", async (executor) => {
        const folder = mkdtempSync(join(tmpdir(), "executors-"));
        const flag = join(folder, "flag");
        const job = executor.submit(tasks.untilAborted, flag);
        for await (const step of job.progress) {
          assert.equal(step, "begun");
          job.cancel();
        }
        assert.ok(job.cancelled());
        assert.deepEqual(jobsOf(executor), { pending: 0, running: 1 });
        await until(() => executor.statistics().running === 0);
        assert.match(readFileSync(flag, "utf8"), /the job was cancelled/);
        rmSync(folder, { recursive: true });
        assert.equal(await executor.submit(tasks.add, 1, 2), 3);
      });

      check(
        "work that does not listen is ended after its grace, and its worker replaced",
        async (executor) => {
          const job = executor.submit(tasks.spin.with({ stopWithin: 0.05 }));
          await sleep(0.05);
          job.cancel();
          assert.equal(await executor.submit(tasks.add, 1, 2), 3);
        },
        { maxWorkers: 1, stopWithin: 60 },
      );

      check("a worker that exits is an error of its job alone", async (executor) => {
        const other = executor.submit(tasks.nap, 0.05);
        const error = await errorOf(executor.submit(tasks.crash));
        assert.ok(error instanceof asyncio.BrokenExecutorError);
        assert.match(error.message, /the worker of crash ended before it answered: it exited with code 3/);
        await other;
        assert.equal(await executor.submit(tasks.add, 1, 2), 3);
      });
    }

    if (isPool) {
      check("a module or a function that is not there is an error that says so", async (executor) => {
        const lost = asyncio.defineTasks("file:///nowhere/work.mjs", work);
        assert.match(String(await errorOf(executor.submit(lost.add, 1, 2))), /Cannot find module/);
        const { renamed } = asyncio.defineTasks(new URL("./work.mjs", import.meta.url), { renamed: work.add });
        assert.match(String(await errorOf(executor.submit(renamed, 1, 2))), /exports no function renamed/);
      });

      check(
        "workers begin when there is work, and end when there is none",
        async (executor) => {
          const workers = () => Number(/(\d+) workers/.exec(String(executor))[1]);
          assert.equal(workers(), 0);
          await asyncio.gather([executor.submit(tasks.nap, 0.01), executor.submit(tasks.nap, 0.01)]);
          assert.ok(workers() <= 2);
          await until(() => workers() === 0);
          assert.equal(await executor.submit(tasks.add, 1, 2), 3);
        },
        { idleTimeout: 0.02 },
      );

      check(
        "a worker is replaced after so many jobs",
        async (executor) => {
          const ids = [];
          for (let i = 0; i < 4; i++) ids.push(await executor.submit(tasks.add, i, 0));
          assert.deepEqual(ids, [0, 1, 2, 3]);
        },
        { maxWorkers: 1, maxTasksPerWorker: 2 },
      );
    }

    check("progress, to the end of the job", async (executor) => {
      const job = executor.submit(tasks.steps, 3);
      const seen = [];
      for await (const step of job.progress) seen.push(step);
      assert.deepEqual([seen, await job], [[0, 1, 2], 3]);
      for await (const _step of job.progress) assert.fail("the job is over");
    });

    check("a timeout is an error, and the work is stopped", async (executor) => {
      const error = await errorOf(executor.submit(tasks.coroutine.with({ timeout: 0.02 }), 60));
      assert.ok(error instanceof asyncio.TimeoutError);
      assert.equal(error.message, "timed out after 0.02 seconds");
      if (hasWorkers) await until(() => executor.statistics().running === 0);
    });

    check("map: in order, in chunks, no more under way than needed", async (executor) => {
      const words = Array.from({ length: 20 }, (_, i) => `word ${i}`);
      let taken = 0;
      function* items() {
        for (const word of words) {
          taken++;
          yield word;
        }
      }
      const results = executor.map(tasks.hash, items(), { chunk: 3 });
      assert.equal(taken, 12); // four chunks, twice the workers
      const hashes = [];
      for await (const hash of results) hashes.push(hash);
      assert.deepEqual(hashes, words.map(work.hash));
    });

    check("map: the first error ends it; so does leaving, and the time", async (executor) => {
      const failing = executor.map(tasks.fail.with({}), [1, 2, 3]);
      assert.ok((await errorOf(failing.next())) instanceof RangeError);
      assert.deepEqual(await failing.next(), { done: true, value: undefined });
      for await (const n of executor.map(tasks.double, [1, 2, 3, 4, 5])) if (n === 4) break;
      const late = executor.map(tasks.coroutine.with({ stopWithin: 0 }), [60, 60], { timeout: 0.02 });
      assert.ok((await errorOf(late.next())) instanceof asyncio.TimeoutError);
      await until(() => executor.statistics().running === 0);
    });

    check("context variables, when asked", async (executor) => {
      const user = new asyncio.ContextVar("user");
      user.set("Ada");
      assert.deepEqual(await executor.submit(tasks.context.with({ context: [user] })), { user: "Ada" });
      assert.deepEqual(await executor.submit(tasks.context), {});
    });

    check(
      "backpressure: room() waits for one, submit() refuses without",
      async (executor) => {
        const jobs = [];
        for (let i = 0; i < 6; i++) {
          await executor.room();
          jobs.push(executor.submit(tasks.nap, 0.01));
          assert.ok(executor.statistics().pending <= 1);
        }
        await asyncio.wait(jobs);
        const more = [1, 2, 3].map(() => executor.submit(tasks.nap, 0.01));
        assert.throws(() => executor.submit(tasks.nap, 0.01), asyncio.QueueFull);
        await asyncio.gather(more);
      },
      { maxPending: 1 },
    );

    check("a scope around a job cuts it short", async (executor) => {
      const job = executor.submit(tasks.coroutine.with({ stopWithin: 0 }), 60);
      const { cancelledCaught } = await moveOnAfter(0.02, () => job);
      assert.ok(cancelledCaught && job.cancelled());
    });

    void test("shutdown: waits for all; cancels what has not begun; or does not wait; and takes no more", () =>
      asyncio.run(async () => {
        for (const options of [{}, { cancelFutures: true }, { wait: false }]) {
          const executor = make({ maxWorkers: 1 });
          const jobs = [0, 1].map(() => executor.submit(tasks.nap, 0.03));
          await executor.shutdown(options);
          const expected = options.wait === false ? [false, false] : [true, true];
          assert.deepEqual(
            jobs.map((job) => job.done()),
            expected,
          );
          assert.equal(jobs[1].cancelled(), options.cancelFutures === true);
          assert.throws(() => executor.submit(tasks.nap, 0), /cannot schedule new futures after shutdown/);
          await asyncio.wait(jobs);
          await executor.shutdown();
        }
      }));

    void test("bad input is an error at the call", () =>
      asyncio.run(async () => {
        assert.throws(() => make({ maxWorkers: 0 }), /maxWorkers must be at least 1: received 0/);
        assert.throws(() => make({ maxPending: 0 }), /maxPending must be at least 1/);
        const executor = make({});
        assert.throws(() => executor.submit(() => 1), /submit: received the function anonymous; what runs elsewhere/);
        assert.throws(() => executor.map(tasks.add, [], { chunk: 0 }), /chunk must be at least 1/);
        await executor.shutdown();
      }));
  });
}

void describe("threads alone", () => {
  void test("what is transferred is handed over", () =>
    asyncio.run(async () => {
      await using_(new asyncio.ThreadPoolExecutor(), async (executor) => {
        const buffer = new ArrayBuffer(1024);
        assert.equal(await executor.submit(tasks.size.with({ transfer: [buffer] }), buffer), 1024);
        assert.equal(buffer.byteLength, 0);
        const shared = new SharedArrayBuffer(16);
        assert.equal(await executor.submit(tasks.size, shared), 16);
      });
    }));

  void test("one that takes more memory than it may ends, and its job with it", () =>
    asyncio.run(async () => {
      await using_(
        new asyncio.ThreadPoolExecutor({ resourceLimits: { maxOldGenerationSizeMb: 16 } }),
        async (executor) => {
          const error = await errorOf(executor.submit(tasks.grow));
          assert.ok(error instanceof asyncio.BrokenExecutorError);
          assert.equal(await executor.submit(tasks.add, 1, 2), 3);
        },
      );
    }));
});

void describe("processes alone", () => {
  void test("kill -9 is an error of its job alone", () =>
    asyncio.run(async () => {
      await using_(new asyncio.ProcessPoolExecutor({ maxWorkers: 2 }), async (executor) => {
        const error = await errorOf(executor.submit(tasks.killed));
        assert.match(String(error), /^BrokenExecutorError: the worker of killed ended before it answered: SIGKILL/);
        assert.notEqual(await executor.submit(tasks.processId), process.pid);
      });
    }));

  void test("nothing can be handed over", () =>
    asyncio.run(async () => {
      await using_(new asyncio.ProcessPoolExecutor(), async (executor) => {
        const buffer = new ArrayBuffer(8);
        assert.match(
          String(await errorOf(executor.submit(tasks.size.with({ transfer: [buffer] }), buffer))),
          /another process/,
        );
      });
    }));

  void test("a process ends with its parent, however that ends", async () => {
    const { spawn } = await import("node:child_process");
    const program = `
      import * as asyncio from "asyncio-ts";
      import * as work from ${JSON.stringify(new URL("./work.mjs", import.meta.url).href)};
      const tasks = asyncio.defineTasks(${JSON.stringify(new URL("./work.mjs", import.meta.url).href)}, work);
      await asyncio.run(async () => {
        const executor = new asyncio.ProcessPoolExecutor({ maxWorkers: 1 });
        console.log(await executor.submit(tasks.processId));
        await executor.submit(tasks.nap, 60);
      });`;
    const parent = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = await new Promise((resolve) =>
      parent.stdout.once("data", (data) => resolve(String(data).split("\n"))),
    );
    parent.kill("SIGKILL");
    for (let i = 0; i < 400 && existsSync(`/proc/${line}`); i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    assert.ok(!existsSync(`/proc/${line}`));
  });
});

void describe("the loop's own", () => {
  void test("toThread and runInExecutor; it ends with the run", () =>
    asyncio.run(async () => {
      const loop = asyncio.getRunningLoop();
      assert.equal(await asyncio.toThread(tasks.add, 1, 2), 3);
      assert.equal(await loop.runInExecutor(null, tasks.double, 4), 8);
      assert.throws(() => asyncio.toThread(() => 1), /toThread: received the function/);
      assert.throws(() => loop.setDefaultExecutor({}), /executor must have submit/);
    }));

  void test("it can be replaced, and shut down: then there is none", () =>
    asyncio.run(async () => {
      const loop = asyncio.getRunningLoop();
      const executor = new InMemoryExecutor();
      loop.setDefaultExecutor(executor);
      assert.equal(await asyncio.toThread(tasks.double, 1), 2);
      await loop.shutdownDefaultExecutor();
      assert.throws(() => executor.submit(tasks.double, 1), /after shutdown/);
      assert.throws(
        () => loop.runInExecutor(null, tasks.double, 1),
        /Executor shutdown has been called|after shutdown/,
      );
    }));

  void test("shutdownDefaultExecutor waits no longer than it is told", () =>
    asyncio.run(async () => {
      const loop = asyncio.getRunningLoop();
      const job = loop.runInExecutor(null, tasks.nap, 0.3);
      asyncio.setLogger({ debug() {}, info() {}, warning: (text) => warnings.push(text), error() {} });
      const warnings = [];
      await loop.shutdownDefaultExecutor(0.01);
      assert.match(
        warnings[0],
        /did not finish its jobs within 0.01 seconds: <ThreadPoolExecutor 1 workers, 1 running/,
      );
      await job;
    }));

  void test("an executor that was never shut down does not keep the process", async () => {
    const { execFileSync } = await import("node:child_process");
    const url = JSON.stringify(new URL("./work.mjs", import.meta.url).href);
    const program = `
      import * as asyncio from "asyncio-ts";
      import * as work from ${url};
      const tasks = asyncio.defineTasks(${url}, work);
      await asyncio.run(async () => {
        const executor = new asyncio.ThreadPoolExecutor({ idleTimeout: 3600 });
        console.log(await executor.submit(tasks.add, 1, 2));
      });`;
    const output = execFileSync(process.execPath, ["--input-type=module", "--eval", program], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    assert.equal(output.trim(), "3");
  });
});

async function using_(executor, body) {
  try {
    await body(executor);
  } finally {
    await executor.shutdown();
  }
}
