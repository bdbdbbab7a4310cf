// A small cluster: one producer, three workers, and Redis between them; one worker is killed in the middle.
//
//   apt-get install redis-server
//   npm install bullmq ioredis
//   node examples/cluster.mjs
//
// It shows work that outgrew its machine: a worker that is lost takes no job with it, since another does it again; and the
// end of the workers on SIGTERM. cluster/worker.py is a worker in Python for the same queue.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as asyncio from "asyncio-ts";
import { BullExecutor } from "asyncio-ts/bullmq";
import * as work from "./cluster/work.mjs";

const tasks = asyncio.defineTasks(new URL("./cluster/work.mjs", import.meta.url), work);
const worker = fileURLToPath(new URL("./cluster/worker.mjs", import.meta.url));
const PAGES = 100;

async function produce(connection, workers) {
  const executor = new BullExecutor({ queue: "pages", connection });
  try {
    const doneBy = new Map(workers.map(({ pid }) => [pid, 0]));
    const jobs = Array.from({ length: PAGES }, (_, page) =>
      executor.submit(tasks.render.with({ key: `page-${page}`, times: 3 }), page),
    );
    for await (const [job] of asyncio.asCompleted(jobs)) {
      const { worker: pid } = await job;
      doneBy.set(pid, doneBy.get(pid) + 1);
      const done = [...doneBy.values()].reduce((sum, n) => sum + n, 0);
      if (done === PAGES / 4) {
        workers[0].kill();
        console.log(`${done} pages are done, and worker 1 is killed`);
      }
    }
    for (const [i, { pid }] of workers.entries())
      console.log(`worker ${i + 1} has answered with ${doneBy.get(pid)} pages`);
    console.log(`${executor.statistics().completed} of ${PAGES} pages are done`);
  } finally {
    await executor.shutdown({ cancelFutures: true });
  }
}

/** Starts a program whose output nobody reads, for as long as `body` runs. */
async function withProgram(command, args, end, body) {
  const program = await asyncio.createSubprocessExec(command, args, { stdout: asyncio.DEVNULL });
  try {
    return await body(program);
  } finally {
    if (program.returncode === null) program.sendSignal(end);
    await program.wait();
  }
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), "cluster-"));
  const connection = { path: join(folder, "redis.sock") };
  const redis = ["--port", "0", "--unixsocket", connection.path, "--save", "", "--dir", folder];
  const withWorker = (body) => withProgram(process.execPath, [worker, JSON.stringify(connection)], "SIGTERM", body);
  try {
    await withProgram("redis-server", redis, "SIGKILL", async () => {
      await waitFor(connection.path);
      await withWorker(async (first) => {
        await withWorker(async (second) => {
          await withWorker(async (third) => await produce(connection, [first, second, third]));
        });
      });
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Waits until Redis listens. */
async function waitFor(path) {
  while (!existsSync(path)) await asyncio.sleep(0.01);
}

await asyncio.run(main);
