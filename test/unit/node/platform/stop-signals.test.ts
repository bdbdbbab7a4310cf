/** E3, E4, E5, G3: signals that ask a program to stop, in processes of their own. */

import type { ChildProcess } from "node:child_process";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { talkToProgram as program } from "../../program.ts";

const send =
  (signal: NodeJS.Signals) =>
  (child: ChildProcess): void =>
    void child.kill(signal);

/** A program that waits until it is told to stop, and cleans up. */
const server = (options: string, before = ""): string => `
  ${before}
  await asyncio.run(async () => {
    try {
      console.log("READY");
      await sleep(Infinity);
    } finally {
      await sleep(0.01);
      console.log("cleaned");
    }
  }, ${options});
`;

describe.skipIf(process.platform === "win32")("run(main, { signals })", () => {
  test.each([
    ["SIGINT", "{}", 130],
    ["SIGINT", `{ signals: ["SIGINT", "SIGTERM"] }`, 130],
    ["SIGTERM", `{ signals: ["SIGINT", "SIGTERM"] }`, 143],
    ["SIGHUP", `{ signals: ["SIGHUP"] }`, 129],
  ] as const)(
    "G3: %s cancels main with %s, and the process ends with %i and no stack",
    async (signal, options, end) => {
      const ended = await program(server(options), send(signal));
      expect(ended).toEqual({ lines: ["cleaned"], end, errors: "" });
    },
  );

  test.each([
    ["SIGTERM", "{}"],
    ["SIGINT", "{ signals: false }"],
    ["SIGINT", `{ signals: ["SIGTERM"] }`],
  ] as const)("%s is the system's with %s: the process ends at once", async (signal, options) => {
    const ended = await program(server(options), send(signal));
    expect(ended).toEqual({ lines: [], end: signal, errors: "" });
  });

  test("a program that catches KeyboardInterrupt goes on, and ends in peace", async () => {
    const caught = `try { ${server(`{ signals: ["SIGTERM"] }`)} } catch (error) { console.log(error.name, error.message); }`;
    const ended = await program(caught, send("SIGTERM"));
    expect(ended).toEqual({ lines: ["cleaned", "KeyboardInterrupt SIGTERM"], end: 0, errors: "" });
  });

  test("an uncaughtException handler of the application's gets the error", async () => {
    const before = `process.on("uncaughtException", (error) => console.log("own", error.name));`;
    const ended = await program(server("{}", before), send("SIGINT"));
    expect(ended).toEqual({ lines: ["cleaned", "own KeyboardInterrupt"], end: 0, errors: "" });
  });

  test("the same in a program that does not await run()", async () => {
    const ended = await program(server("{}").replace("await asyncio.run", "asyncio.run"), send("SIGINT"));
    expect(ended).toEqual({ lines: ["cleaned"], end: 130, errors: "" });
  });

  test("a runner has the option too", async () => {
    const code = `
      const runner = new asyncio.Runner({ signals: ["SIGTERM"] });
      try {
        await runner.run(async () => { console.log("READY"); await sleep(Infinity); });
      } finally {
        await runner.close();
      }
    `;
    expect(await program(code, send("SIGTERM"))).toEqual({ lines: [], end: 143, errors: "" });
  });

  test("what are no names of signals is refused", async () => {
    for (const signals of ["SIGINT", ["SIGNONE"], [2], true, {}] as never[]) {
      await expect(asyncio.run(async () => 1, { signals })).rejects.toThrow(/signals: expected names such as/);
    }
  });
});

describe.skipIf(process.platform === "win32")("E5: a handler of the application's own", () => {
  const own = (when: string): string => `
    ${when === "before" ? `process.on("SIGINT", () => console.log("own"));` : ""}
    await asyncio.run(async () => {
      ${when === "during" ? `process.on("SIGINT", () => console.log("own"));` : ""}
      const done = new asyncio.Event();
      const port = setInterval(() => {}, 60_000); // a server of the application's own
      process.on("SIGINT", () => (clearInterval(port), done.set()));
      console.log("READY");
      await done.wait();
      console.log("answered");
    });
  `;

  test.each(["before", "during"])("that was added %s the run has the signal for itself", async (when) => {
    expect(await program(own(when), send("SIGINT"))).toEqual({ lines: ["own", "answered"], end: 0, errors: "" });
  });

  test("that is removed gives Ctrl-C back to run()", async () => {
    const code = `
      const own = () => {};
      process.on("SIGINT", own);
      await asyncio.run(async () => {
        process.off("SIGINT", own);
        console.log("READY");
        await sleep(Infinity);
      });
    `;
    expect(await program(code, send("SIGINT"))).toMatchObject({ end: 130 });
  });

  test("beside signals that were named: both hear", async () => {
    const ended = await program(
      server(`{ signals: ["SIGINT"] }`, `process.on("SIGINT", () => console.log("own"));`),
      send("SIGINT"),
    );
    expect(ended).toEqual({ lines: ["own", "cleaned"], end: 130, errors: "" });
  });

  test("and the process has no listener of ours left after the run", async () => {
    const code = `
      const count = () => ["SIGINT", "SIGTERM", "newListener", "removeListener"].map((name) => process.listenerCount(name)).join();
      const before = count();
      await asyncio.run(async () => {}, { signals: ["SIGINT", "SIGTERM"] });
      await asyncio.run(async () => {});
      console.log(before === count());
    `;
    expect(await program(code, () => {})).toMatchObject({ lines: ["true"], end: 0 });
  });
});

describe.skipIf(process.platform === "win32")("E3, E4: two signals, and signals in a bad moment", () => {
  test("E4: one that comes twice within a moment is one", async () => {
    const ended = await program(server("{}"), (child) => {
      child.kill("SIGINT");
      child.kill("SIGINT");
      child.kill("SIGINT");
    });
    expect(ended).toEqual({ lines: ["cleaned"], end: 130, errors: "" });
  });

  test("a second one, later, ends the process after saying what still runs", async () => {
    const code = `
      await asyncio.run(async () => {
        try {
          console.log("READY");
          await sleep(Infinity);
        } finally {
          const start = performance.now();
          while (performance.now() - start < 200);
          await sleep(0);
          console.log("READY");
          await sleep(Infinity);
        }
      });
    `;
    const ended = await program(code, send("SIGINT"));
    expect(ended.end).toBe(130);
    expect(ended.errors).toContain("Interrupted while these tasks were still running:");
  });

  test.each([
    ["", "its last synchronous stretch"],
    [
      "asyncio.createTask(async () => { try { await sleep(9); } finally { await sleep(0.01); console.log('cleaned'); } }); await sleep(0);",
      "the same, with a task left",
    ],
  ])("E3: the first one in main's last synchronous stretch cleans up, and raises", async (before) => {
    const code = `
      try {
        await asyncio.run(async () => {
          ${before}
          process.kill(process.pid, "SIGINT");
          const start = performance.now();
          while (performance.now() - start < 50);
        });
      } catch (error) {
        console.log(error.name);
      }
    `;
    const ended = await program(code, () => {});
    expect(ended).toEqual({ lines: [...(before === "" ? [] : ["cleaned"]), "KeyboardInterrupt"], end: 0, errors: "" });
  });
});
