/** What CPython's test_events and test_unix_events test about pipes, terminals and signals, in our words. */

import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync, writeFileSync, writeSync } from "node:fs";
import * as net from "node:net";
import { PassThrough, Readable } from "node:stream";
import * as asyncio from "asyncio-ts";
import { describe, expect, test } from "vitest";
import { errorOf, logOf, online, Recorder } from "./network.ts";
import type { Net } from "./network.ts";

const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;

const make = (): Recorder => new Recorder();

const isPosix = process.platform !== "win32";
const hasPython = isPosix && spawnSync("python3", ["--version"]).status === 0;

/** Both ends of a pipe with a name. The writing end stays open by itself: hold the reading end as long as it is needed. */
function fifo(path: string): { readonly read: number; readonly write: number } {
  expect(spawnSync("mkfifo", [path]).status).toBe(0);
  const read = openSync(path, O_RDONLY | O_NONBLOCK);
  return { read, write: openSync(path, O_WRONLY | O_NONBLOCK) };
}

/** Two sockets that are connected with each other. */
async function socketPair(): Promise<readonly [net.Socket, net.Socket]> {
  const server = net.createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await asyncio.fromPromise(once(server, "listening"));
  const { port } = server.address() as net.AddressInfo;
  const near = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const [far] = (await asyncio.fromPromise(once(server, "connection"))) as [net.Socket];
  if (near.connecting) await asyncio.fromPromise(once(near, "connect"));
  server.close();
  for (const socket of [near, far]) socket.on("error", () => {});
  return [near, far];
}

/** Opens a terminal, says where, sends what it is sent to it, and tells what comes out of it. Ends with its input. */
const TERMINAL = `
import os, sys, tty, threading
master, slave = os.openpty()
tty.setraw(slave)
print(os.ttyname(slave), flush=True)
def out():
    try:
        while data := os.read(master, 1024): os.write(1, data)
    except OSError: pass
threading.Thread(target=out, daemon=True).start()
while data := os.read(0, 1024): os.write(master, data)
os._exit(0)
`;

interface Terminal {
  readonly child: ChildProcess;
  readonly path: string;
  /** What has come out of it. */
  text(): string;
}

async function terminal(): Promise<Terminal> {
  const child = spawn("python3", ["-c", TERMINAL], { stdio: ["pipe", "pipe", "inherit"] });
  let text = "";
  const named = new asyncio.Event();
  child.stdout.on("data", (data: Buffer) => {
    text += String(data);
    if (text.includes("\n")) named.set();
  });
  await named.wait();
  const [path = ""] = text.split("\n");
  return { child, path, text: () => text.slice(path.length + 1) };
}

async function endOf({ child }: Terminal): Promise<void> {
  child.stdin?.end();
  if (child.exitCode === null) await asyncio.fromPromise(once(child, "exit"));
}

/** Lets the loop turn until `condition` holds. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await asyncio.sleep(0);
}

describe.runIf(isPosix)("connectReadPipe", () => {
  test("reads from a pipe, to its end", async () => {
    const reports = await online(async ({ loop, path }) => {
      const { read, write } = fifo(path);
      const [transport, pipe] = await loop.connectReadPipe(make, read);
      expect([pipe.transport === transport, pipe.heard]).toEqual([true, ["made"]]);
      writeSync(write, "1");
      expect(await pipe.has(1)).toBe("1");
      writeSync(write, "2345");
      expect(await pipe.has(5)).toBe("12345");
      closeSync(write);
      await pipe.lost.wait();
      expect([pipe.heard, pipe.error]).toEqual([["made", "data", "eof", "lost"], null]);
      expect(transport.getExtraInfo("pipe")).toBeInstanceOf(net.Socket);
    });
    expect(reports).toEqual([]);
  });

  test("is paused and resumed, as often as one likes, and after the end", async () => {
    await online(async ({ loop, path }) => {
      const { read, write } = fifo(path);
      const [transport, pipe] = await loop.connectReadPipe(make, read);
      transport.resumeReading();
      transport.pauseReading();
      transport.pauseReading();
      writeSync(write, "abc");
      for (let i = 0; i < 20; i++) await asyncio.sleep(0);
      expect([pipe.text, transport.isReading()]).toEqual(["", false]);
      transport.resumeReading();
      transport.resumeReading();
      expect(await pipe.has(3)).toBe("abc");
      transport.close();
      transport.close();
      await pipe.lost.wait();
      expect([pipe.heard, pipe.error, transport.isClosing()]).toEqual([["made", "data", "lost"], null, true]);
      transport.pauseReading();
      transport.resumeReading();
      closeSync(write);
    });
  });

  const sources = [
    { name: "written and ended before", open: () => new PassThrough().end("one two"), end: () => {} },
    { name: "ended afterwards", open: () => new PassThrough(), end: (stream: PassThrough) => stream.end("one two") },
    { name: "of a list", open: () => Readable.from(["one ", "two"], { objectMode: false }), end: () => {} },
  ];

  test.each(sources)("reads from a stream of Node's to its end: $name", async ({ open, end }) => {
    const reports = await online(async ({ loop }) => {
      const stream = open();
      const [transport, pipe] = await loop.connectReadPipe(make, stream);
      end(stream as PassThrough);
      await pipe.lost.wait();
      expect([pipe.text, pipe.heard, pipe.error]).toEqual(["one two", ["made", "data", "eof", "lost"], null]);
      expect([transport.isClosing(), transport.getExtraInfo("pipe") === stream]).toEqual([true, true]);
    });
    expect(reports).toEqual([]);
  });

  test("of a stream that ends and closes gives everything to one who pauses, bit by bit", async () => {
    await online(async ({ loop }) => {
      const stream = new PassThrough();
      const [transport, pipe] = await loop.connectReadPipe(make, stream);
      transport.pauseReading();
      stream.write("one");
      stream.end("two");
      for (let i = 0; i < 20; i++) await asyncio.sleep(0);
      expect(pipe.heard).toEqual(["made"]);
      transport.resumeReading();
      await pipe.lost.wait();
      expect([pipe.text, pipe.error]).toEqual(["onetwo", null]);
    });
  });

  test("says what it was lost with", async () => {
    await online(async ({ loop }) => {
      const stream = new PassThrough();
      const [transport, pipe] = await loop.connectReadPipe(make, stream);
      const broken = new Error("broken");
      stream.destroy(broken);
      await pipe.lost.wait();
      expect([pipe.error, transport.isClosing()]).toEqual([broken, true]);
    });
  });

  test("hears what came before it was lost", async () => {
    await online(async ({ loop }) => {
      for (const error of [undefined, new Error("broken")]) {
        const stream = new PassThrough();
        const [, pipe] = await loop.connectReadPipe(make, stream);
        stream.once("data", () => process.nextTick(() => stream.destroy(error)));
        stream.write("last words");
        await pipe.lost.wait();
        expect([pipe.text, pipe.heard, pipe.error]).toEqual(["last words", ["made", "data", "lost"], error ?? null]);
      }
    });
  });

  test("refuses a file and what cannot be read from", async () => {
    await online(async ({ loop, path }) => {
      writeFileSync(path, "hello");
      const file = openSync(path, "r");
      expect(await refusal(() => loop.connectReadPipe(make, file))).toBeInstanceOf(RangeError);
      expect(await refusal(() => loop.connectWritePipe(make, file))).toBeInstanceOf(RangeError);
      closeSync(file);
      const ended = new PassThrough();
      ended.destroy();
      expect(await refusal(() => loop.connectReadPipe(make, ended))).toBeInstanceOf(RangeError);
      expect(await refusal(() => loop.connectWritePipe(make, ended))).toBeInstanceOf(RangeError);
    });
  });

  test("and connectWritePipe, left open when the loop is closed, are reported and show their state", async () => {
    const transports: asyncio.Transport[] = [];
    const lines = await logOf(async () => {
      await online(async ({ loop, path }) => {
        const { read, write } = fifo(path);
        transports.push((await loop.connectReadPipe(make, read))[0]);
        transports.push((await loop.connectWritePipe(make, write))[0]);
        expect(transports.map(String)).toEqual([expect.stringContaining("open"), expect.stringContaining("open")]);
      });
    });
    expect(lines.filter((line) => line.startsWith("unclosed"))).toHaveLength(2);
    expect(transports.map(String)).toEqual([expect.stringContaining("clos"), expect.stringContaining("clos")]);
  });
});

/** What a call throws, at once or when it is awaited. */
async function refusal(call: () => asyncio.Coroutine<unknown>): Promise<unknown> {
  return await errorOf(asyncio.createTask(async () => await call()));
}

describe.runIf(isPosix)("connectWritePipe", () => {
  test("writes to a pipe, and to the end before it closes", async () => {
    const reports = await online(async ({ loop, path }) => {
      const { read, write } = fifo(path);
      const [transport, pipe] = await loop.connectWritePipe(make, write);
      const [, reader] = await loop.connectReadPipe(make, read);
      expect([pipe.transport === transport, pipe.heard]).toEqual([true, ["made"]]);
      transport.write("1");
      expect(await reader.has(1)).toBe("1");
      transport.write("");
      transport.write("2345");
      expect(await reader.has(5)).toBe("12345");
      expect(transport.getExtraInfo("pipe")).toBeInstanceOf(net.Socket);
      transport.write("x".repeat(300_000));
      transport.close();
      transport.close();
      await pipe.lost.wait();
      expect([await reader.has(300_005), pipe.error]).toEqual([`12345${"x".repeat(300_000)}`, null]);
      await reader.lost.wait();
    });
    expect(reports).toEqual([]);
  });

  test("pauses its protocol while the pipe is full", async () => {
    await online(async ({ loop, path }) => {
      const { read, write } = fifo(path);
      const [transport, pipe] = await loop.connectWritePipe(make, write);
      transport.write("x".repeat(1_000_000));
      expect([pipe.heard, transport.getWriteBufferSize() > 65_536]).toEqual([["made", "pause"], true]);
      const [, reader] = await loop.connectReadPipe(make, read);
      await pipe.hears("resume");
      transport.close();
      await reader.lost.wait();
      expect(reader.text.length).toBe(1_000_000);
    });
  });

  test("ends what it writes, after what waits; then nothing more can be written", async () => {
    await online(async ({ loop, path }) => {
      const { read, write } = fifo(path);
      const [transport, pipe] = await loop.connectWritePipe(make, write);
      expect(transport.canWriteEof()).toBe(true);
      transport.write("x".repeat(200_000));
      transport.writeEof();
      expect(() => transport.write("more")).toThrow(asyncio.RuntimeError);
      const [, reader] = await loop.connectReadPipe(make, read);
      await reader.lost.wait();
      expect([reader.text.length, reader.heard]).toEqual([200_000, ["made", "data", "eof", "lost"]]);
      await pipe.lost.wait();
      expect(pipe.error).toBe(null);
    });
  });

  test("aborts at once: what waits is lost", async () => {
    await online(async ({ loop, path }) => {
      const { read, write } = fifo(path);
      const [transport, pipe] = await loop.connectWritePipe(make, write);
      transport.write("x".repeat(1_000_000));
      transport.abort();
      await pipe.lost.wait();
      expect([pipe.error, transport.isClosing()]).toEqual([null, true]);
      const [, reader] = await loop.connectReadPipe(make, read);
      await reader.lost.wait();
      expect(reader.text.length).toBeLessThan(1_000_000);
    });
  });

  test("is lost with an error when nobody is left who could read; later writes are dropped, with a warning", async () => {
    const lines = await logOf(async () => {
      const reports = await online(async ({ loop, path }) => {
        const { read, write } = fifo(path);
        const [transport, pipe] = await loop.connectWritePipe(make, write);
        closeSync(read);
        transport.write("hello");
        await pipe.lost.wait();
        expect(pipe.error).toMatchObject({ code: "EPIPE" });
        for (let i = 0; i < 10; i++) transport.write("hello?");
        transport.close();
        expect(pipe.heard).toEqual(["made", "lost"]);
      });
      expect(reports).toEqual([]);
    });
    expect(lines.some((line) => line.startsWith("write() to a connection that is lost"))).toBe(true);
  });

  test("to a socket hears when its peer is gone", async () => {
    await online(async ({ loop }) => {
      const [near, far] = await socketPair();
      const [transport, pipe] = await loop.connectWritePipe(make, near);
      transport.write("1");
      await asyncio.fromPromise(once(far, "data"));
      far.resetAndDestroy();
      for (let i = 0; !pipe.lost.isSet() && i < 1000; i++) {
        transport.write("2");
        await asyncio.sleep(0);
      }
      await pipe.lost.wait();
      expect(transport.isClosing()).toBe(true);
    });
  });
});

describe.runIf(hasPython)("a terminal", () => {
  test("is read from", async () => {
    await online(async ({ loop }: Net) => {
      const other = await terminal();
      const [transport, tty] = await loop.connectReadPipe(make, openSync(other.path, O_RDWR));
      other.child.stdin!.write("1");
      expect(await tty.has(1)).toBe("1");
      other.child.stdin!.write("2345");
      expect(await tty.has(5)).toBe("12345");
      expect([tty.heard, transport.getExtraInfo("pipe") === null]).toEqual([["made", "data"], false]);
      transport.close();
      await tty.lost.wait();
      await endOf(other);
    });
  });

  test("is written to", async () => {
    await online(async ({ loop }) => {
      const other = await terminal();
      const [transport, tty] = await loop.connectWritePipe(make, openSync(other.path, O_RDWR));
      transport.write("1");
      await until(() => other.text().length === 1);
      transport.write("2345");
      await until(() => other.text().length === 5);
      expect([other.text(), tty.heard]).toEqual(["12345", ["made"]]);
      transport.close();
      await tty.lost.wait();
      expect(tty.error).toBe(null);
      await endOf(other);
    });
  });

  test("is read from and written to at once", async () => {
    await online(async ({ loop }) => {
      const other = await terminal();
      const [output, writer] = await loop.connectWritePipe(make, openSync(other.path, O_RDWR));
      const [input, reader] = await loop.connectReadPipe(make, openSync(other.path, O_RDWR));
      output.write("1");
      await until(() => other.text() === "1");
      other.child.stdin!.write("a");
      expect(await reader.has(1)).toBe("a");
      output.write("2345");
      await until(() => other.text() === "12345");
      other.child.stdin!.write("bcde");
      expect(await reader.has(5)).toBe("abcde");
      input.close();
      output.close();
      await reader.lost.wait();
      await writer.lost.wait();
      await endOf(other);
    });
  });
});

describe.runIf(isPosix)("addSignalHandler", () => {
  /** Sends this process a signal. */
  const kill = (signal: NodeJS.Signals): true => process.kill(process.pid, signal);

  test("calls its function in a turn of the loop, with its arguments, until it is removed", async () => {
    await online(async ({ loop }) => {
      const caught = loop.createFuture<unknown[]>();
      const before = process.listenerCount("SIGUSR2");
      loop.addSignalHandler("SIGUSR2", (...args: unknown[]) => caught.setResult([...args, loop.isRunning()]), 1, "b");
      kill("SIGUSR2");
      expect(caught.done()).toBe(false);
      expect(await caught).toEqual([1, "b", true]);
      expect([loop.removeSignalHandler("SIGUSR2"), loop.removeSignalHandler("SIGUSR2")]).toEqual([true, false]);
      expect(process.listenerCount("SIGUSR2")).toBe(before);
    });
  });

  test("wakes a loop that sleeps", async () => {
    await online(async ({ loop }) => {
      const caught = new asyncio.Event();
      loop.addSignalHandler("SIGALRM", () => caught.set());
      const alarm = spawn("sh", ["-c", `kill -ALRM ${process.pid}`], { stdio: "ignore" });
      await asyncio.waitFor(caught.wait(), 3600);
      if (alarm.exitCode === null) await asyncio.fromPromise(once(alarm, "exit"));
    });
  });

  test("takes the place of the handler before", async () => {
    await online(async ({ loop }) => {
      const calls: string[] = [];
      const second = new asyncio.Event();
      loop.addSignalHandler("SIGUSR2", () => void calls.push("first"));
      loop.addSignalHandler("SIGUSR2", () => {
        calls.push("second");
        second.set();
      });
      kill("SIGUSR2");
      await second.wait();
      expect([calls, loop.removeSignalHandler("SIGUSR2")]).toEqual([["second"], true]);
    });
  });

  test("removed in the turn in which the signal came: it is not called", async () => {
    await online(async ({ loop }) => {
      let called = false;
      const seen = new asyncio.Event();
      loop.addSignalHandler("SIGUSR2", () => {
        called = true;
      });
      process.once("SIGUSR2", () => {
        loop.removeSignalHandler("SIGUSR2");
        seen.set();
      });
      kill("SIGUSR2");
      await seen.wait();
      await asyncio.sleep(0);
      expect(called).toBe(false);
    });
  });

  test.each(["boom", "SIGNOTHING", 0, -1, 1000, "toString", ""])("and removing refuse the signal %j", async (name) => {
    await online(async ({ loop }) => {
      const signal = name as NodeJS.Signals;
      expect(() => loop.addSignalHandler(signal, () => {})).toThrow(RangeError);
      expect(() => loop.removeSignalHandler(signal)).toThrow(RangeError);
    });
  });

  test.each(["SIGKILL", "SIGSTOP"] as const)(
    "refuses %s, which nobody can catch; there is none to remove",
    async (signal) => {
      await online(async ({ loop }) => {
        expect(() => loop.addSignalHandler(signal, () => {})).toThrow(/cannot be caught/);
        expect(loop.removeSignalHandler(signal)).toBe(false);
      });
    },
  );

  test("refuses a coroutine and its function, and what is no function", async () => {
    await online(async ({ loop }) => {
      const functions = [async () => {}, function* () {}, undefined, 17];
      for (const fn of functions) {
        expect(() => loop.addSignalHandler("SIGUSR2", fn as () => void), String(fn)).toThrow(TypeError);
      }
      expect(process.listenerCount("SIGUSR2")).toBe(0);
    });
  });

  test("is undone for all signals when the loop is closed", async () => {
    const before = ["SIGUSR2", "SIGHUP"].map((signal) => process.listenerCount(signal));
    await online(async ({ loop }) => {
      loop.addSignalHandler("SIGUSR2", () => {});
      loop.addSignalHandler("SIGHUP", () => {});
      await asyncio.sleep(0);
    });
    expect(["SIGUSR2", "SIGHUP"].map((signal) => process.listenerCount(signal))).toEqual(before);
  });
});
