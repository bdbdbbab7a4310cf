/** Hosts of a simulated network: programs, crashes, clocks. */

import * as asyncio from "asyncio-ts";
import { asyncTest, explore, replay, SimulatedNetwork } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";
import { ask, echo, networkTest, now } from "./support.ts";

const { createTask, openConnection, sleep } = asyncio;

describe("a program", () => {
  test(
    "runs in a loop of its own, in either syntax",
    networkTest(async (network) => {
      const here = asyncio.getRunningLoop();
      const host = network.host("a");
      const there = await host.run(async () => {
        await sleep(1);
        return asyncio.getRunningLoop();
      });
      expect(there).not.toBe(here);
      const same = await host.run(function* () {
        yield* sleep(1);
        return asyncio.getRunningLoop();
      });
      expect(same).toBe(there);
      expect(here.time()).toBe(2);
      expect(String(host)).toBe("<SimulatedHost a 10.0.0.1 up>");
      expect(String(network)).toBe("<SimulatedNetwork hosts=1>");
    }),
  );

  test("that fails, fails the test, with the host's name", async () => {
    const run = networkTest(async (network) => {
      network.host("a").start(async () => await Promise.reject(new Error("no disk")));
      await sleep(1);
    });
    await expect(run()).rejects.toThrow(/the program of a has failed[^]*no disk/);
  });

  test("what its loop reports comes to the test, with the host's name", async () => {
    const run = networkTest(async (network) => {
      network.host("a").start(async () => {
        asyncio.getRunningLoop().callSoon(() => {
          throw new Error("in a callback");
        });
      });
      await sleep(1);
    });
    await expect(run()).rejects.toThrow(/a: Exception in callback[^]*in a callback/);
  });

  test(
    "run() gives the body's error, and cancelled, cancels the body and waits",
    networkTest(async (network) => {
      const host = network.host("a");
      await expect(host.run(async () => await Promise.reject(new Error("its own")))).rejects.toThrow("its own");
      let cleaned = 0;
      const running = createTask(
        host.run(async () => {
          try {
            await sleep(60);
          } finally {
            await sleep(1);
            cleaned = now();
          }
        }),
      );
      await sleep(10);
      running.cancel();
      await asyncio.wait([running]);
      expect([running.cancelled(), cleaned, now()]).toEqual([true, 11, 11]);
    }),
  );

  test(
    "a host has one program",
    networkTest(async (network) => {
      const host = network.host("a");
      expect(() => host.restart()).toThrow("start() gives it one");
      host.start(async () => await sleep(1));
      expect(() => host.start(async () => {})).toThrow("restart() starts it again");
    }),
  );
});

describe("a crash", () => {
  test(
    "ends everything on the host at once, and nothing is cleaned up",
    networkTest(async (network) => {
      const steps: string[] = [];
      const host = network.host("a");
      host.start(async () => {
        try {
          for (;;) {
            await sleep(1);
            steps.push("tick");
          }
        } finally {
          steps.push("cleaned");
        }
      });
      const running = createTask(host.run(async () => await sleep(60)));
      await sleep(2.5);
      host.crash();
      expect(host.isUp).toBe(false);
      await expect(running).rejects.toThrow("a has stopped while the body ran on it");
      await sleep(10);
      expect(steps).toEqual(["tick", "tick"]);
      host.restart();
      await sleep(1.5);
      expect(steps).toEqual(["tick", "tick", "tick"]);
    }),
  );

  test(
    "by its own hand",
    networkTest(async (network) => {
      const steps: string[] = [];
      const host = network.host("a");
      host.start(async () => {
        await sleep(1);
        host.crash();
        steps.push("the same step");
        await sleep(0);
        steps.push("never");
      });
      await sleep(10);
      expect(steps).toEqual(["the same step"]);
    }),
  );

  test(
    "is silent: a peer that waits does not notice, and one that sends loses its patience",
    networkTest(
      async (network) => {
        const server = network.host("server");
        server.start(echo);
        await network.host("client").run(async () => {
          const [reader, writer] = await openConnection("server", 7);
          server.crash();
          await expect(asyncio.timeout(1000, () => reader.read())).rejects.toThrow(asyncio.TimeoutError);
          writer.write("anybody?\n");
          await expect(reader.read()).rejects.toMatchObject({ code: "ETIMEDOUT" });
          writer.close();
        });
      },
      { patience: 60 },
    ),
  );

  test(
    "a machine that runs again resets what belonged to the program before",
    networkTest(async (network) => {
      const server = network.host("server");
      server.start(echo);
      await network.host("client").run(async () => {
        const [reader, writer] = await openConnection("server", 7);
        server.crash();
        writer.write("anybody?\n");
        await sleep(1);
        server.restart();
        await expect(reader.read()).rejects.toThrow(asyncio.ConnectionResetError);
        writer.close();
        expect(await ask("server")).toBe("hello");
      });
    }),
  );

  test(
    "of the program alone: its system resets the connections",
    networkTest(async (network) => {
      const server = network.host("server");
      server.start(echo);
      await network.host("client").run(async () => {
        const [reader, writer] = await openConnection("server", 7);
        server.kill();
        await expect(reader.read()).rejects.toThrow(asyncio.ConnectionResetError);
        expect(now()).toBeLessThan(1);
        writer.close();
        server.restart();
        server.restart();
        await sleep(0.1);
        expect(await ask("server")).toBe("hello");
      });
    }),
  );
});

describe("a clock of its own", () => {
  test(
    "may be ahead, and go faster or slower",
    networkTest(async (network) => {
      const host = network.host("a", { clock: { offset: 1000, rate: 2 } });
      const times = await host.run(async () => {
        const started = now();
        await sleep(10);
        return [started, now()];
      });
      expect(times).toEqual([1000, 1010]);
      expect(now()).toBe(5);
    }),
  );

  test(
    "stands still for a program that is paused: its timers are late",
    networkTest(async (network) => {
      const host = network.host("a");
      const woken: number[] = [];
      host.start(async () => {
        await asyncio.gather(
          [1, 2, 30].map(async (seconds) => {
            await sleep(seconds);
            woken.push(now());
          }),
        );
      });
      await sleep(0.5);
      host.pause();
      await sleep(10);
      expect(woken).toEqual([]);
      host.resume();
      await sleep(30);
      expect(woken).toEqual([10.5, 10.5, 30]);
    }),
  );
});

describe("names and options", () => {
  test("a network is made inside of a loop", () => {
    expect(() => new SimulatedNetwork()).toThrow("no running event loop");
  });

  test(
    "hosts that are not there, and bad options, are errors at the call",
    asyncTest(async () => {
      const network = new SimulatedNetwork();
      network.host("a");
      expect(() => network.cut("a", "b")).toThrow("no such host: make it with network.host('b')");
      expect(() => new SimulatedNetwork({ loss: 2 })).toThrow("loss: expected 0 to 1, received 2");
      expect(() => new SimulatedNetwork({ latency: -1 })).toThrow("latency: expected no negative time");
      expect(() => new SimulatedNetwork({ latency: [2, 1] })).toThrow("latency: expected [least, most]");
    }),
  );
});

describe("in a search", () => {
  /** Fails when the answer of the second question comes before that of the first. */
  const racing = async (): Promise<void> => {
    const network = new SimulatedNetwork({ latency: [0.01, 0.05] });
    network.host("server").start(echo);
    await sleep(1);
    const answers: string[] = [];
    const client = network.host("client");
    await client.run(async () => {
      await asyncio.gather([1, 2].map(async (n) => void answers.push(await ask("server", `question ${n}`))));
    });
    if (answers[0] !== "question 1") throw new Error("overtaken");
  };

  test("latencies are choices: found, shrunk, told, and replayed", async () => {
    const { failure, schedules } = await explore(racing, { runs: 200 });
    expect(schedules).toBeLessThan(20);
    expect(String(failure)).toContain("overtaken");
    expect(failure!.differences.join("\n")).toMatch(/client → server: took 0\.0\d+ s|server → client: took/);
    await expect(replay(racing, failure!.token)).rejects.toThrow("overtaken");
  });

  test("without chance it is clean, and an exhaustive search says so", async () => {
    const quiet = async (): Promise<void> => {
      const network = new SimulatedNetwork();
      network.host("server").start(echo);
      await sleep(1);
      await network.host("client").run(async () => await ask("server"));
    };
    const { failure, exhausted } = await explore(quiet, { policy: "delays", bound: 1, runs: 5000 });
    expect([failure && String(failure), exhausted]).toEqual([null, true]);
  });

  test("what cannot be controlled is refused on hosts too", async () => {
    const { failure } = await explore(
      async () => {
        const network = new SimulatedNetwork();
        await network.host("a").run(async () => Date.now());
      },
      { runs: 10 },
    );
    expect(String(failure)).toContain("Date.now() cannot be controlled");
  });

  test("a task of a host may be the one that is cancelled", async () => {
    const { failure } = await explore(
      async () => {
        const network = new SimulatedNetwork();
        await network.host("a").run(async () => {
          const task = createTask(async () => await sleep(1), { name: "sleeper" });
          await asyncio.wait([task]);
          if (task.cancelled()) throw new Error("cancelled there");
        });
      },
      { cancels: 1, runs: 500 },
    );
    expect(String(failure)).toContain("a: sleeper was cancelled");
  });
});
