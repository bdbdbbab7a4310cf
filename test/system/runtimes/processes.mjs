/**
 * What must hold for whole processes on Node.js, Bun and Deno: how they begin and end. Each program is run by `main.mjs`
 * in a process of its own, which `scripts/runtimes.mjs` watches.
 *
 * @module
 */

/**
 * @typedef {object} Program
 * @property {string} name
 * @property {(asyncio: typeof import("asyncio-ts")) => unknown} main prints a line READY each time that it wants a Ctrl-C
 * @property {number} [code] the exit status wanted, 0 by default
 * @property {string} [stdout] the output wanted, READY left out; empty by default
 * @property {RegExp[]} [stderr] what standard error must contain; if there is none, it must be empty
 * @property {Record<string, string>} [env]
 * @property {boolean} [isBare] on Deno: without any permission
 * @property {Record<string, string>} [cannot] runtimes that cannot do this, whatever the library does, and why
 */

/** While a module waits at its top level, neither has a `beforeExit`, and their own answers leave nothing to hold on to. */
const NO_TOP_LEVEL_DEADLOCK = {
  bun: "a top-level await that nothing can wake spins for ever, without 'beforeExit'",
  deno: "a top-level await that nothing can wake is ended, or with a handler of signals waits for ever, without 'beforeExit'",
};

/** @type {Program[]} */
export const processes = [
  {
    name: "the process ends by itself when run() is through, and a timer keeps it alive till then",
    async main(asyncio) {
      await asyncio.run(() => asyncio.sleep(0.02));
      console.log("slept");
      asyncio.newEventLoop();
    },
    stdout: "slept\n",
  },
  {
    name: "run() that nobody awaits keeps the process alive",
    main(asyncio) {
      void asyncio.run(async () => {
        await asyncio.sleep(0.02);
        console.log("slept");
      });
    },
    stdout: "slept\n",
  },
  {
    name: "an error of main ends the process with 1",
    async main(asyncio) {
      await asyncio.run(async () => {
        await asyncio.sleep(0);
        throw new RangeError("of main");
      });
    },
    code: 1,
    stderr: [/RangeError: of main/],
  },
  {
    name: "a deadlock is an error that draws the tasks, and not a silent end",
    async main(asyncio) {
      await asyncio.run(async function stuck() {
        await asyncio.getRunningLoop().createFuture();
      });
    },
    code: 1,
    stderr: [/DeadlockError: deadlock: a task still waits/, /in stuck\(\)\n {2}waits for <Future pending/],
    cannot: NO_TOP_LEVEL_DEADLOCK,
  },
  {
    name: "a deadlock is an error that can be caught",
    async main(asyncio) {
      const error = await asyncio.run(() => new Promise(() => {})).catch((reason) => reason);
      console.log(error.name);
    },
    stdout: "DeadlockError\n",
    cannot: NO_TOP_LEVEL_DEADLOCK,
  },
  {
    name: "a deadlock of a run() that no module awaits, in both syntaxes",
    main(asyncio) {
      const stuck = function* () {
        yield* asyncio.getRunningLoop().createFuture();
      };
      void asyncio.run(stuck).catch((error) => console.log(error.name));
      void asyncio.run(() => new Promise(() => {})).catch((error) => console.log(error.name));
    },
    stdout: "DeadlockError\nDeadlockError\n",
  },
  {
    name: "a deadlock that nobody catches ends the process with 1",
    main(asyncio) {
      void asyncio.run(async function stuck() {
        await asyncio.getRunningLoop().createFuture();
      });
    },
    code: 1,
    stderr: [/DeadlockError|deadlock: a task still waits/],
  },
  {
    name: "Ctrl-C cancels main, which cleans up; run() throws KeyboardInterrupt",
    async main(asyncio) {
      const work = async () => {
        try {
          console.log("READY");
          await asyncio.sleep(60);
        } finally {
          await asyncio.sleep(0.01);
          console.log("cleaned");
        }
      };
      const error = await asyncio.run(work).catch((reason) => reason);
      console.log(error.name);
    },
    stdout: "cleaned\nKeyboardInterrupt\n",
  },
  {
    name: "a second Ctrl-C ends the process with 130, after saying what still runs",
    async main(asyncio) {
      await asyncio.run(function* stubborn() {
        for (;;) {
          try {
            console.log("READY");
            yield* asyncio.sleep(60);
          } catch {
            // It goes on, and what came within a tenth of a second would be the same signal.
            yield* asyncio.sleep(0.15);
          }
        }
      });
    },
    code: 130,
    stderr: [/Interrupted while these tasks were still running:\nTask 'Task-\d+' in stubborn\(\)/],
  },
  {
    name: "no handler of Ctrl-C is left behind when run() is through",
    async main(asyncio) {
      await asyncio.run(() => asyncio.sleep(0.001));
      console.log(process.listenerCount("SIGINT"), process.listenerCount("beforeExit"));
    },
    stdout: "0 0\n",
  },
  {
    name: "ASYNCIO_DEBUG switches debug mode on",
    async main(asyncio) {
      await asyncio.run(async () => console.log(asyncio.getRunningLoop().getDebug()));
    },
    env: { ASYNCIO_DEBUG: "1" },
    stdout: "true\n",
  },
  {
    name: "it takes no permission of the runtime",
    async main(asyncio) {
      console.log(await asyncio.run(() => asyncio.sleep(0.001, "slept")));
    },
    isBare: true,
    stdout: "slept\n",
  },
  {
    name: "an abandoned task and a failed one cause no unhandled rejection",
    async main(asyncio) {
      process.on("unhandledRejection", (reason) => console.log("unhandled", reason));
      asyncio.setLogger({ debug() {}, info() {}, warning() {}, error() {} });
      await asyncio.run(async () => {
        asyncio.createTask(async () => {
          throw new Error("failed");
        });
        asyncio.createTask(async () => await asyncio.sleep(60));
        await asyncio.sleep(0.001);
      });
      console.log("done");
    },
    stdout: "done\n",
  },
  {
    name: "in a worker thread: a result",
    main: () => runWorker("result"),
    stdout: "slept\n",
  },
  {
    name: "in a worker thread: a deadlock is an error",
    main: () => runWorker("deadlock"),
    stdout: "DeadlockError\n",
    cannot: { bun: "a worker has no 'beforeExit'", deno: "a worker has no 'beforeExit'" },
  },
];

/** Starts `worker.mjs`, whose output becomes this one's, and prints how it fails. */
async function runWorker(part) {
  const { Worker } = await import("node:worker_threads");
  const worker = new Worker(new URL("worker.mjs", import.meta.url), { workerData: part });
  worker.on("error", (error) => {
    console.log(/DeadlockError/.exec(`${error.name} ${error.stack}`)?.[0] ?? error);
  });
}
