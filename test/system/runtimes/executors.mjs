/** What must hold of executors where there are threads and processes: Node.js, Bun and Deno. @module */

import * as asyncio from "asyncio-ts";
import * as work from "./executor-work.mjs";

const tasks = asyncio.defineTasks(new URL("./executor-work.mjs", import.meta.url), work);

const kinds = { threads: asyncio.ThreadPoolExecutor, processes: asyncio.ProcessPoolExecutor };

/** @type {import("./suite.mjs").Check[]} */
export const executorChecks = Object.entries(kinds).flatMap(([name, Executor]) => [
  {
    name: `executors: results, errors and progress of ${name}`,
    async run() {
      const seen = await asyncio.run(async () => {
        const executor = new Executor({ maxWorkers: 2 });
        const steps = executor.submit(tasks.steps, 2);
        const told = [];
        for await (const step of steps.progress) told.push(step);
        const mapped = [];
        for await (const result of executor.map(tasks.double, [1, 2, 3], { chunk: 2 })) mapped.push(result);
        const error = await executor.submit(tasks.fail).then(
          () => null,
          (reason) => reason,
        );
        await executor.shutdown();
        return [told, await steps, mapped, error.name, error.message];
      });
      equal(seen, [[0, 1], "done", [2, 4, 6], "RangeError", "out of range"]);
    },
  },
  {
    name: `executors: ${name} that do not listen are ended and replaced`,
    async run() {
      const seen = await asyncio.run(async () => {
        const executor = new Executor({ maxWorkers: 1, stopWithin: 0.05 });
        await executor.submit(tasks.double, 1);
        const job = executor.submit(tasks.spin);
        await asyncio.sleep(0.05);
        job.cancel();
        const after = await executor.submit(tasks.double, 2);
        await executor.shutdown();
        return [job.cancelled(), after];
      });
      equal(seen, [true, 4]);
    },
  },
]);

function equal(actual, expected) {
  const [a, b] = [actual, expected].map((value) => JSON.stringify(value));
  if (a !== b) throw new Error(`expected ${b}, received ${a}`);
}
