/** Signals of the system: handlers that replace others, throw, outlive nothing, and keep a loop waiting. */

import type { ChildProcess } from "node:child_process";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { run, soon, until } from "../../../system/hostile/support.ts";
import { talkToProgram as program } from "../../program.ts";

const kill = (signal: NodeJS.Signals): true => process.kill(process.pid, signal);

describe.skipIf(process.platform === "win32")("addSignalHandler", () => {
  test("for SIGINT replaces what run() does: the program goes on", async () => {
    const ended = await program(
      `
      await asyncio.run(async () => {
        const loop = asyncio.getRunningLoop();
        let count = 0;
        const twice = new asyncio.Event();
        loop.addSignalHandler("SIGINT", () => {
          console.log("caught", ++count);
          if (count === 2) twice.set();
          else console.log("READY");
        });
        console.log("READY");
        await twice.wait();
        console.log("ends by itself");
      });
    `,
      (child) => child.kill("SIGINT"),
    );
    expect(ended).toEqual({ end: 0, lines: ["caught 1", "caught 2", "ends by itself"], errors: "" });
  });

  test("for SIGINT and then removed: run() cancels its main task again", async () => {
    const ended = await program(
      `
      const error = await asyncio.run(async () => {
        const loop = asyncio.getRunningLoop();
        loop.addSignalHandler("SIGINT", () => {
          console.log("caught", loop.removeSignalHandler("SIGINT"));
          console.log("READY");
        });
        console.log("READY");
        await sleep(60);
      }).catch((error) => error);
      console.log(error.name);
    `,
      (child) => child.kill("SIGINT"),
    );
    expect(ended).toEqual({ end: 0, lines: ["caught true", "KeyboardInterrupt"], errors: "" });
  });

  test("for SIGTERM ends a program gracefully, and without it the system ends it", async () => {
    const body = `
      await asyncio.run(async () => {
        const task = asyncio.currentTask();
        if (HANDLED) asyncio.getRunningLoop().addSignalHandler("SIGTERM", () => task.cancel());
        try {
          console.log("READY");
          await sleep(60);
        } finally {
          await sleep(0.001);
          console.log("cleaned up");
        }
      }).catch((error) => console.log(error.name));
    `;
    const terminate = (child: ChildProcess): void => void child.kill("SIGTERM");
    const graceful = await program(body.replace("HANDLED", "true"), terminate);
    expect(graceful).toEqual({ end: 0, lines: ["cleaned up", "CancelledError"], errors: "" });
    const sudden = await program(body.replace("HANDLED", "false"), terminate);
    expect(sudden).toEqual({ end: "SIGTERM", lines: [], errors: "" });
  });

  test("keeps a loop waiting that has nothing else to wait for; removed, that is a deadlock", async () => {
    const ended = await program(
      `
      const error = await asyncio.run(async () => {
        const loop = asyncio.getRunningLoop();
        const caught = new asyncio.Event();
        loop.addSignalHandler("SIGUSR2", () => caught.set());
        // Nothing but the handler can wake the loop now.
        setTimeout(() => console.log("READY"), 1);
        await caught.wait();
        console.log("caught");
        loop.removeSignalHandler("SIGUSR2");
        await loop.createFuture();
      }).catch((error) => error);
      console.log(error.name);
    `,
      (child) => child.kill("SIGUSR2"),
    );
    expect(ended).toEqual({ end: 0, lines: ["caught", "DeadlockError"], errors: "" });
  });

  test("does not keep a process alive when its loop is over", async () => {
    const ended = await program(
      `
      await asyncio.run(async () => {
        asyncio.getRunningLoop().addSignalHandler("SIGUSR2", () => {});
      });
      console.log("over");
    `,
      () => {},
    );
    expect(ended).toEqual({ end: 0, lines: ["over"], errors: "" });
  });

  test("removed at the loop's close: the signal does again what it does by itself", async () => {
    const ended = await program(
      `
      await asyncio.run(async () => {
        asyncio.getRunningLoop().addSignalHandler("SIGUSR2", () => console.log("not any more"));
      });
      setTimeout(() => {}, 60_000);
      console.log("READY");
    `,
      (child) => child.kill("SIGUSR2"),
    );
    expect(ended).toEqual({ end: "SIGUSR2", lines: [], errors: "" });
  });

  test("that throws is reported, and the handler stays", async () => {
    const broken = new Error("broken");
    const { reports } = await run(async ({ loop }) => {
      let count = 0;
      loop.addSignalHandler("SIGUSR2", () => {
        count++;
        throw broken;
      });
      kill("SIGUSR2");
      await until(() => count === 1);
      kill("SIGUSR2");
      await until(() => count === 2);
    });
    expect(reports.map(({ exception }) => exception)).toEqual([broken, broken]);
  });

  test("many times over leaves one listener, and none at the end", async () => {
    const before = process.listenerCount("SIGUSR2");
    const warnings: unknown[] = [];
    const warned = (warning: Error): void => void warnings.push(warning);
    process.on("warning", warned);
    await run(async ({ loop }) => {
      let last = -1;
      for (let i = 0; i < 50; i++) {
        loop.addSignalHandler("SIGUSR2", () => {
          last = i;
        });
      }
      expect(process.listenerCount("SIGUSR2")).toBe(before + 1);
      kill("SIGUSR2");
      await until(() => last >= 0);
      expect(last).toBe(49);
    });
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", warned);
    expect([process.listenerCount("SIGUSR2"), warnings]).toEqual([before, []]);
  });

  test("several signals are several handlers", async () => {
    await run(async ({ loop }) => {
      const heard: string[] = [];
      for (const signal of ["SIGUSR2", "SIGHUP"] as const)
        loop.addSignalHandler(signal, (name: string) => heard.push(name), signal);
      kill("SIGHUP");
      await until(() => heard.length === 1);
      kill("SIGUSR2");
      await until(() => heard.length === 2);
      expect(heard).toEqual(["SIGHUP", "SIGUSR2"]);
    });
  });

  test("two loops hear the same signal, each in a turn of its own", async () => {
    const heard: string[] = [];
    const listen = (name: string): Promise<void> =>
      asyncio.run(async () => {
        const loop = asyncio.getRunningLoop();
        const caught = new asyncio.Event();
        loop.addSignalHandler("SIGUSR2", () => {
          heard.push(name);
          caught.set();
        });
        await soon(caught.wait());
      });
    const before = process.listenerCount("SIGUSR2");
    const both = Promise.all([listen("a"), listen("b")]);
    while (process.listenerCount("SIGUSR2") < before + 2) await new Promise((resolve) => setImmediate(resolve));
    kill("SIGUSR2");
    await both;
    expect(heard.toSorted()).toEqual(["a", "b"]);
  });

  test("its function starts a task, which can be awaited", async () => {
    await run(async ({ loop }) => {
      const results = new asyncio.Queue<string>();
      const work = asyncio.coroutine(async () => {
        await asyncio.sleep(0);
        results.putNowait("done");
      });
      loop.addSignalHandler("SIGUSR2", () => void loop.createTask(work()));
      kill("SIGUSR2");
      expect(await soon(results.get())).toBe("done");
    });
  });

  test("of a loop that is closed is refused", async () => {
    const loop = asyncio.newEventLoop();
    loop.close();
    const before = process.listenerCount("SIGUSR2");
    expect(() => loop.addSignalHandler("SIGUSR2", () => {})).toThrow(asyncio.RuntimeError);
    expect(process.listenerCount("SIGUSR2")).toBe(before);
  });
});
