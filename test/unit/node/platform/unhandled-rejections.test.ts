/** B2, H3: Node's policy for rejections that nobody handles stays Node's, and a cancellation is none of them. */

import { describe, expect, test } from "vitest";
import { runProgram } from "../../program.ts";

/** A rejection that nobody handles, while a loop runs. */
const stray = `
  async function startMetrics() { throw new Error("metrics: no such host"); }
  await asyncio.run(async () => { startMetrics(); await sleep(0.05); console.log("END"); });
`;

/** Two calls under way, awaited one after the other, of a task that is cancelled. */
const cancelled = `
  const load = async () => { await sleep(1); };
  const main = async () => {
    const task = asyncio.createTask(async () => {
      const a = load();
      const b = load();
      await a;
      await b;
    });
    await sleep(0);
    task.cancel();
    await asyncio.gather(task, { returnExceptions: true });
  };
`;

describe("B2: a stray rejection", () => {
  test.each([
    ["throw", 1, /^(?![^]*^END$)[^]*Error: metrics: no such host/m],
    ["warn", 0, /UnhandledPromiseRejectionWarning: Error: metrics: no such host[^]*END/],
    ["none", 0, /^END\n$/],
    ["strict", 1, /^(?![^]*^END$)[^]*Error: metrics: no such host/m],
    ["warn-with-error-code", 1, /UnhandledPromiseRejectionWarning: Error: metrics: no such host[^]*END/],
  ])("with --unhandled-rejections=%s is Node's, as without a loop", async (mode, code, output) => {
    const result = await runProgram(stray, [`--unhandled-rejections=${mode}`]);
    expect(result.output).toMatch(output);
    expect(result.code).toBe(code);
    if (mode === "warn") expect(result.output.match(/Warning: Error: metrics/g)).toHaveLength(1);
  });

  test("has its origin in uncaughtException, and each of five is told (H3)", async () => {
    const { output, code } = await runProgram(`
      process.on("uncaughtException", (error, origin) => console.log(origin, error.message));
      await asyncio.run(async () => {
        for (let i = 0; i < 5; i++) void Promise.reject(new Error("stray " + i));
        await sleep(0.01);
      });
    `);
    expect(output).toBe([0, 1, 2, 3, 4].map((i) => `unhandledRejection stray ${i}\n`).join(""));
    expect(code).toBe(0);
  });

  test("of undefined says that it is one", async () => {
    const { output } = await runProgram(`
      process.on("uncaughtException", (error) => console.log(error.code));
      await asyncio.run(async () => { void Promise.reject(undefined); await sleep(0.01); });
    `);
    expect(output).toBe("ERR_UNHANDLED_REJECTION\n");
  });

  test("goes to the application's listener, once, with its promise", async () => {
    const { output, code } = await runProgram(`
      let own;
      process.on("unhandledRejection", (reason, promise) => console.log(reason.message, promise === own));
      await asyncio.run(async () => { own = Promise.reject(new Error("stray")); await sleep(0.01); });
    `);
    expect(output).toBe("stray true\n");
    expect(code).toBe(0);
  });

  test("is heard in the moment when the loop ends", async () => {
    const { output, code } = await runProgram(`
      await asyncio.run(async () => { void Promise.reject(new Error("at the end")); });
      await new Promise((resolve) => setTimeout(resolve, 60_000)); // the process ends before
      console.log("not reached");
    `);
    expect(output).toContain("Error: at the end");
    expect(output).not.toContain("not reached");
    expect(code).toBe(1);
  });

  test("in the same moment as a cancellation is told, and the cancellation is not", async () => {
    const { output } = await runProgram(`${cancelled}
      process.on("uncaughtException", (error) => console.log(error.message));
      await asyncio.run(async () => { void Promise.reject(new Error("stray")); await main(); await sleep(0.01); });
    `);
    expect(output).toBe("stray\n");
  });
});

describe("a cancellation that nobody awaits any more", () => {
  test("is no failure, on the platform's host", async () => {
    expect(await runProgram(`${cancelled}\nawait asyncio.run(main);\nconsole.log("END");`)).toEqual({
      code: 0,
      output: "END\n",
    });
  });

  test("is no failure on a virtual clock (H3)", async () => {
    const program = `${cancelled}
      const { VirtualHost } = await import("asyncio-ts/testing");
      await asyncio.run(main, { loopFactory: () => new asyncio.BaseEventLoop(new VirtualHost()) });
      console.log("END");
    `;
    expect(await runProgram(program)).toEqual({ code: 0, output: "END\n" });
  });

  test("comes to a listener of the application's, which can tell it from a failure (B3)", async () => {
    const { output } = await runProgram(`${cancelled}
      process.on("unhandledRejection", (reason) => console.log(asyncio.isCancelled(reason)));
      await asyncio.run(main);
    `);
    expect(output).toBe("true\n");
  });

  test("is no listener's that stays: the process is as it was when the loops have ended", async () => {
    const { output } = await runProgram(`
      await Promise.all([asyncio.run(() => sleep(0.01)), asyncio.run(() => sleep(0.02))]);
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
      console.log(process.listenerCount("unhandledRejection"));
    `);
    expect(output).toBe("0\n");
  });
});

describe("B1: nothing of the user's runs inside of a probe", () => {
  test.each([
    ["an async function that throws", `(async () => { throw new Error("own") })();`],
    ["a tick that throws", `process.nextTick(() => { throw new Error("own"); });`],
    [
      "a stream destroyed without a listener",
      `const { Readable } = await import("node:stream"); new Readable({ read() {} }).destroy(new Error("own"));`,
    ],
  ])("%s before the first drain ends the process as Node does", async (_name, code) => {
    const { output, code: status } = await runProgram(`
      await asyncio.run(async () => { ${code} await sleep(0.05); console.log("END"); });
    `);
    expect(output).toContain("Error: own");
    expect(output).not.toMatch(/^END$/m);
    expect(status).toBe(1);
  });
});
