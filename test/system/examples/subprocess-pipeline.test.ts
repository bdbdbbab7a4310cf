/** examples/subprocess-pipeline.mjs, and the guide docs/subprocesses.md. */

import { readdirSync, readFileSync } from "node:fs";
import * as asyncio from "asyncio-ts";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { build, IN_GOOD_ORDER, Program } from "./program.ts";

beforeAll(build);

const FILE = "examples/subprocess-pipeline.mjs";

interface Example {
  pipeline<T>(
    commands: readonly (readonly string[])[],
    source: Iterable<asyncio.Data> | AsyncIterable<asyncio.Data>,
    sink: (output: asyncio.StreamReader) => Promise<T>,
    started?: (children: readonly asyncio.Process[]) => void,
  ): Promise<T>;
}

async function importExample(): Promise<Example> {
  const url = new URL(`../../../${FILE}`, import.meta.url).href;
  return (await import(/* @vite-ignore */ url)) as Example;
}

const everything = async (output: asyncio.StreamReader): Promise<string> => String(await output.read());

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The children that a program says are running. */
async function childrenOf(program: Program): Promise<number[]> {
  const [line = ""] = await program.lines.until(/^running/);
  return line.split(" ").slice(1).map(Number);
}

describe.skipIf(process.platform === "win32")("the pipeline", () => {
  test("counts the words of a text", async () => {
    const program = new Program(FILE);
    expect(await childrenOf(program)).toHaveLength(5);
    const counts = (await program.lines.rest()).map((line) => line.trim().split(" ")[1]);
    expect(counts).toEqual(["await", "cancel", "gather"]);
    expect(await program.end()).toEqual(IN_GOOD_ORDER);
  });

  test("runs the programs it is given", async () => {
    const program = new Program(FILE, "head -2", "tr a-z A-Z", "cut -d_ -f1", "wc -l");
    await childrenOf(program);
    expect((await program.lines.rest()).map((line) => line.trim())).toEqual(["2"]);
    expect(await program.end()).toEqual(IN_GOOD_ORDER);
  });

  test("ends programs that would go on for ever when the last has read enough", async () => {
    const program = new Program(FILE, "yes", "cat", "head -2");
    const children = await childrenOf(program);
    expect(await program.lines.rest()).toEqual(["y", "y"]);
    expect(await program.end()).toEqual(IN_GOOD_ORDER);
    expect(children.filter((pid) => isThere(pid))).toEqual([]);
  });

  test("says which program failed, and kills the others", async () => {
    const program = new Program(FILE, "sleep 30", "ls /nowhere", "cat");
    const children = await childrenOf(program);
    expect(await program.lines.rest()).toEqual([]);
    const { code, errors } = await program.end();
    expect([code, errors]).toEqual([1, expect.stringMatching(/^ls \/nowhere: exit code \d+: .*nowhere.*\n$/)]);
    expect(children.filter((pid) => isThere(pid))).toEqual([]);
  });

  test("says that a program is not there, and kills those that run already", async () => {
    const program = new Program(FILE, "sleep 30", "no-such-program");
    expect(await program.lines.rest()).toEqual([]);
    expect(await program.end()).toEqual({ code: 1, errors: "spawn no-such-program ENOENT\n" });
  });

  test("kills all of them on Ctrl-C", async () => {
    const program = new Program(FILE, "sleep 30", "cat", "cat");
    const children = await childrenOf(program);
    expect(children.map((pid) => isThere(pid))).toEqual([true, true, true]);
    program.signal("SIGINT");
    expect(await program.lines.rest()).toEqual(["interrupted; all programs were killed"]);
    expect(await program.end()).toEqual({ code: 130, errors: "" });
    expect(children.filter((pid) => isThere(pid))).toEqual([]);
  });

  test("carries as much as one likes, from a source that is slowed down", async () => {
    const { pipeline } = await importExample();
    await asyncio.run(async () => {
      let given = 0;
      let most = 0;
      let taken = 0;
      const chunk = Buffer.alloc(100_000, "x");
      function* source(): Generator<asyncio.Data> {
        for (; given < 200; given++) {
          most = Math.max(most, given * chunk.length - taken);
          yield chunk;
        }
      }
      const sink = async (output: asyncio.StreamReader): Promise<void> => {
        for (let data = await output.read(65_536); data.length > 0; data = await output.read(65_536)) {
          taken += data.length;
          await asyncio.sleep(0);
        }
      };
      await pipeline([["cat"], ["cat"]], source(), sink);
      expect(taken).toBe(200 * chunk.length);
      expect(most).toBeLessThan(taken / 2);
    });
  });

  test("fails with what its source or its reader throws, and leaves no child", async () => {
    const { pipeline } = await importExample();
    const broken = new Error("broken");
    const fail = async (): Promise<never> => {
      throw broken;
    };
    async function* source(): AsyncGenerator<asyncio.Data> {
      yield "a\n";
      await fail();
    }
    await asyncio.run(async () => {
      for (const [from, sink] of [
        [source(), everything],
        [["a\n"], fail],
      ] as const) {
        let pids: number[] = [];
        const running = pipeline([["cat"], ["sleep", "30"]], from, sink, (children) => {
          pids = children.map(({ pid }) => pid);
        });
        await expect(running).rejects.toMatchObject({ exceptions: [broken] });
        expect([pids.length, pids.filter((pid) => isThere(pid))]).toEqual([2, []]);
      }
    });
  });

  test("cancelled at any time leaves no child", async () => {
    const { pipeline } = await importExample();
    for (const turns of [0, 1, 2, 5, 8, 10, 12, 15, 20, 40]) {
      await asyncio.run(async () => {
        let pids: number[] = [];
        const task = asyncio.createTask(() =>
          pipeline([["cat"], ["sleep", "30"]], ["a\n"], everything, (children) => {
            pids = children.map(({ pid }) => pid);
          }),
        );
        for (let i = 0; i < turns; i++) await asyncio.sleep(0);
        task.cancel();
        await asyncio.wait([task]);
        expect([task.cancelled(), pids.filter((pid) => isThere(pid))]).toEqual([true, []]);
      });
    }
  });
});

const folder = new URL("../../.generated/", import.meta.url);
const files = readdirSync(folder).filter((file) => file.startsWith("docs-subprocesses-"));

/** `console.log(...); // what it prints` */
const PROMISE = /console\.log\(.*\); \/\/ (.*)$/gm;

test.skipIf(process.platform === "win32").each(files)("%s prints what the guide promises", async (file) => {
  const url = new URL(file, folder);
  const promised = [...readFileSync(url, "utf8").matchAll(PROMISE)].map(([, text]) => text);
  const printed: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((...values: unknown[]) => {
    printed.push(values.join(" ").replaceAll("\n", "\\n"));
  });
  try {
    await import(/* @vite-ignore */ url.href);
  } finally {
    log.mockRestore();
  }
  expect(printed).toEqual(promised);
});
