/** What the library listens to in its process: rejections, warnings and the end. */

import { describe, expect, test } from "vitest";
import { runProgram } from "../../program.ts";

describe("a process", () => {
  // CPython has no such promise: a CancelledError that nobody awaits is nobody's failure and is never reported.
  test("does not die of the CancelledError of a bare async call when the program ends", async () => {
    const { code, output } = await runProgram(`
      async function background() { for (;;) await sleep(1); }
      await asyncio.run(async () => { void background(); await sleep(0); });
      console.log("the end");
    `);
    expect(output).toBe("the end\n");
    expect(code).toBe(0);
  });

  test("does not die of two calls under way, awaited one after the other, when their task is cancelled", async () => {
    const { code, output } = await runProgram(`
      const load = async (value) => { await sleep(1); return value; };
      await asyncio.run(async () => {
        const task = asyncio.createTask(async () => {
          const a = load(1);
          const b = load(2);
          return (await a) + (await b);
        });
        await sleep(0);
        task.cancel();
        await asyncio.gather(task, { returnExceptions: true });
      });
      console.log("the end");
    `);
    expect(output).toBe("the end\n");
    expect(code).toBe(0);
  });

  test("may run a dozen loops side by side, and a dozen tasks on one signal, without a warning", async () => {
    const { output } = await runProgram(`
      await Promise.all(Array.from({ length: 12 }, () => asyncio.run(() => sleep(0.001))));
      const { signal } = new AbortController();
      await asyncio.run(async () => {
        await asyncio.gather(Array.from({ length: 12 }, () => asyncio.createTask(() => sleep(0), { signal })));
      });
    `);
    expect(output).toBe("");
  });

  test("E6: finds no deadlock where another listener of beforeExit gives the process work", async () => {
    const { output } = await runProgram(`
      let future;
      process.once("beforeExit", () => setTimeout(() => future.setResult("woken"), 1));
      console.log(await asyncio.run(async () => {
        future = asyncio.getRunningLoop().createFuture();
        return await future;
      }));
    `);
    expect(output).toBe("woken\n");
  });

  // The timer of such a signal does not keep the process.
  test.each([
    ["createTask", "await asyncio.createTask(() => never, { signal });", ""],
    ["run", "await never;", ", { signal }"],
  ])("E6: finds no deadlock where AbortSignal.timeout() ends a wait: %s", async (_name, body, options) => {
    const { code, output } = await runProgram(`
      const signal = AbortSignal.timeout(20);
      const program = asyncio.run(async () => {
        const never = asyncio.getRunningLoop().createFuture();
        ${body}
      }${options});
      await program.catch((error) => console.log(error.name, error.cause.name));
    `);
    expect([code, output]).toEqual([0, "CancelledError TimeoutError\n"]);
  });

  test("E6: finds a deadlock where the signal has come and was ignored", async () => {
    const { output } = await runProgram(`
      const program = asyncio.run(async () => {
        const never = asyncio.getRunningLoop().createFuture();
        const task = asyncio.createTask(async () => {
          try { await never; } catch { await asyncio.getRunningLoop().createFuture(); }
        }, { signal: AbortSignal.timeout(20) });
        await task;
      });
      await program.catch((error) => console.log(error.name));
    `);
    expect(output).toBe("DeadlockError\n");
  });

  // The loop that waits for the other is woken by the other's DeadlockError, so it is no deadlock.
  test("finds the deadlock of one loop and not of the one that waits for it", async () => {
    const { output } = await runProgram(`
      let second;
      const first = asyncio.run(async () => {
        await sleep(0.001);
        try { await asyncio.fromPromise(second); } catch (error) { return "told of " + error.name; }
      }).catch((error) => "rejected with " + error.name);
      second = asyncio.run(async () => { await asyncio.getRunningLoop().createFuture(); });
      console.log(await first);
    `);
    expect(output).toContain("told of DeadlockError");
  });
});
