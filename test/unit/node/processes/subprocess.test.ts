/** Subprocesses that are late, loud, deaf, dead or cancelled: no child, no pipe and no output is left over or lost. */

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import type { AddressInfo, Server, Socket } from "node:net";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import * as asyncio from "asyncio-ts";
import { describe, expect, onTestFinished, test } from "vitest";
import type { World } from "../../../system/hostile/support.ts";
import { outcome, run, soon, until } from "../../../system/hostile/support.ts";

const { createSubprocessExec, createSubprocessShell, createTask, DEVNULL, PIPE, sleep, STDOUT } = asyncio;
const { SIGKILL } = constants.signals;

/** All streams are pipes. */
const pipes = { stdin: PIPE, stdout: PIPE, stderr: PIPE } as const;
/** Only the output is read. */
const output = { stdin: DEVNULL, stdout: PIPE, stderr: DEVNULL } as const;

const isCancelled = expect.any(asyncio.CancelledError) as unknown;

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The state of a process as `ps` shows it, such as S for one that waits or Z for one that is dead; empty if it is gone. */
function stateOf(pid: number): string {
  return spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).stdout.slice(0, 1);
}

/** The numbers of this process's children, with those that are dead and that nobody has asked about. */
function children(): number[] {
  const { stdout } = spawnSync("pgrep", ["-P", String(process.pid)], { encoding: "utf8" });
  return stdout.split("\n").filter(Boolean).map(Number);
}

/** Pipes and processes that Node.js has open. */
function held(): number {
  return process.getActiveResourcesInfo().filter((name) => /Pipe|Process/.test(name)).length;
}

/** Runs `main` on the real loop. Nothing may be reported, logged, or left over. */
async function clean(main: (world: World) => Promise<void>): Promise<void> {
  const before = { held: held(), children: children() };
  const { reports, log } = await run(main);
  expect([reports, log]).toEqual([[], []]);
  for (let i = 0; i < 60_000 && held() > before.held; i++) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(held()).toBeLessThanOrEqual(before.held); // fewer, if what a test before had closed has gone meanwhile
  expect(children()).toEqual(before.children);
}

/** A folder that lives as long as the test. */
function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "asyncio-ts-")));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe.skipIf(process.platform === "win32")("subprocesses", () => {
  describe("createSubprocessExec, cancelled", () => {
    const stderrs = [
      { name: "a pipe", stderr: PIPE },
      { name: "with the output", stderr: STDOUT },
    ];
    const moments = stderrs.flatMap((one) => Array.from({ length: 10 }, (_, turns) => ({ ...one, turns })));

    test.each(moments)("after $turns turns leaves no child and no pipe; errors: $name", async ({ turns, stderr }) => {
      await clean(async () => {
        const before = children();
        const task = createTask(createSubprocessExec("sleep", ["30"], { ...pipes, stderr }));
        for (let i = 0; i < turns; i++) await sleep(0);
        if (task.cancel()) {
          expect(await outcome(task)).toEqual(isCancelled);
          expect(children()).toEqual(before);
          return;
        }
        const child = task.result();
        child.kill();
        await soon(child.communicate());
      });
    });

    test("twice does, too", async () => {
      const before = children();
      for (let turns = 0; turns < 8; turns++) {
        await clean(async () => {
          const task = createTask(createSubprocessExec("sleep", ["30"], pipes));
          for (let i = 0; i < turns && !task.done(); i++) await sleep(0);
          if (!task.cancel()) task.result().kill();
          await sleep(0);
          task.cancel();
          await outcome(task);
          if (!task.cancelled()) await soon(task.result().communicate());
          await until(() => children().length === before.length);
        });
      }
    });

    test("as the child ends leaves nothing", async () => {
      for (let turns = 1; turns < 8; turns++) {
        await clean(async () => {
          const task = createTask(createSubprocessExec("true", [], pipes));
          for (let i = 0; i < turns; i++) await sleep(0);
          for (const pid of children()) while (stateOf(pid) !== "Z");
          task.cancel();
          const result = await outcome(task);
          if (result instanceof asyncio.Process) await soon(result.communicate());
        });
      }
    });
  });

  describe("a child that has ended", () => {
    const moments = Array.from({ length: 8 }, (_, turns) => ({ turns }));

    test.each(moments)("$turns turns after it was asked for: its output and its code are there", async ({ turns }) => {
      await clean(async () => {
        const task = createTask(createSubprocessShell("printf hello; printf oh >&2; exit 3", pipes));
        for (let i = 0; i < turns; i++) await sleep(0);
        for (const pid of children()) while (stateOf(pid) !== "Z");
        const child = await soon(task);
        const { stdout, stderr } = await soon(child.communicate("nobody reads it"));
        expect([String(stdout), String(stderr), child.returncode]).toEqual(["hello", "oh", 3]);
      });
    });

    test("its output is there as long as one likes, for who reads slowly", async () => {
      await clean(async () => {
        const child = await soon(createSubprocessShell("seq 30000", { ...output, limit: 16 }));
        await sleep(0);
        let count = 0;
        for await (const _ of child.stdout!) {
          if (++count < 100) await sleep(0);
        }
        expect([count, await soon(child.wait())]).toEqual([30_000, 0]);
      });
    });

    test("and was waited for is nothing to complain of when the loop is closed", async () => {
      for (let i = 0; i < 5; i++) {
        await clean(async () => {
          const child = await soon(createSubprocessExec("sleep", ["30"], pipes));
          child.kill();
          await soon(child.wait());
        });
      }
    });

    test("cannot be signalled", async () => {
      await clean(async () => {
        const child = await soon(createSubprocessExec("true", [], output));
        await soon(child.communicate());
        await until(() => child.stdout!.atEof());
        await sleep(0);
        expect(() => child.kill()).toThrow(asyncio.ProcessLookupError);
        expect(() => child.terminate()).toThrow(asyncio.ProcessLookupError);
        expect(() => child.sendSignal("SIGHUP")).toThrow(asyncio.ProcessLookupError);
      });
    });

    test.each([0, 1, 127, 255])("tells its exit code %d", async (code) => {
      await clean(async () => {
        const child = await soon(createSubprocessShell(`exit ${code}`, output));
        expect(await soon(child.wait())).toBe(code);
      });
    });

    test.each(["SIGKILL", "SIGTERM", "SIGSEGV", "SIGUSR1"] as const)("by %s tells so", async (signal) => {
      await clean(async () => {
        const child = await soon(createSubprocessShell(`printf before; kill -${signal.slice(3)} $$`, output));
        const { stdout } = await soon(child.communicate());
        expect([String(stdout), child.returncode]).toEqual(["before", -constants.signals[signal]]);
      });
    });
  });

  describe("communicate, cancelled", () => {
    const commands = ["sleep 30", "cat", "yes", "sleep 30 0<&-", "sleep 30 1>&- 2>&-"];

    test.each(commands)("kills `%s`, and leaves no child and no pipe", async (command) => {
      for (const turns of [0, 1, 3, 20]) {
        await clean(async () => {
          const child = await soon(createSubprocessShell(`trap '' TERM INT; exec ${command}`, pipes));
          const task = createTask(child.communicate(new Uint8Array(1_000_000)));
          for (let i = 0; i < turns; i++) await sleep(0);
          expect(task.cancel()).toBe(true);
          expect(await outcome(task)).toEqual(isCancelled);
          if (turns > 0) expect([isThere(child.pid), child.returncode]).toEqual([false, -SIGKILL]);
          else child.kill();
          await soon(child.communicate());
        });
      }
    });

    test("by a deadline does, too", async () => {
      await clean(async () => {
        const child = await soon(createSubprocessExec("sleep", ["30"], pipes));
        expect(await outcome(asyncio.waitFor(child.communicate(), 0.01))).toBeInstanceOf(asyncio.TimeoutError);
        expect([isThere(child.pid), child.returncode]).toEqual([false, -SIGKILL]);
      });
    });

    test("twice kills the child all the same", async () => {
      await clean(async () => {
        const child = await soon(createSubprocessExec("sleep", ["30"], pipes));
        const task = createTask(child.communicate());
        await sleep(0);
        task.cancel();
        await sleep(0);
        await sleep(0);
        task.cancel();
        expect(await outcome(task)).toEqual(isCancelled);
        expect(await soon(child.wait())).toBe(-SIGKILL);
        expect(isThere(child.pid)).toBe(false);
      });
    });

    test("at the instant of the end: there is a result, or it is cancelled, and the child is gone", async () => {
      for (let turns = 0; turns < 10; turns++) {
        await clean(async () => {
          const child = await soon(createSubprocessExec("cat", [], pipes));
          const task = createTask(child.communicate("hello"));
          await sleep(0);
          while (stateOf(child.pid) !== "Z" && !task.done() && children().includes(child.pid)) await sleep(0);
          for (let i = 0; i < turns; i++) await sleep(0);
          task.cancel();
          const result = await outcome(task);
          if (task.cancelled()) expect(result).toEqual(isCancelled);
          else expect(result).toMatchObject({ stdout: Buffer.from("hello") });
          expect(isThere(child.pid)).toBe(false);
        });
      }
    });

    test("lets go of a pipe that a grandchild holds", async () => {
      await clean(async () => {
        const child = await soon(createSubprocessShell("sleep 30 & echo $!; wait", pipes));
        const grandchild = Number(String(await soon(child.stdout!.readline())));
        try {
          const task = createTask(child.communicate());
          await sleep(0);
          task.cancel();
          expect(await outcome(task)).toEqual(isCancelled);
          expect([isThere(child.pid), isThere(grandchild)]).toEqual([false, true]);
        } finally {
          process.kill(grandchild, "SIGKILL");
        }
      });
    });
  });

  describe("a child that", () => {
    test("never reads holds back who writes: drain() waits, and little more than the limit is kept", async () => {
      await clean(async () => {
        const child = await soon(createSubprocessExec("sleep", ["30"], pipes));
        const chunk = new Uint8Array(100_000);
        let written = 0;
        const writing = createTask(async () => {
          for (; written < 1000; written++) {
            child.stdin!.write(chunk);
            await child.stdin!.drain();
          }
        });
        await until(() => child.stdin!.transport.getWriteBufferSize() > 0);
        for (let i = 0; i < 100; i++) await sleep(0);
        expect(written).toBeLessThan(100);
        expect(child.stdin!.transport.getWriteBufferSize()).toBeLessThanOrEqual(65_536 + chunk.length);
        child.kill();
        expect(await outcome(writing)).toMatchObject({ code: expect.stringMatching(/EPIPE|ECONNRESET/) as unknown });
        await soon(child.communicate());
      });
    });

    test("floods its output is held back when nobody reads", async () => {
      await clean(async () => {
        const size = 20_000_000;
        const child = await soon(createSubprocessExec("head", ["-c", String(size), "/dev/zero"], output));
        await until(() => stateOf(child.pid) === "S");
        const before = process.memoryUsage().arrayBuffers;
        for (let i = 0; i < 1000; i++) await sleep(0);
        expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(size / 10);
        await until(() => stateOf(child.pid) === "S");
        expect(child.returncode).toBeNull();
        const { stdout } = await soon(child.communicate());
        expect([stdout!.length, child.returncode]).toEqual([size, 0]);
      });
    });

    test("has ended, and whose grandchild floods: it is held back, too", async () => {
      await clean(async () => {
        const size = 20_000_000;
        const flood = `echo $$; exec head -c ${size} /dev/zero`;
        const child = await soon(createSubprocessShell(`sh -c '${flood}' &`, output));
        const grandchild = Number(String(await soon(child.stdout!.readline())));
        expect(await soon(child.wait())).toBe(0);
        for (let i = 0; i < 1000; i++) await sleep(0);
        await until(() => stateOf(grandchild) === "S");
        expect((await soon(child.stdout!.read())).length).toBe(size);
      });
    });

    test("closes its input early is no error for communicate()", async () => {
      await clean(async () => {
        const child = await soon(createSubprocessShell("exec 0<&-; printf closed; exit 5", pipes));
        const { stdout } = await soon(child.communicate(new Uint8Array(5_000_000)));
        expect([String(stdout), child.returncode]).toEqual(["closed", 5]);
      });
    });

    test("closes its output early goes on running", async () => {
      await clean(async () => {
        const child = await soon(createSubprocessShell("printf bye; exec 1>&- 2>&-; read line; exit 5", pipes));
        expect(String(await soon(child.stdout!.read()))).toBe("bye");
        expect(child.returncode).toBe(null);
        child.stdin!.write("go\n");
        expect(await soon(child.wait())).toBe(5);
      });
    });

    test("has a grandchild which holds its output: wait() does not wait for that, and communicate() does", async () => {
      await clean(async () => {
        const child = await soon(createSubprocessShell("sleep 30 & echo $!; exit 4", output));
        const grandchild = Number(String(await soon(child.stdout!.readline())));
        expect(await soon(child.wait())).toBe(4);
        const rest = createTask(child.communicate());
        for (let i = 0; i < 20; i++) await sleep(0);
        expect([rest.done(), child.stdout!.atEof()]).toEqual([false, false]);
        process.kill(grandchild, "SIGKILL");
        expect((await soon(rest)).stdout?.length).toBe(0);
      });
    });

    test("writes a line longer than the limit: an error, and the rest can be read", async () => {
      await clean(async () => {
        const child = await soon(createSubprocessShell("seq -s '' 1000; echo end", { ...output, limit: 64 }));
        expect(await outcome(child.stdout!.readline())).toBeInstanceOf(RangeError);
        expect(String((await soon(child.communicate())).stdout)).toMatch(/end\n$/);
      });
    });

    test("writes to both of its outputs at once loses nothing", async () => {
      await clean(async () => {
        const child = await soon(createSubprocessShell("head -c 1000000 /dev/zero | tee /proc/self/fd/2", pipes));
        await soon(child.communicate());
        const both = await soon(createSubprocessShell("seq 50000 & seq 50000 >&2; wait", pipes));
        const { stdout, stderr } = await soon(both.communicate());
        expect(String(stdout)).toBe(String(stderr));
        expect(String(stdout).split("\n").length).toBe(50_001);
      });
    });
  });

  test("errors with the output keep the order in which they were written", async () => {
    await clean(async () => {
      const line = 'for i in 1 2 3 4 5; do printf "o$i"; printf "e$i" >&2; done; exit 1';
      const child = await soon(createSubprocessShell(line, { ...output, stderr: STDOUT }));
      expect(child.stderr).toBe(null);
      const { stdout, stderr } = await soon(child.communicate());
      expect([String(stdout), stderr, child.returncode]).toEqual(["o1e1o2e2o3e3o4e4o5e5", null, 1]);
      const dropped = await soon(createSubprocessShell(line, { stdin: DEVNULL, stdout: DEVNULL, stderr: STDOUT }));
      expect(await soon(dropped.communicate())).toEqual({ stdout: null, stderr: null });
    });
  });

  describe("what cannot be started", () => {
    test("is an error of the system: no program, no right to run it, no folder to run in", async () => {
      const folder = temporaryFolder();
      const file = join(folder, "file");
      writeFileSync(file, "#!/bin/sh\n");
      chmodSync(file, 0o644);
      for (const stderr of [PIPE, STDOUT, DEVNULL]) {
        await clean(async () => {
          const options = { ...pipes, stderr };
          const nowhere = { ...options, cwd: join(folder, "nowhere") };
          expect(await outcome(createSubprocessExec("no-such-program", [], options))).toMatchObject({ code: "ENOENT" });
          expect(await outcome(createSubprocessExec(file, [], options))).toMatchObject({ code: "EACCES" });
          expect(await outcome(createSubprocessExec("true", [], nowhere))).toMatchObject({ code: "ENOENT" });
          expect(await outcome(createSubprocessExec("true", ["x".repeat(3_000_000)], options))).toMatchObject({
            code: "E2BIG",
          });
        });
      }
    });

    test("is an error of the caller: streams that are none, a zero in an argument", async () => {
      await clean(async () => {
        expect(await outcome(createSubprocessExec("true", [], { stdout: STDOUT }))).toBeInstanceOf(RangeError);
        expect(await outcome(createSubprocessExec("true", [], { stdin: STDOUT }))).toBeInstanceOf(RangeError);
        expect(await outcome(createSubprocessExec("true", [], { stdin: -7 }))).toBeInstanceOf(RangeError);
        expect(await outcome(createSubprocessExec("true", [], { stdin: 1.5 }))).toBeInstanceOf(RangeError);
        expect(await outcome(createSubprocessExec("true", ["a\0b"], pipes))).toBeInstanceOf(TypeError);
      });
    });

    test("is an error of the caller: a limit that is none", async () => {
      await clean(async () => {
        const result = await outcome(createSubprocessExec("true", [], { ...pipes, limit: 0 }));
        if (result instanceof asyncio.Process) await soon(result.wait());
        expect(result).toBeInstanceOf(RangeError);
      });
    });

    test("in the shell is said by the shell", async () => {
      await clean(async () => {
        const child = await soon(createSubprocessShell("no-such-program-at-all", pipes));
        const { stderr } = await soon(child.communicate());
        expect([child.returncode, String(stderr)]).toEqual([127, expect.stringContaining("not found")]);
      });
    });
  });

  test("fifty at once get each its own input and give each its own output", async () => {
    await clean(async () => {
      const echo = asyncio.coroutine(async (text: string) => {
        const child = await createSubprocessExec("cat", [], { ...pipes, stderr: DEVNULL });
        return String((await child.communicate(text)).stdout);
      });
      const texts = Array.from({ length: 50 }, (_, i) => `${i}`.repeat(1000));
      expect(await asyncio.waitFor(asyncio.gather(texts.map((text) => echo(text))), 10)).toEqual(texts);
    });
  }, 15_000);

  test("a child has the folder, the environment, the name and the input it is given", async () => {
    const folder = temporaryFolder();
    await clean(async () => {
      const env = { PATH: process.env["PATH"], GREETING: "grüß dich", NOTHING: undefined };
      const line = 'pwd; echo "$GREETING${NOTHING-}${HOME-}"; echo "$0"; cat';
      const child = await soon(createSubprocessExec("sh", ["-c", line, "zero"], { ...pipes, cwd: folder, env }));
      const { stdout } = await soon(child.communicate("grüß Gott"));
      expect(String(stdout)).toBe(`${folder}\ngrüß dich\nzero\ngrüß Gott`);
      const cwd = new URL(`file://${folder}`);
      const other = await soon(createSubprocessExec("sh", ["-c", "pwd"], { ...output, cwd, argv0: "shell" }));
      expect(String((await soon(other.communicate())).stdout)).toBe(`${folder}\n`);
    });
  });

  test("a child's streams may be descriptors and files", async () => {
    const folder = temporaryFolder();
    const [input, out] = [join(folder, "in"), join(folder, "out")];
    writeFileSync(input, "c\na\nb\n");
    const [stdin, stdout] = [openSync(input, "r"), openSync(out, "w")];
    await clean(async () => {
      const child = await soon(createSubprocessShell("sort; echo error >&2", { stdin, stdout, stderr: STDOUT }));
      expect([child.stdin, child.stdout, child.stderr]).toEqual([null, null, null]);
      expect(await soon(child.communicate())).toEqual({ stdout: null, stderr: null });
      expect(child.returncode).toBe(0);
    });
    closeSync(stdin);
    closeSync(stdout);
    expect(readFileSync(out, "utf8")).toBe("a\nb\nc\nerror\n");
  });

  test("a child's standard input is the connection of a server, whose other end a client has", async () => {
    await clean(async () => {
      const server = await asyncio.startServer(
        async (_reader, writer) => {
          const socket = writer.getExtraInfo("socket") as Socket;
          const child = await createSubprocessExec("echo", ["over the wire"], { ...output, stdout: socket });
          await child.wait();
          writer.close();
        },
        "127.0.0.1",
        0,
      );
      const { port } = (server.sockets[0] as Server).address() as AddressInfo;
      const [reader, writer] = await soon(asyncio.openConnection("127.0.0.1", port));
      expect(String(await soon(reader.read()))).toBe("over the wire\n");
      writer.close();
      await soon(server.shutdown());
    });
  });

  test("a protocol that throws is reported, and the child goes on", async () => {
    const heard: string[] = [];
    const lost = new Error("not connected");
    const { reports } = await run(async ({ loop }) => {
      const over = loop.createFuture();
      const protocol: asyncio.SubprocessProtocol = {
        pipeDataReceived: () => fail("data"),
        pipeConnectionLost: () => fail("pipe lost"),
        processExited: () => fail("exited"),
        connectionLost: () => {
          over.setResult();
          fail("lost");
        },
      };
      const fail = (what: string): never => {
        heard.push(what);
        throw lost;
      };
      const [transport] = await soon(loop.subprocessExec(() => protocol, "echo", ["hello"], { ...output }));
      await soon(over);
      expect(transport.getReturncode()).toBe(0);
    });
    expect(heard.toSorted()).toEqual(["data", "exited", "lost", "pipe lost"]);
    expect(reports.map(({ exception }) => exception)).toEqual([lost, lost, lost, lost]);
  });

  test("a child that still runs when the loop is closed is killed, and reported", async () => {
    let pid = 0;
    const { log } = await run(async () => {
      const child = await soon(createSubprocessExec("sleep", ["30"], pipes));
      ({ pid } = child);
    });
    expect(log).toEqual([expect.stringMatching(new RegExp(`unclosed <SubprocessTransport pid=${pid} running>`))]);
    for (let i = 0; i < 60_000 && isThere(pid); i++) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(isThere(pid)).toBe(false);
  });
});

test.skipIf(process.platform === "win32")("G7: closeOutput() ends a child that writes on, as head does", async () => {
  await asyncio.run(async () => {
    for (const name of ["stdout", "stderr"] as const) {
      const command = name === "stdout" ? "exec yes" : "exec yes >&2";
      const child = await asyncio.createSubprocessShell(command, { [name]: asyncio.PIPE });
      expect(String(await child[name]!.readline())).toBe("y\n");
      child.closeOutput(name);
      child.closeOutput(name);
      expect(await child.wait()).not.toBe(0);
    }
  });
});
