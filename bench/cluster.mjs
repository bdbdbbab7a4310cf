/**
 * `npm run bench:cluster`: BullExecutor beside bare BullMQ, each with a worker in a process of its own, on a Redis of its own
 * (Debian's `redis-server`). How long a job takes, one at a time and many at once, and the processor's time in the caller.
 *
 * @module
 */

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import * as asyncio from "asyncio-ts";
import { BullExecutor, remoteTask } from "asyncio-ts/bullmq";
import { Queue, QueueEvents } from "bullmq";
import { loadsOf, middle } from "./jobs.mjs";
import { startRedis } from "../test/system/bullmq/redis.mjs";

const ROUNDS = 5;
const JOBS = 2000;
const CONCURRENCY = 20;
const redis = await startRedis();
const { connection } = redis;
const worker = fileURLToPath(new URL("./cluster/worker.mjs", import.meta.url));

const children = ["ours", "bare"].map((queue) =>
  fork(worker, [queue, JSON.stringify({ queue, connection, concurrency: CONCURRENCY })]),
);

/** Each calls `go` with what does one job. */
const SUBJECTS = {
  BullExecutor: (go) =>
    asyncio.run(async () => {
      const executor = new BullExecutor({ queue: "ours", connection });
      const increment = remoteTask("increment");
      const result = await go((n) => executor.submit(increment, n));
      await executor.shutdown();
      return result;
    }),
  "bare BullMQ": async (go) => {
    const queue = new Queue("bare", { connection });
    const events = new QueueEvents("bare", { connection });
    // Every job that waits listens to the end of both.
    for (const base of [queue, events]) base.setMaxListeners(0);
    await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
    // It listens from the moment that its first question reaches Redis; what ends before is missed, and waited for for ever.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const kept = { count: 10_000, age: 3600 };
    const result = await go(async (n) => {
      const job = await queue.add("increment", n, { removeOnComplete: kept, removeOnFail: kept });
      return await job.waitUntilFinished(events);
    });
    await Promise.all([queue.close(), events.close()]);
    return result;
  },
};

const column = (value) => value.toFixed(0).padStart(7);

for (const [name, load] of Object.entries(loadsOf(JOBS))) {
  const samples = Object.fromEntries(Object.keys(SUBJECTS).map((subject) => [subject, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [subject, run] of Object.entries(SUBJECTS)) {
      const sample = await run(async (job) => {
        await Promise.all(Array.from({ length: 200 }, (_, n) => job(n))); // all are there, and warm
        const [start, used] = [performance.now(), process.cpuUsage()];
        await load(job);
        const { user, system } = process.cpuUsage(used);
        return [((performance.now() - start) * 1000) / JOBS, (user + system) / JOBS];
      });
      samples[subject].push(sample);
    }
  }
  const [time, processor] = [0, 1].map((at) => (subject) => middle(samples[subject].map((sample) => sample[at])));
  console.log(
    `\n${name}: microseconds for a job, those of the caller's processor, and how many times as much as bare BullMQ`,
  );
  for (const subject of Object.keys(SUBJECTS)) {
    const ratios = [time, processor].map((of) => (of(subject) / of("bare BullMQ")).toFixed(2)).join("  ");
    console.log(`  ${subject.padEnd(16)} ${column(time(subject))} ${column(processor(subject))}   ${ratios}`);
  }
}

for (const child of children) {
  child.disconnect();
  await once(child, "exit");
}
await redis.stop();
