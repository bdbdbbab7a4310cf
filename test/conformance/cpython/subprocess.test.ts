/** CPython's test_subprocess, and the part of its test_events about subprocesses, in our words. */

import { spawnSync } from "node:child_process";
import { constants } from "node:os";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { errorOf, online } from "./network.ts";

const { createSubprocessExec, createSubprocessShell, createTask, DEVNULL, PIPE, STDOUT } = asyncio;
const { SIGHUP, SIGKILL, SIGTERM } = constants.signals;

const isPosix = process.platform !== "win32";

/** Standard streams that lead nowhere. */
const quiet = { stdin: DEVNULL, stdout: DEVNULL, stderr: DEVNULL } as const;
/** For `loop.subprocessExec`, whose streams are pipes by default: the parent's. */
const inherited = { stdin: null, stdout: null, stderr: null } as const;

/** What ends long after the test, if it is not killed. */
const blocked = ["sleep", ["30"]] as const;

/** Counts the bytes on its standard input. */
const COUNT = "process.stdin.on('data', (d) => (n += d.length)).on('end', () => console.log(n)); let n = 0;";

/** Runs JavaScript in a Node.js of its own. */
function node(code: string, options: asyncio.ProcessOptions = {}): asyncio.Coroutine<asyncio.Process> {
  return createSubprocessExec(process.execPath, ["--eval", code], options);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The children of this process, and those that nobody has asked about their end. */
function children(): string[] {
  const { stdout } = spawnSync("pgrep", ["-P", String(process.pid)], { encoding: "utf8" });
  return stdout.split("\n").filter((line) => line !== "");
}

/** Waits, without a turn of the loop, until the child has ended: Node.js need not have heard of it. */
function untilDead(pid: number): void {
  const state = (): string => spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).stdout;
  while (!/^(Z|$)/.test(state()));
}

/** A protocol that writes down what it hears of a child, and can be waited for. */
class ChildRecorder implements asyncio.SubprocessProtocol {
  readonly heard: string[] = [];
  readonly texts: Record<number, string> = { 1: "", 2: "" };
  error: unknown = "not lost yet";
  #transport: asyncio.SubprocessTransport | null = null;
  readonly #more: asyncio.Event = new asyncio.Event();

  get transport(): asyncio.SubprocessTransport {
    if (this.#transport === null) throw new Error("not connected yet");
    return this.#transport;
  }

  get stdin(): asyncio.WriteTransport {
    return this.transport.getPipeTransport(0) as asyncio.WriteTransport;
  }

  connectionMade(transport: asyncio.SubprocessTransport): void {
    this.#transport = transport;
    this.#hear("made");
  }

  pipeDataReceived(fd: number, data: Uint8Array): void {
    this.texts[fd] += String(data);
    this.#hear(`data ${fd}`);
  }

  pipeConnectionLost(fd: number): void {
    this.#hear(`pipe ${fd} lost`);
  }

  processExited(): void {
    this.#hear("exited");
  }

  connectionLost(error: unknown): void {
    this.error = error;
    this.#hear("lost");
  }

  /** Waits until the child has written `text` to `fd`. */
  async says(fd: number, text: string): Promise<void> {
    await this.#until(() => this.texts[fd] === text);
  }

  async hears(what: string): Promise<void> {
    await this.#until(() => this.heard.includes(what));
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      this.#more.clear();
      await this.#more.wait();
    }
  }

  /** Output that comes in several pieces is written down once. */
  #hear(what: string): void {
    if (this.heard.at(-1) !== what) this.heard.push(what);
    this.#more.set();
  }
}

const make = (): ChildRecorder => new ChildRecorder();

describe.runIf(isPosix)("a process", () => {
  test("is written to and read from", async () => {
    const reports = await online(async () => {
      const child = await createSubprocessExec("cat", [], { stdin: PIPE, stdout: PIPE });
      child.stdin!.write("some data");
      await child.stdin!.drain();
      child.stdin!.close();
      expect(String(await child.stdout!.read())).toBe("some data");
      expect([await child.wait(), child.stderr]).toEqual([0, null]);
    });
    expect(reports).toEqual([]);
  });

  test("communicate() writes the input, reads all output and waits for the end", async () => {
    await online(function* () {
      const child = yield* createSubprocessExec("cat", [], { stdin: PIPE, stdout: PIPE });
      const { stdout, stderr } = yield* child.communicate(new Uint8Array([104, 105]));
      expect([String(stdout), stderr, child.returncode]).toEqual(["hi", null, 0]);
    });
  });

  test("communicate() without an input closes the standard input", async () => {
    await online(async () => {
      const child = await createSubprocessExec("cat", [], { stdin: PIPE, stdout: PIPE });
      const { stdout } = await child.communicate();
      expect([stdout?.length, child.returncode]).toEqual([0, 0]);
    });
  });

  test("is a line of the shell; its exit code is that of the line", async () => {
    await online(async () => {
      const child = await createSubprocessShell("exit 7", { stdin: DEVNULL });
      expect([await child.wait(), child.returncode]).toEqual([7, 7]);
    });
  });

  test("may have a session of its own", async () => {
    await online(async () => {
      const { pid } = process;
      const child = await createSubprocessShell("ps -o sess= -p $$; exit 8", {
        ...quiet,
        stdout: PIPE,
        startNewSession: true,
      });
      const { stdout } = await child.communicate();
      expect([Number(String(stdout)), await child.wait()]).toEqual([child.pid, 8]);
      expect(child.pid).not.toBe(pid);
    });
  });

  test("is killed: its code is minus the number of the signal", async () => {
    await online(async () => {
      const child = await createSubprocessExec(...blocked, quiet);
      expect(child.returncode).toBe(null);
      child.kill();
      expect([await child.wait(), isRunning(child.pid)]).toEqual([-SIGKILL, false]);
    });
  });

  test("is killed while a program of its own holds its output", async () => {
    await online(async () => {
      const child = await createSubprocessShell("sleep 30 & echo $!; wait", { ...quiet, stdout: PIPE });
      const grandchild = Number(String(await child.stdout!.readline()));
      try {
        child.kill();
        expect(await child.wait()).toBe(-SIGKILL);
      } finally {
        process.kill(grandchild, "SIGKILL");
      }
      expect((await child.stdout!.read()).length).toBe(0);
    });
  });

  test("is asked to end", async () => {
    await online(async () => {
      const child = await createSubprocessExec(...blocked, quiet);
      child.terminate();
      expect(await child.wait()).toBe(-SIGTERM);
    });
  });

  test("gets a signal, by name or number", async () => {
    for (const signal of ["SIGHUP", SIGHUP] as const) {
      await online(async () => {
        const child = await createSubprocessShell("echo sleeping; exec sleep 30", { ...quiet, stdout: PIPE });
        expect(String(await child.stdout!.readline())).toBe("sleeping\n");
        child.sendSignal(signal);
        expect(await child.wait()).toBe(-SIGHUP);
      });
    }
  });

  test("ends before it has read its input: drain() raises, communicate() does not", async () => {
    const large = new Uint8Array(4_000_000);
    const reports = await online(async () => {
      const child = await createSubprocessShell("read line; exit 3", { stdin: PIPE });
      child.stdin!.write("go\n");
      child.stdin!.write(large);
      expect(await errorOf(child.stdin!.drain())).toMatchObject({
        code: expect.stringMatching(/^(EPIPE|ECONNRESET)$/) as unknown,
      });
      expect(await child.wait()).toBe(3);
      const other = await createSubprocessShell("exit 4", { stdin: PIPE });
      await other.communicate(large);
      expect(await other.wait()).toBe(4);
    });
    expect(reports).toEqual([]);
  });

  test("has closed its input: a write that is refused at once is told by the next drain()", async () => {
    await online(async () => {
      const child = await createSubprocessShell("exec 0<&-; echo closed; exec sleep 30", { stdin: PIPE, stdout: PIPE });
      expect(String(await child.stdout!.readline())).toBe("closed\n");
      child.stdin!.write(new Uint8Array(4_000_000));
      expect(await errorOf(child.stdin!.drain())).toMatchObject({
        code: expect.stringMatching(/^(EPIPE|ECONNRESET)$/) as unknown,
      });
      child.kill();
      await child.wait();
    });
  });

  test("writes more than the limit of its reader: reading is paused meanwhile, and nothing is lost", async () => {
    await online(async () => {
      const limit = 10;
      const child = await createSubprocessShell("head -c 200000 /dev/zero", { ...quiet, stdout: PIPE, limit });
      const first = await child.stdout!.readexactly(1);
      const { stdout } = await child.communicate();
      expect([first.length + stdout!.length, child.returncode]).toEqual([200_000, 0]);
    });
  });

  test.each([
    { input: "abc", stdin: PIPE, out: "3" },
    { input: "", stdin: PIPE, out: "0" },
    { input: null, stdin: DEVNULL, out: "0" },
  ])("reads its input $input to the end, and inherits the other end of no pipe", async ({ input, stdin, out }) => {
    await online(async () => {
      const child = await node(COUNT, { stdin, stdout: PIPE, stderr: PIPE });
      const { stdout, stderr } = await child.communicate(input);
      expect([String(stdout).trim(), String(stderr), child.returncode]).toEqual([out, "", 0]);
    });
  });

  test("with output or errors that are dropped has none", async () => {
    await online(async () => {
      const code = "process.stdin.resume(); console.log(1); console.error(2);";
      const silent = await node(code, { stdin: PIPE, stdout: DEVNULL, stderr: PIPE });
      expect(await silent.communicate("abc")).toEqual({ stdout: null, stderr: Buffer.from("2\n") });
      const faultless = await node(code, { stdin: PIPE, stdout: PIPE, stderr: DEVNULL });
      expect(await faultless.communicate("abc")).toEqual({ stdout: Buffer.from("1\n"), stderr: null });
      expect([silent.returncode, faultless.returncode]).toEqual([0, 0]);
    });
  });

  test("one who waits for its end is cancelled: the others wait on", async () => {
    await online(async () => {
      const child = await createSubprocessExec(...blocked, quiet);
      const [first, second] = [createTask(child.wait()), createTask(child.wait())];
      await asyncio.sleep(0);
      first.cancel();
      expect(await errorOf(first)).toBeInstanceOf(asyncio.CancelledError);
      expect([second.done(), isRunning(child.pid)]).toEqual([false, true]);
      child.kill();
      expect([await second, await child.wait()]).toEqual([-SIGKILL, -SIGKILL]);
    });
  });

  test("many wait for its end, during and after it", async () => {
    await online(async () => {
      const child = await createSubprocessExec("cat", [], { stdin: PIPE, stdout: PIPE });
      const early = asyncio.gather(Array.from({ length: 10 }, () => child.wait()));
      const { stdout } = await child.communicate("some data");
      expect(String(stdout)).toBe("some data");
      expect(await early).toEqual(Array.from({ length: 10 }, () => 0));
      expect(await asyncio.gather(Array.from({ length: 10 }, () => child.wait()))).toEqual(await early);
    });
  });

  test("can be read from after it has ended", async () => {
    await online(async () => {
      const child = await createSubprocessShell("head -c 262144 /dev/zero; exit 1", { ...quiet, stdout: PIPE });
      let count = 0;
      for (let data = await child.stdout!.read(65_536); data.length > 0; data = await child.stdout!.read(65_536)) {
        count += data.length;
        await asyncio.sleep(0);
      }
      expect([count, await child.wait()]).toEqual([262_144, 1]);
    });
  });

  test.each(["exec", "shell"])("has the environment it is given: %s", async (how) => {
    await online(async () => {
      const options = { env: { ...process.env, FOO: "bar" }, stdout: PIPE };
      const child = await (how === "exec"
        ? createSubprocessExec("sh", ["-c", 'printf %s "$FOO"'], options)
        : createSubprocessShell('printf %s "$FOO"', options));
      const { stdout } = await child.communicate();
      expect([String(stdout), child.returncode]).toEqual(["bar", 0]);
      const waiting = createTask(child.wait());
      await asyncio.sleep(0);
      expect(waiting.result()).toBe(0);
    });
  });

  test("ten at once: each gets its own output", async () => {
    await online(async () => {
      const words = Array.from({ length: 10 }, (_, i) => `foo${i}`);
      const outputOf = asyncio.coroutine(async (word: string) => {
        const child = await createSubprocessExec("echo", [word], { ...quiet, stdout: PIPE });
        return String((await child.communicate()).stdout).trim();
      });
      expect(await asyncio.gather(words.map((word) => outputOf(word)))).toEqual(words);
    });
  });

  test("gets a signal as it ends: its code is its own, and no other process is hit", async () => {
    await online(async () => {
      for (let i = 0; i < 10; i++) {
        const child = await createSubprocessExec("true", [], quiet);
        untilDead(child.pid);
        try {
          child.sendSignal("SIGUSR1");
        } catch (error) {
          expect(error).toBeInstanceOf(asyncio.ProcessLookupError);
        }
        expect(await child.wait()).toBe(0);
      }
    });
  });

  test.each(["read", "write", "read and write"])("the one who would %s is cancelled: nothing hangs", async (what) => {
    const reports = await online(async () => {
      const child = await createSubprocessExec("sleep", ["30"], { stdin: PIPE, stdout: PIPE, stderr: PIPE });
      const reading = createTask(child.stdout!.read());
      const writing = createTask(async () => {
        child.stdin!.write(new Uint8Array(10_000_000));
        await child.stdin!.drain();
      });
      await asyncio.sleep(0);
      if (what.includes("read")) {
        reading.cancel();
        expect(await errorOf(reading)).toBeInstanceOf(asyncio.CancelledError);
      }
      if (what.includes("write")) {
        writing.cancel();
        expect(await errorOf(writing)).toBeInstanceOf(asyncio.CancelledError);
      }
      child.kill();
      expect(await child.wait()).toBe(-SIGKILL);
      await asyncio.gather([reading, writing], { returnExceptions: true });
    });
    expect(reports).toEqual([]);
  });

  test("that cannot be started leaves no pipe", async () => {
    await online(async () => {
      for (const stdin of [null, PIPE]) {
        const options = { stdin, stdout: PIPE, stderr: STDOUT };
        expect(await errorOf(createSubprocessExec("/nowhere/at/all", [], options))).toMatchObject({ code: "ENOENT" });
      }
    });
  });

  test("cancelled while it is being made: it is killed", async () => {
    const before = children();
    const reports = await online(async ({ loop }) => {
      const makers = [
        (): asyncio.Coroutine<unknown> => createSubprocessExec(...blocked, quiet),
        (): asyncio.Coroutine<unknown> => loop.subprocessExec(make, ...blocked),
      ];
      for (const makeChild of makers) {
        const task = createTask(makeChild());
        loop.callSoon(() => void task.cancel());
        expect(await errorOf(task)).toBeInstanceOf(asyncio.CancelledError);
        expect(children()).toEqual(before);
      }
    });
    expect(reports).toEqual([]);
  });
});

describe.runIf(isPosix)("the transport of a child", () => {
  test("tells all that happens: each pipe's data before its end, the child's end, and its own last", async () => {
    await online(async ({ loop }) => {
      const code = "process.stdout.write('stdout'); process.stderr.write('stderr');";
      const options = { stdin: null };
      const [transport, child] = await loop.subprocessExec(make, process.execPath, ["--eval", code], options);
      await child.hears("lost");
      expect(child.heard.toSorted()).toEqual([
        "data 1",
        "data 2",
        "exited",
        "lost",
        "made",
        "pipe 1 lost",
        "pipe 2 lost",
      ]);
      expect([child.heard[0], child.heard.at(-1)]).toEqual(["made", "lost"]);
      for (const fd of [1, 2]) {
        expect(child.heard.filter((what) => what.includes(String(fd)))).toEqual([`data ${fd}`, `pipe ${fd} lost`]);
      }
      expect([child.texts, child.error, transport.getReturncode()]).toEqual([{ 1: "stdout", 2: "stderr" }, null, 0]);
    });
  });

  test("is used up when the child has ended: signals are an error then, closing is not", async () => {
    await online(async ({ loop }) => {
      const [transport, child] = await loop.subprocessShell(make, "exit 6", { ...inherited, stdin: DEVNULL });
      await child.hears("lost");
      expect(child.heard).toEqual(["made", "exited", "lost"]);
      expect([transport.getReturncode(), child.error]).toEqual([6, null]);
      expect(() => transport.sendSignal("SIGTERM")).toThrow(asyncio.ProcessLookupError);
      expect(() => transport.terminate()).toThrow(asyncio.ProcessLookupError);
      expect(() => transport.kill()).toThrow(asyncio.ProcessLookupError);
      transport.close();
    });
  });

  test("shows the child's number and state", async () => {
    await online(async ({ loop }) => {
      const [transport, child] = await loop.subprocessShell(make, "read line; exit 6", { stdout: DEVNULL });
      expect(String(transport)).toBe(`<SubprocessTransport pid=${transport.getPid()} running>`);
      child.stdin.write("go\n");
      await child.hears("lost");
      expect(String(transport)).toBe(`<SubprocessTransport closed pid=${transport.getPid()} returncode=6>`);
    });
  });

  test("talks with the child, and kills it when it is closed", async () => {
    const reports = await online(async ({ loop }) => {
      const [transport, child] = await loop.subprocessExec(make, "cat");
      child.stdin.write("Python ");
      await child.says(1, "Python ");
      child.stdin.write("The Winner");
      await child.says(1, "Python The Winner");
      expect(transport.getReturncode()).toBe(null);
      transport.close();
      transport.close();
      expect(transport.isClosing()).toBe(true);
      await child.hears("lost");
      expect([transport.getReturncode(), isRunning(transport.getPid())]).toEqual([-SIGKILL, false]);
    });
    expect(reports).toEqual([]);
  });

  test("runs a line of the shell", async () => {
    await online(async ({ loop }) => {
      const [transport, child] = await loop.subprocessShell(make, "echo Python");
      (transport.getPipeTransport(0) as asyncio.WriteTransport).close();
      await child.hears("lost");
      expect([child.texts, transport.getReturncode()]).toEqual([{ 1: "Python\n", 2: "" }, 0]);
      expect(child.heard).toEqual(expect.arrayContaining(["pipe 0 lost", "pipe 1 lost", "pipe 2 lost"]));
    });
  });

  test.each([false, true])("has no pipe to streams that are the parent's; a session of its own: %s", async (own) => {
    await online(async ({ loop }) => {
      const options = { ...inherited, startNewSession: own };
      const [transport, child] = await loop.subprocessShell(make, "exit 7", options);
      expect([0, 1, 2].map((fd) => transport.getPipeTransport(fd))).toEqual([null, null, null]);
      await child.hears("lost");
      expect(transport.getReturncode()).toBe(7);
      transport.close();
    });
  });

  test.each([
    { signal: "SIGKILL", send: (transport: asyncio.SubprocessTransport) => transport.kill() },
    { signal: "SIGTERM", send: (transport: asyncio.SubprocessTransport) => transport.terminate() },
    { signal: "SIGHUP", send: (transport: asyncio.SubprocessTransport) => transport.sendSignal("SIGHUP") },
  ] as const)("sends $signal", async ({ signal, send }) => {
    await online(async ({ loop }) => {
      const [transport, child] = await loop.subprocessExec(make, "cat");
      send(transport);
      await child.hears("lost");
      expect(transport.getReturncode()).toBe(-constants.signals[signal]);
    });
  });

  /** Says what it has read, on both of its outputs. */
  const TWICE = 'data=$(head -c 4); printf "OUT:%s" "$data"; printf "ERR:%s" "$data" >&2';

  test("gives output and errors apart", async () => {
    await online(async ({ loop }) => {
      const [transport, child] = await loop.subprocessShell(make, TWICE);
      child.stdin.write("test");
      await child.hears("lost");
      expect([child.texts, transport.getReturncode()]).toEqual([{ 1: "OUT:test", 2: "ERR:test" }, 0]);
    });
  });

  test("gives errors with the output, in the order in which they were written", async () => {
    await online(async ({ loop }) => {
      const [transport, child] = await loop.subprocessShell(make, TWICE, { stderr: STDOUT });
      expect([transport.getPipeTransport(1) === null, transport.getPipeTransport(2)]).toEqual([false, null]);
      child.stdin.write("test");
      await child.hears("lost");
      expect([child.texts, transport.getReturncode()]).toEqual([{ 1: "OUT:testERR:test", 2: "" }, 0]);
    });
  });

  test("closes its end of the child's output: the child cannot write to it any more", async () => {
    const code = `
      process.stdout.on("error", (error) => process.stderr.write("ERR:" + error.code));
      process.stdin.on("data", (data) => process.stdout.write("OUT:" + data));
    `;
    await online(async ({ loop }) => {
      const [transport, child] = await loop.subprocessExec(make, process.execPath, ["--eval", code]);
      child.stdin.write("test");
      await child.says(1, "OUT:test");
      transport.getPipeTransport(1)!.close();
      await child.hears("pipe 1 lost");
      child.stdin.write("xxx");
      await child.says(2, "ERR:EPIPE");
      transport.close();
      await child.hears("lost");
      expect(transport.getReturncode()).toBe(-SIGKILL);
    });
  });

  test("kills nobody when it is closed after the child's end, of which it has not heard", async () => {
    await online(async ({ loop }) => {
      const [transport, child] = await loop.subprocessExec(make, ...blocked, quiet);
      process.kill(transport.getPid(), "SIGKILL");
      untilDead(transport.getPid());
      expect(transport.getReturncode()).toBe(null);
      transport.close();
      await child.hears("lost");
      expect(transport.getReturncode()).toBe(-SIGKILL);
    });
  });

  test("refuses a program or a line that is no text", async () => {
    const before = children();
    await online(async ({ loop }) => {
      const args = [process.execPath, "--version"] as unknown as string;
      expect(await errorOf(loop.subprocessExec(make, args))).toBeInstanceOf(TypeError);
      expect(await errorOf(loop.subprocessShell(make, 123 as unknown as string))).toBeInstanceOf(TypeError);
      expect(await errorOf(loop.subprocessShell(make, args))).toBeInstanceOf(TypeError);
      expect(children()).toEqual(before);
    });
  });
});
