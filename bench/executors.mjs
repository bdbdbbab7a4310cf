/**
 * `npm run bench:executors`: the executors beside the packages for the same. How many jobs a second, one at a time and many at
 * once; and what becomes of the loop's own latency while threads hash. The peers are installed once, to
 * `node_modules/.cache/bench-executors`.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as asyncio from "asyncio-ts";
import { loadPeers } from "../scripts/setup.mjs";
import * as work from "./executors/work.mjs";
import { loadsOf, middle } from "./jobs.mjs";

const PEERS = { piscina: "5.3.2", tinypool: "2.2.0", workerpool: "10.0.3" };
const ROUNDS = 5;
const JOBS = 3000;
const THREADS = 2;
const file = new URL("./executors/work.mjs", import.meta.url);
const tasks = asyncio.defineTasks(file, work);

const { folder, load } = await loadPeers("bench-executors", PEERS);
// workerpool's own kind of worker, with the same work.
const worker = `import { increment } from ${JSON.stringify(file.href)};\nworkerpool.worker({ increment });\n`;
writeFileSync(join(folder, "worker.mjs"), `import workerpool from "workerpool";\n${worker}`);
const { Piscina } = await load("piscina");
const { Tinypool } = await load("tinypool");
const { default: workerpool } = await load("workerpool");

const ours = (Executor) => (go) =>
  asyncio.run(async () => {
    const executor = new Executor({ maxWorkers: THREADS });
    const result = await go((n) => executor.submit(tasks.increment, n));
    await executor.shutdown();
    return result;
  });
const theirs = (Pool) => async (go) => {
  const pool = new Pool({ filename: file.href, minThreads: THREADS, maxThreads: THREADS });
  const result = await go((n) => pool.run(n, { name: "increment" }));
  await pool.destroy();
  return result;
};

/** Each calls `go` with what does one job. */
const SUBJECTS = {
  ThreadPoolExecutor: ours(asyncio.ThreadPoolExecutor),
  piscina: theirs(Piscina),
  tinypool: theirs(Tinypool),
  workerpool: async (go) => {
    const pool = workerpool.pool(join(folder, "worker.mjs"), {
      maxWorkers: THREADS,
      workerType: "thread",
    });
    const result = await go((n) => pool.exec("increment", [n]));
    await pool.terminate();
    return result;
  },
  ProcessPoolExecutor: ours(asyncio.ProcessPoolExecutor),
};

for (const [name, loading] of Object.entries(loadsOf(JOBS))) {
  const samples = Object.fromEntries(Object.keys(SUBJECTS).map((subject) => [subject, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [subject, run] of Object.entries(SUBJECTS)) {
      samples[subject].push(
        await run(async (job) => {
          await Promise.all([job(1), job(2), job(3)]); // the threads have begun
          const start = performance.now();
          await loading(job);
          return ((performance.now() - start) * 1000) / JOBS;
        }),
      );
    }
  }
  const [first] = Object.keys(SUBJECTS);
  console.log(`\n${name}: microseconds for a job, and how many times as much as ${first}`);
  for (const [subject, values] of Object.entries(samples)) {
    const ratio = middle(values) / middle(samples[first]);
    console.log(`  ${subject.padEnd(22)} ${middle(values).toFixed(1).padStart(7)}  ${ratio.toFixed(2)}`);
  }
}

/** Ticks once a millisecond for a while: how late the ticks are, in milliseconds. */
async function lateness(seconds) {
  const loop = asyncio.getRunningLoop();
  const late = [];
  const end = loop.time() + seconds;
  while (loop.time() < end) {
    const due = loop.time() + 0.001;
    await asyncio.sleep(0.001);
    late.push((loop.time() - due) * 1000);
  }
  const sorted = late.toSorted((a, b) => a - b);
  return [0.5, 0.99].map((share) => sorted[Math.floor(share * (sorted.length - 1))]);
}

const HASHING = {
  "nothing to do": async () => await asyncio.sleep(0),
  "in the loop": async () => {
    for (let i = 0; i < 12; i++) {
      work.hash(12);
      await asyncio.sleep(0);
    }
  },
  "on threads": async (threads) =>
    await asyncio.gather(Array.from({ length: 12 }, () => threads.submit(tasks.hash, 12))),
  "on processes": async (_threads, processes) =>
    await asyncio.gather(Array.from({ length: 12 }, () => processes.submit(tasks.hash, 12))),
};

console.log("\na tick each millisecond while four workers hash: how late it is, in milliseconds");
for (const [name, run] of Object.entries(HASHING)) {
  const [p50, p99] = await asyncio.run(async () => {
    const threads = new asyncio.ThreadPoolExecutor({ maxWorkers: 4 });
    const processes = new asyncio.ProcessPoolExecutor({ maxWorkers: 4 });
    await run(threads, processes); // the workers have begun
    const working = asyncio.createTask(async () => {
      const end = asyncio.getRunningLoop().time() + 1.5;
      while (asyncio.getRunningLoop().time() < end) await run(threads, processes);
    });
    const result = await lateness(1.5);
    await working;
    await Promise.all([threads.shutdown(), processes.shutdown()]);
    return result;
  });
  console.log(`  ${name.padEnd(22)} p50 ${p50.toFixed(2).padStart(7)}   p99 ${p99.toFixed(2).padStart(7)}`);
}
