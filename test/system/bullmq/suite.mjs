/** BullExecutor and its workers, on a real Redis and what happens to one: `node --test test/system/bullmq/suite.mjs`. */

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import * as asyncio from "asyncio-ts";
import { BullExecutor, cloneCodec, jsonCodec, remoteTask, serveTasks, TaskServer } from "asyncio-ts/bullmq";
import { Queue, Worker } from "bullmq";
import { errorOf, until } from "../executors/waiting.mjs";
import { startRedis } from "./redis.mjs";
import * as work from "./work.mjs";

const tasks = asyncio.defineTasks(new URL("./work.mjs", import.meta.url), work);
const { sleep } = asyncio;
const WORKER = fileURLToPath(new URL("./worker.mjs", import.meta.url));

const common = await startRedis();
const folder = mkdtempSync(join(tmpdir(), "asyncio-ts-bullmq-"));
after(async () => {
  await common.stop();
  rmSync(folder, { recursive: true });
});

/** A file for the effects of jobs. */
class Journal {
  path = join(folder, randomUUID());

  /** The words that were noted, for a key or for all. */
  words(key) {
    const lines = existsSync(this.path) ? readFileSync(this.path, "utf8").trimEnd().split("\n") : [];
    return lines.filter((line) => key === undefined || line.split(" ")[1] === key).map((line) => line.split(" ")[0]);
  }
}

/** What a test has: a queue of its own, and what ends with it. */
class Bench {
  queue = randomUUID();
  journal = new Journal();
  reports = [];
  #ends = [];

  constructor(redis) {
    this.both = { queue: this.queue, connection: redis.connection };
  }

  executor(options = {}) {
    const executor = new BullExecutor({ ...this.both, ...options });
    this.#ends.push(() => asyncio.timeout(5, () => executor.shutdown({ cancelFutures: true })));
    return executor;
  }

  /** Serves the queue on this loop. */
  server(options = {}, served = tasks) {
    const server = new TaskServer(served, { ...this.both, ...options });
    const task = asyncio.createTask(server.serveForever());
    const end = async () => {
      task.cancel();
      await asyncio.wait([task]);
    };
    this.#ends.push(end);
    return { server, end, statistics: () => server.statistics() };
  }

  /** Serves it in a process. */
  async worker(options = {}) {
    const child = spawn(process.execPath, [WORKER, JSON.stringify({ ...this.both, recoverAfter: 1, ...options })], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const exit = once(child, "exit");
    assert.equal((await lines.next()).value, "ready");
    const kill = async (signal = "SIGKILL") => {
      child.kill(signal);
      return (await exit)[0];
    };
    this.#ends.push(kill);
    return { kill, lines, pid: child.pid };
  }

  async end() {
    for (const end of this.#ends.toReversed()) await end();
  }
}

/** A test on a loop and a queue of its own, which leaves nothing behind. `reports` are those that may come. */
function check(title, body, { redis = null, reports = [] } = {}) {
  return test(title, () =>
    asyncio.run(async () => {
      const own = redis === null ? null : await startRedis(redis);
      const bench = new Bench(own ?? common);
      asyncio.getRunningLoop().setExceptionHandler((_loop, { message, exception }) => {
        bench.reports.push(`${message}: ${exception?.message}`);
      });
      let failure = null;
      try {
        await asyncio.timeout(60, () => body(bench, own));
      } catch (error) {
        failure = error;
      }
      try {
        await bench.end();
      } catch (error) {
        failure ??= error;
      }
      await own?.stop();
      if (failure !== null) throw failure;
      assert.ok(bench.reports.length <= reports.length, bench.reports.join("\n"));
      for (const [i, report] of bench.reports.entries()) assert.match(report, reports[i]);
      assert.equal(asyncio.allTasks().size, 1);
    }),
  );
}

/** A port where nobody listens. */
async function freePort() {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

void describe("a job", () => {
  void check("knows its key, which is the queue's id of it", async (bench) => {
    const executor = bench.executor();
    bench.server();
    const job = executor.submit(tasks.seen);
    assert.equal((await job).key, job.key);
    const queue = new Queue(bench.queue, bench.both);
    assert.equal((await queue.getJob(job.key)).name, "seen");
    await queue.close();
  });

  void check("of a key that the queue has gives the result of that, and is done once", async (bench) => {
    const executor = bench.executor();
    const other = bench.executor();
    const once_ = tasks.slowly.with({ key: "user-17" });
    const jobs = [executor, executor, other].map((one) => one.submit(once_, bench.journal.path, 0.05));
    bench.server();
    assert.deepEqual(await asyncio.gather(jobs), ["done", "done", "done"]);
    assert.equal(await executor.submit(once_, bench.journal.path, 0.05), "done"); // it is over, and still known
    assert.deepEqual(bench.journal.words("user-17"), ["begun", "done"]);
  });

  void check("of a key that has failed is tried again", async (bench) => {
    const executor = bench.executor();
    bench.server();
    const task = tasks.unstable.with({ key: "again" });
    assert.equal((await errorOf(executor.submit(task, bench.journal.path, 1))).message, "attempt 1");
    assert.equal(await executor.submit(task, bench.journal.path, 1), 2);
  });

  void check("is tried so many times, and later each time", async (bench) => {
    const executor = bench.executor();
    const { statistics } = bench.server();
    const task = tasks.unstable.with({ times: 3, backoff: 0.01 });
    assert.equal(await executor.submit(task, bench.journal.path, 2), 3);
    assert.deepEqual(statistics(), { active: 0, completed: 1, failed: 2, cancelled: 0, givenBack: 0 });
    const error = await errorOf(executor.submit(task.with({ times: 2 }), bench.journal.path, 99));
    assert.ok(error instanceof RangeError);
    assert.equal(error.message, "attempt 5");
    assert.deepEqual([executor.statistics().completed, executor.statistics().failed], [1, 1]);
  });

  void check("goes by its priority, and not before its time", async (bench) => {
    const executor = bench.executor();
    const order = [];
    const submit = (name, options) => {
      const job = executor.submit(tasks.echo.with(options), name);
      job.addDoneCallback(() => order.push(name));
      return job;
    };
    const jobs = [submit("last", { priority: 9 }), submit("second", { priority: 2 }), submit("first", {})];
    jobs.push(submit("delayed", { delay: 0.3 }));
    await executor.flush();
    bench.server();
    await asyncio.gather(jobs);
    assert.deepEqual(order, ["first", "second", "last", "delayed"]);
  });

  void check("takes context along, and tells its steps in order", async (bench) => {
    const executor = bench.executor();
    bench.server();
    const user = new asyncio.ContextVar("user");
    user.set({ name: "Ada" });
    const { context } = await executor.submit(tasks.seen.with({ context: [user] }));
    assert.deepEqual(context, [["user", { name: "Ada" }]]);
    const job = executor.submit(tasks.steps, 20);
    const steps = [];
    for await (const { i } of job.progress) steps.push(i);
    assert.deepEqual(
      steps,
      Array.from({ length: 20 }, (_, i) => i),
    );
    assert.equal(await job, undefined);
  });

  void check("fails with the error it had, and both stacks", async (bench) => {
    const executor = bench.executor();
    bench.server();
    const error = await errorOf(executor.submit(tasks.fail));
    assert.ok(error instanceof RangeError && error.cause instanceof TypeError);
    assert.equal(error.code, "E_RANGE");
    assert.match(error.stack, /^RangeError: out of range\n +at fail .*work\.mjs:[^]*asked for ---\n.*suite\.mjs/);
  });

  void check("is data: what JSON would lose is refused at the call, with its place", async (bench) => {
    const executor = bench.executor();
    bench.server();
    const kept = { a: [1, null, "ü", { b: true }], c: undefined };
    assert.deepEqual(await executor.submit(tasks.echo, kept), { a: [1, null, "ü", { b: true }] });
    assert.equal(await executor.submit(tasks.echo, undefined), undefined);
    class Point {
      x = 1;
    }
    const circle = [];
    circle.push({ circle });
    for (const [value, message] of [
      [() => 1, /JSON cannot hold/],
      [{ when: [new Date()] }, /JSON cannot hold .* at \.when\[0\]: use data, or codec: cloneCodec at both ends/],
      [new Map(), /cannot hold/],
      [10n, /cannot hold/],
      [NaN, /cannot hold NaN/],
      [new Uint8Array(1), /cannot hold/],
      [new Point(), /cannot hold/],
      [[undefined], /cannot hold undefined at \[0\]/],
      [circle, /no circles, as at \[0\]\.circle/],
    ]) {
      assert.throws(() => executor.submit(tasks.echo, value), message);
    }
    assert.throws(() => executor.submit(tasks.echo.with({ transfer: [new ArrayBuffer(1)] }), 1), /another machine/);
  });

  void check("may be a structured clone, where both ends say so", async (bench) => {
    bench.server({ codec: cloneCodec });
    const executor = bench.executor({ codec: cloneCodec });
    const value = new Map([["when", [new Date(0), 10n, new Uint8Array([1, 2])]]]);
    assert.deepEqual(await executor.submit(tasks.echo, value), value);
    const plain = bench.executor({ codec: jsonCodec });
    const error = await errorOf(plain.submit(tasks.echo, 1));
    assert.match(error.message, /written as json, and the server reads clone: give both one codec/);
  });

  void check("has a size, and so has its result", async (bench) => {
    const executor = bench.executor({ maxPayload: 1000 });
    const { statistics } = bench.server({ maxPayload: 500 });
    const [short, long] = ["x".repeat(700), "x".repeat(1000)];
    assert.throws(
      () => executor.submit(tasks.echo, long),
      /the arguments of echo take 1\d+ bytes, and a payload at most 1000/,
    );
    const error = await errorOf(executor.submit(tasks.echo, short));
    assert.match(error.message, /the result of echo take 702 bytes/);
    assert.equal(statistics().failed, 1);
  });

  void check("of a task that the server does not have fails, and says what it has", async (bench) => {
    const executor = bench.executor();
    bench.server({}, { add: tasks.add, echo: tasks.echo });
    const error = await errorOf(executor.submit(remoteTask("resize").with({ times: 5 }), "cat.png"));
    assert.ok(error instanceof TypeError);
    assert.equal(error.message, "there is no task resize here: the server has add, echo");
  });

  void test("with options that cannot be is refused at the call", () =>
    asyncio.run(async () => {
      const both = { queue: "q", connection: common.connection };
      assert.throws(() => new BullExecutor({ ...both, queue: "a:b" }), /a queue's name has letters.*received 'a:b'/);
      assert.throws(() => new TaskServer(tasks, { ...both, concurrency: 0 }), /concurrency must be at least 1/);
      assert.throws(() => new TaskServer(tasks, { ...both, maxRecoveries: -1 }), /maxRecoveries must be at least 0/);
      assert.throws(
        () => new TaskServer(tasks, { ...both, recoverAfter: 0 }),
        /recoverAfter must be a time that passes/,
      );
      const twins = { add: tasks.add, sum: remoteTask("add") };
      assert.throws(() => serveTasks(twins, both), /two tasks are called add, and a job says no more/);
      assert.throws(() => serveTasks({ add: (a, b) => a + b }, both), /serveTasks: received the function add/);
      const executor = new BullExecutor(both);
      for (const [options, message] of [
        [{ times: 0 }, /times must be at least 1: received 0/],
        [{ priority: -1 }, /priority must be from 1 to 2097151/],
        [{ delay: -1 }, /delay must be a time from now/],
        [{ backoff: Infinity }, /backoff must be a time from now/],
        [{ key: "a:b" }, /a key is text without a colon, and not a number: received 'a:b'/],
        [{ key: "17" }, /a key is text/],
      ]) {
        assert.throws(() => executor.submit(tasks.add.with(options), 1, 2), message);
      }
      await executor.shutdown();
      const error = await errorOf(asyncio.toThread(tasks.add.with({ times: 2 }), 1, 2));
      assert.match(error.message, /times: ThreadPoolExecutor has no queue; BullExecutor/);
    }));
});

void describe("cancelled", () => {
  void check("a job that waits is taken out of the queue, and never done", async (bench) => {
    const executor = bench.executor();
    const job = executor.submit(tasks.effect, bench.journal.path, 1);
    await executor.flush();
    job.cancel();
    assert.ok(job.cancelled());
    await until(() => executor.statistics().running === 0);
    bench.server();
    assert.equal(await executor.submit(tasks.add, 1, 2), 3);
    assert.deepEqual(bench.journal.words(), []);
  });

  void check("at once, before it is in the queue: it never gets there", async (bench) => {
    const executor = bench.executor();
    executor.submit(tasks.effect, bench.journal.path, 1).cancel();
    await until(() => executor.statistics().running === 0);
    const { waiting, active } = await executor.health();
    assert.deepEqual([waiting, active], [0, 0]);
  });

  void check("a job at work is stopped, wherever it is", async (bench) => {
    const executor = bench.executor();
    await bench.worker();
    const { end } = bench.server();
    await end(); // of two workers, the other has it
    const job = executor.submit(tasks.slowly, bench.journal.path, 60);
    await until(() => bench.journal.words(job.key).includes("begun"));
    job.cancel();
    await until(() => bench.journal.words(job.key).includes("stopped"));
    assert.equal(executor.statistics().running, 0);
  });

  void check("by its time: a TimeoutError, and the work is stopped", async (bench) => {
    const executor = bench.executor();
    const { statistics } = bench.server();
    const job = executor.submit(tasks.slowly.with({ timeout: 0.1 }), bench.journal.path, 60);
    assert.ok((await errorOf(job)) instanceof asyncio.TimeoutError);
    await until(() => statistics().cancelled === 1);
    assert.deepEqual(bench.journal.words(job.key), ["begun", "stopped"]);
  });

  void check("one of two of a key: the other goes on", async (bench) => {
    const executor = bench.executor();
    const task = tasks.slowly.with({ key: "shared" });
    const jobs = [1, 2].map(() => executor.submit(task, bench.journal.path, 0.05));
    bench.server();
    jobs[0].cancel();
    assert.equal(await jobs[1], "done");
  });

  void check("in one process, it is for those of the same key in all; and the key can be done again", async (bench) => {
    const [executor, other] = [bench.executor(), bench.executor()];
    const { statistics } = bench.server();
    const task = tasks.slowly.with({ key: "shared" });
    const jobs = [executor, other].map((one) => one.submit(task, bench.journal.path, 60));
    await until(() => statistics().active === 1);
    jobs[0].cancel();
    const error = await errorOf(jobs[1]);
    assert.ok(error instanceof asyncio.CancelledError && jobs[1].cancelled());
    assert.equal(await executor.submit(task, bench.journal.path, 0), "done");
  });

  void check("a worker that begins later knows what was cancelled before", async (bench) => {
    const executor = bench.executor();
    const worker = await bench.worker();
    const job = executor.submit(tasks.slowly, bench.journal.path, 60);
    await until(() => bench.journal.words(job.key).length === 1);
    process.kill(worker.pid, "SIGSTOP"); // it does not hear of it
    job.cancel();
    await until(() => executor.statistics().running === 0);
    await worker.kill();
    const { statistics } = bench.server({ recoverAfter: 0.5 });
    await executor.submit(tasks.add, 1, 2);
    await sleep(2.5);
    assert.deepEqual([bench.journal.words(job.key), statistics().active], [["begun"], 0]);
  });
});

void describe("a worker", () => {
  void check("that is killed in the middle of a job: another does it again, by the same key", async (bench) => {
    const executor = bench.executor();
    const workers = [await bench.worker(), await bench.worker()];
    const job = executor.submit(tasks.slowly, bench.journal.path, 0.5);
    await until(() => bench.journal.words(job.key).length === 1);
    const pid = Number(readFileSync(bench.journal.path, "utf8").split(" ")[2]);
    await workers.find((worker) => worker.pid === pid).kill();
    assert.equal(await job, "done");
    assert.deepEqual(bench.journal.words(job.key), ["begun", "begun", "done"]);
  });

  void check("and the next, and the next: the job fails, and takes no more of them", async (bench) => {
    const executor = bench.executor();
    const options = { maxRecoveries: 1, recoverAfter: 0.5 };
    await Promise.all([1, 2, 3].map(() => bench.worker(options)));
    const error = await errorOf(executor.submit(tasks.killer, bench.journal.path, 99));
    assert.ok(error instanceof asyncio.BrokenExecutorError);
    assert.match(error.message, /each worker that had taken killer ended before it answered/);
    assert.deepEqual(bench.journal.words(), ["begun", "begun"]);
    assert.equal(await executor.submit(tasks.add, 1, 2), 3);
  });

  void check("that stands still seems gone: the job is done twice, and answered once", async (bench) => {
    const executor = bench.executor();
    for (const recoverAfter of [0.5, 0.5]) await bench.worker({ recoverAfter });
    const job = executor.submit(tasks.slowly, bench.journal.path, 0.3);
    await until(() => bench.journal.words(job.key).length === 1);
    const pid = Number(readFileSync(bench.journal.path, "utf8").split(" ")[2]);
    process.kill(pid, "SIGSTOP");
    assert.equal(await job, "done");
    assert.deepEqual(bench.journal.words(job.key), ["begun", "begun", "done"]);
    process.kill(pid, "SIGCONT"); // it goes on, and finds out that the job is another's
    await until(() => bench.journal.words(job.key).length === 4);
    assert.equal(await executor.submit(tasks.add, 1, 2), 3);
  });

  void check("that is told to end takes no more, ends what it does, and gives back the rest", async (bench) => {
    const executor = bench.executor();
    const worker = await bench.worker({ concurrency: 2, grace: 0.5 });
    const short = executor.submit(tasks.slowly, bench.journal.path, 0.3);
    const long = executor.submit(tasks.slowly, bench.journal.path, 2);
    await until(() => bench.journal.words().length === 2);
    const waiting = executor.submit(tasks.add, 1, 2);
    const ended = worker.kill("SIGTERM");
    assert.equal(await short, "done");
    await until(() => bench.journal.words(long.key).includes("stopped"));
    const { value: statistics } = await worker.lines.next();
    assert.deepEqual(JSON.parse(statistics), { active: 0, completed: 1, failed: 0, cancelled: 0, givenBack: 1 });
    await ended;
    bench.server({ concurrency: 2 });
    assert.equal(await waiting, 3);
    assert.equal(await long, "done"); // at once: nobody had to find out that the worker is gone
    assert.deepEqual(bench.journal.words(long.key), ["begun", "stopped", "begun", "done"]);
  });

  void check("that is told twice waits for nothing", async (bench) => {
    const executor = bench.executor();
    const { server, end } = bench.server({ grace: 60 });
    const job = executor.submit(tasks.slowly, bench.journal.path, 0.2);
    await until(() => server.statistics().active === 1);
    const first = end();
    await sleep(0.01);
    await Promise.all([first, end()]);
    assert.equal(server.statistics().givenBack, 1);
    bench.server();
    assert.equal(await job, "done");
  });

  void check("that has threads does not block, and ends what does not stop", async (bench) => {
    const threads = new asyncio.ThreadPoolExecutor({ maxWorkers: 1, stopWithin: 0 });
    const executor = bench.executor();
    bench.server({ executor: threads, recoverAfter: 0.3 });
    const job = executor.submit(tasks.blocking, bench.journal.path, 1);
    await job;
    assert.deepEqual(bench.journal.words(job.key), ["begun"]);
    const { key } = await executor.submit(tasks.seen.with({ key: "same-there" }));
    assert.equal(key, "same-there");
    const endless = executor.submit(tasks.blocking, bench.journal.path, 60);
    await until(() => bench.journal.words(endless.key).length === 1);
    endless.cancel();
    assert.equal(await executor.submit(tasks.add, 1, 2), 3);
    await threads.shutdown();
  });

  void check("that is not of this library can take part, and so can such a caller", async (bench) => {
    const executor = bench.executor();
    const square = remoteTask("square");
    const other = new Worker(
      bench.queue,
      async ({ name, data }) => {
        if (name === "fail") throw new Error("as it says");
        return data.args[0] ** 2;
      },
      bench.both,
    );
    assert.equal(await executor.submit(square, 7), 49);
    const error = await errorOf(executor.submit(remoteTask("fail")));
    assert.match(error.stack, /^Error: as it says\n +at .*suite\.mjs[^]*fail in a worker, asked for/);
    await other.close();
    bench.server();
    const queue = new Queue(bench.queue, bench.both);
    const job = await queue.add("add", { codec: "json", args: [20, 22] });
    await until(() => job.id !== undefined);
    let state = "";
    while (state !== "completed") state = await job.getState();
    assert.equal((await queue.getJob(job.id)).returnvalue, 42);
    await queue.close();
  });
});

void describe("a caller", () => {
  void check("that is killed leaves its job; one that comes by its key gets the result", async (bench) => {
    const program = `
      import * as asyncio from "asyncio-ts";
      import { BullExecutor, remoteTask } from "asyncio-ts/bullmq";
      await asyncio.run(async () => {
        const executor = new BullExecutor(${JSON.stringify(bench.both)});
        const job = executor.submit(remoteTask("slowly").with({ key: "report" }), ${JSON.stringify(bench.journal.path)}, 0.3);
        await executor.flush();
        console.log("submitted");
        await job;
      });`;
    const caller = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(caller.stdout, "data");
    caller.kill("SIGKILL");
    await once(caller, "exit");
    bench.server();
    const executor = bench.executor();
    assert.equal(await executor.submit(tasks.slowly.with({ key: "report" }), bench.journal.path, 0.3), "done");
    assert.deepEqual(bench.journal.words("report"), ["begun", "done"]);
  });

  void check("may leave its jobs to the queue", async (bench) => {
    const executor = bench.executor();
    executor.submit(tasks.effect.with({ key: "left" }), bench.journal.path, 1);
    await executor.flush();
    await executor.shutdown({ wait: false });
    bench.server();
    await until(() => bench.journal.words("left").length === 1);
    await until(() => asyncio.allTasks().size === 2); // the server's, and this
  });

  void check("has no more in the queue than it may; the rest waits, or is refused", async (bench) => {
    const executor = bench.executor({ maxInFlight: 2, maxPending: 1 });
    const jobs = [1, 2, 3].map((n) => executor.submit(tasks.echo, n));
    assert.throws(() => executor.submit(tasks.echo, 4), asyncio.QueueFull);
    const room = asyncio.createTask(executor.room());
    await executor.flush();
    const { waiting } = await executor.health();
    assert.deepEqual([waiting, room.done()], [2, false]);
    bench.server();
    await room;
    assert.equal(await executor.submit(tasks.echo, 4), 4);
    assert.deepEqual(await asyncio.gather(jobs), [1, 2, 3]);
  });

  void check("can ask how things are", async (bench) => {
    const executor = bench.executor();
    const before = await executor.health();
    assert.deepEqual([before.isReady, before.workers], [false, 0]);
    assert.match(before.why, /nobody serves the queue/);
    const { server } = bench.server();
    await until(() => server.isReady());
    const jobs = [60, 60].map((seconds) => executor.submit(tasks.slowly, bench.journal.path, seconds));
    jobs.push(executor.submit(tasks.echo.with({ delay: 3600 }), 1));
    await executor.flush();
    await until(() => server.statistics().active === 1);
    const { latency, ...health } = await executor.health();
    assert.deepEqual(health, { isReady: true, why: null, workers: 1, waiting: 1, active: 1, delayed: 1 });
    assert.ok(latency > 0 && latency < 5);
    for (const job of jobs) job.cancel();
  });
});

void describe("Redis", () => {
  void check(
    "restarts, and has lost everything: the jobs are put into the queue again",
    async (bench, redis) => {
      const executor = bench.executor();
      await bench.worker({ concurrency: 2 });
      const jobs = [1, 2, 3, 4].map((n) => executor.submit(tasks.slowly, bench.journal.path, n / 10));
      await until(() => bench.journal.words().length === 2);
      await redis.kill();
      await redis.start();
      assert.deepEqual(await asyncio.gather(jobs), ["done", "done", "done", "done"]);
      assert.ok(executor.statistics().resubmitted >= 2);
    },
    { redis: [], reports: [/^Redis is not reachable \(queue .*\): trying again: /] },
  );

  void check(
    "restarts, and knows everything: nothing is put in again",
    async (bench, redis) => {
      const executor = bench.executor();
      await bench.worker();
      const jobs = [1, 2, 3].map((n) => executor.submit(tasks.slowly, bench.journal.path, n / 10));
      await until(() => bench.journal.words().length === 1);
      await redis.kill();
      const later = executor.submit(tasks.add, 1, 2);
      await redis.start();
      assert.deepEqual(await asyncio.gather(jobs), ["done", "done", "done"]);
      assert.equal(await later, 3);
      assert.equal(executor.statistics().resubmitted, 0);
    },
    { redis: ["--appendonly", "yes", "--appendfsync", "always"], reports: [/^Redis is not reachable/] },
  );

  void check(
    "is away for too long: the jobs fail, those that come too; and all is well when it is back",
    async (bench, redis) => {
      const executor = bench.executor({ reconnectWithin: 0.3 });
      const job = executor.submit(tasks.add, 1, 2);
      await executor.flush();
      await redis.kill();
      const error = await errorOf(job);
      assert.ok(error instanceof asyncio.BrokenExecutorError);
      assert.match(error.message, /Redis is away for 0\.3 seconds: nobody knows what became of add/);
      assert.match(error.cause.code, /^E/);
      assert.ok((await errorOf(executor.submit(tasks.add, 1, 2))) instanceof asyncio.BrokenExecutorError);
      const { isReady, why } = await executor.health({ timeout: 0.05 });
      assert.equal(isReady, false);
      assert.match(why, /Redis does not answer: .*(E[A-Z]+|timed out)/);
      await redis.start();
      bench.server();
      await until(() => executor.isReachable());
      assert.equal(await executor.submit(tasks.add, 1, 2), 3);
    },
    { redis: [], reports: [/^Redis is not reachable/] },
  );

  void check(
    "was never there: the jobs fail, and the executor and the worker end",
    async (bench) => {
      bench.both = { ...bench.both, connection: { path: join(folder, "nowhere.sock") } };
      const executor = bench.executor({ reconnectWithin: 0.2 });
      const { server, end } = bench.server();
      assert.ok((await errorOf(executor.submit(tasks.add, 1, 2))) instanceof asyncio.BrokenExecutorError);
      assert.equal(server.isReady(), false);
      await end();
      assert.equal(bench.reports.length, 2);
    },
    { reports: [/^Redis is not reachable/, /^Redis is not reachable/] },
  );

  void check(
    "goes away, and the executor and the worker end all the same",
    async (bench, redis) => {
      const executor = bench.executor();
      const { server, end } = bench.server({ grace: 0.1 });
      const job = executor.submit(tasks.slowly, bench.journal.path, 60);
      await until(() => server.statistics().active === 1);
      await redis.kill();
      await until(() => !server.isReady() && !executor.isReachable());
      job.cancel();
      await executor.shutdown();
      await end();
    },
    { redis: [], reports: [/^Redis is not reachable/, /^Redis is not reachable/, /could not be withdrawn/] },
  );

  void check(
    "wants a password",
    async (bench, redis) => {
      const wrong = new BullExecutor({ ...bench.both, reconnectWithin: 0.2 });
      const error = await errorOf(wrong.submit(tasks.add, 1, 2));
      assert.match(String(error.cause), /NOAUTH/);
      await wrong.shutdown();
      bench.both = { ...bench.both, connection: { ...redis.connection, password: "secret" } };
      bench.server();
      assert.equal(await bench.executor().submit(tasks.add, 1, 2), 3);
    },
    { redis: ["--requirepass", "secret"], reports: [/^Redis is not reachable .*NOAUTH/] },
  );
});

const tlsPort = await freePort();

void describe("Redis behind TLS", () => {
  const [port, key, cert] = [tlsPort, join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, ...subject], {
    stdio: "ignore",
  });
  const files = ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert];
  const redis = ["--tls-port", String(port), "--tls-auth-clients", "no", ...files];

  void check(
    "is reached with the options of node:tls, and not without its authority",
    async (bench) => {
      const place = { host: "localhost", port };
      bench.both = { ...bench.both, connection: { ...place, tls: { ca: readFileSync(cert) } } };
      bench.server();
      assert.equal(await bench.executor().submit(tasks.add, 1, 2), 3);
      const stranger = new BullExecutor({ ...bench.both, connection: { ...place, tls: {} }, reconnectWithin: 0.3 });
      const error = await errorOf(stranger.submit(tasks.add, 1, 2));
      assert.match(String(error.cause), /self-signed certificate/);
      await stranger.shutdown();
    },
    { redis, reports: [/^Redis is not reachable .*self-signed/] },
  );
});

void describe("ten thousand jobs over three workers, one of which is killed", () => {
  void check("each has its effect at least once, none is lost, and Redis keeps no more than it may", async (bench) => {
    const executor = bench.executor({ keep: { count: 100, age: 60 } });
    const workers = [];
    for (let i = 0; i < 3; i++) workers.push(await bench.worker({ concurrency: 20 }));
    const jobs = [];
    for (let n = 0; n < 10_000; n++) {
      await executor.room();
      jobs.push(executor.submit(tasks.effect, bench.journal.path, n));
      if (n === 3000) await workers[0].kill();
    }
    const results = await asyncio.gather(jobs);
    assert.deepEqual(
      results,
      Array.from({ length: 10_000 }, (_, n) => n),
    );
    const keys = readFileSync(bench.journal.path, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => line.split(" ")[1]);
    const effects = new Set(keys);
    assert.ok(jobs.every(({ key }) => effects.has(key)));
    console.log(
      `${keys.length - effects.size} of ${keys.length} were done twice, ${executor.statistics().resubmitted} put in again`,
    );
    const queue = new Queue(bench.queue, bench.both);
    const client = await queue.getBackend().client;
    const [, all] = await client.scan(0, { MATCH: `bull:${bench.queue}:*`, COUNT: 100_000 });
    assert.ok(all.length < 150, `${all.length} keys`);
    await queue.close();
  });
});
