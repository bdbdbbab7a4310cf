/** explore() and replay(): what is found, how it is told, and how it is had again. */

import * as asyncio from "asyncio-ts";
import type { ExploreBody, ExploreOptions, Policy } from "asyncio-ts/testing";
import {
  EndlessError,
  explore,
  faultPoint,
  InvariantError,
  NondeterminismError,
  now,
  random,
  replay,
  ReportedError,
  UncontrolledError,
} from "asyncio-ts/testing";
import { afterEach, describe, expect, test, vi } from "vitest";

const { createTask, gather, sleep } = asyncio;

/** Two tasks take two locks in opposite orders; the second one comes late, so that the usual order is safe. */
const DEADLOCK: readonly [string, ExploreBody][] = [
  [
    "async functions",
    async () => {
      const [a, b] = [new asyncio.Lock(), new asyncio.Lock()];
      const takeBoth = async (first: asyncio.Lock, second: asyncio.Lock, turns: number): Promise<void> => {
        for (let i = 0; i < turns; i++) await sleep(0);
        await first.acquire();
        await sleep(0);
        await second.acquire();
        second.release();
        first.release();
      };
      const early = createTask(() => takeBoth(a, b, 0), { name: "early" });
      const late = createTask(() => takeBoth(b, a, 6), { name: "late" });
      await gather([early, late]);
    },
  ],
  [
    "generators",
    function* () {
      const [a, b] = [new asyncio.Lock(), new asyncio.Lock()];
      function* takeBoth(first: asyncio.Lock, second: asyncio.Lock, turns: number): asyncio.CoroutineGenerator<void> {
        for (let i = 0; i < turns; i++) yield* sleep(0);
        yield* first.acquire();
        yield* sleep(0);
        yield* second.acquire();
        second.release();
        first.release();
      }
      const early = createTask(takeBoth(a, b, 0), { name: "early" });
      const late = createTask(takeBoth(b, a, 6), { name: "late" });
      yield* gather([early, late]);
    },
  ],
];

const ANY: ExploreOptions = { order: "any" };

describe.each(DEADLOCK)("a deadlock that the usual order does not have, in %s", (_syntax, body) => {
  test("is found, told in words, and had again from its token", async () => {
    const { failure, schedules, exhausted } = await explore(body, ANY);
    expect(failure!.error).toBeInstanceOf(asyncio.DeadlockError);
    expect([failure!.needs, exhausted]).toEqual(["any", false]);
    expect(schedules).toBeGreaterThan(1);
    expect(failure!.differences.join("\n")).toMatch(/^step \d+: late ran \d times in a row before early$/m);
    expect(String(failure)).toContain(`await replay(body, "${failure!.token}")`);
    expect(failure!.timeline).toMatch(/\n +\d+-\d+ +0\.000 s {2}late\n/);
    await expect(replay(body, failure!.token)).rejects.toBeInstanceOf(asyncio.DeadlockError);
  });

  test.each<[Policy, number]>([
    ["random", 300],
    ["urw", 300],
    ["pct", 100],
    ["pos", 1000],
    ["preemptions", 1000],
  ])("is found by %s", async (policy, runs) => {
    const { failure } = await explore(body, { ...ANY, policy, runs });
    expect(failure?.error).toBeInstanceOf(asyncio.DeadlockError);
  });

  test("is out of reach of a few delays, which are all tried", async () => {
    const { failure, exhausted, bound } = await explore(body, { ...ANY, policy: "delays", bound: 2 });
    expect([failure, exhausted, bound]).toEqual([null, true, 2]);
  });

  test("is no order of the platform's", async () => {
    const { failure, schedules } = await explore(body, { runs: 50 });
    expect([failure, schedules]).toEqual([null, 50]);
  });

  test("the same search finds the same schedule", async () => {
    const [first, second] = [await explore(body, { ...ANY, seed: 7 }), await explore(body, { ...ANY, seed: 7 })];
    expect(first.failure!.token).toBe(second.failure!.token);
    expect(first.schedules).toBe(second.schedules);
  });
});

describe("what a run may fail with", () => {
  test("an error of its own, in the usual order: one schedule is enough", async () => {
    const body: ExploreBody = async () => {
      await sleep(1);
      throw new RangeError("always");
    };
    const { failure, schedules } = await explore(body);
    expect([failure!.error, failure!.needs, failure!.differences, schedules]).toEqual([
      new RangeError("always"),
      "usual",
      [],
      1,
    ]);
    expect(String(failure)).toContain("every ordinary run fails");
  });

  test("an invariant that is broken for a step", async () => {
    const body: ExploreBody = async (exploring) => {
      let inside = 0;
      exploring.always("one at a time", () => inside < 2);
      const visit = async (): Promise<void> => {
        await sleep(0);
        inside++;
        await sleep(0);
        inside--;
      };
      await gather([createTask(visit), createTask(visit)]);
    };
    const { failure } = await explore(body);
    expect(failure!.error).toEqual(new InvariantError("does not hold: one at a time"));
  });

  test("an invariant that throws, as expect() does", async () => {
    const body: ExploreBody = async (exploring) => {
      let value = 0;
      exploring.always("small", () => {
        if (value > 1) throw new TypeError("too large");
      });
      value = 2;
      await sleep(0);
    };
    expect((await explore(body)).failure!.error).toEqual(new TypeError("too large"));
  });

  test("something that never comes true", async () => {
    const body =
      (count: number): ExploreBody =>
      async (exploring) => {
        let value = 0;
        exploring.eventually("reached 2", () => value === 2);
        for (; value < count; value++) await sleep(0);
        await sleep(0);
      };
    expect((await explore(body(2), { runs: 5 })).failure).toBeNull();
    expect((await explore(body(1))).failure!.error).toEqual(new InvariantError("never came true: reached 2"));
  });

  test("a report to the exception handler, whose exception is the cause", async () => {
    const body: ExploreBody = async () => {
      asyncio.getRunningLoop().callSoon(() => {
        throw new RangeError("in a callback");
      });
      await sleep(1);
    };
    const { error } = (await explore(body)).failure!;
    expect(error).toBeInstanceOf(ReportedError);
    expect((error as Error).cause).toEqual(new RangeError("in a callback"));
  });

  test("an error of a task that is cleaned up", async () => {
    const body: ExploreBody = async () => {
      void createTask(async () => {
        try {
          await sleep(100);
        } catch {
          throw new RangeError("in the cleanup");
        }
      });
      await sleep(1);
    };
    expect((await explore(body)).failure!.error).toEqual(new RangeError("in the cleanup"));
  });

  test.each<[string, ExploreBody]>([
    [
      "async functions",
      async () => {
        for (;;) await sleep(0);
      },
    ],
    [
      "generators",
      function* () {
        for (;;) yield* sleep(0);
      },
    ],
  ])("no end, in %s", async (_syntax, body) => {
    const { error } = (await explore(body, { maxSteps: 100, shrinkRuns: 0 })).failure!;
    expect(error).toEqual(new EndlessError("the program took more than 100 steps: maxSteps allows for more"));
  });

  test("no end, also of the cleanup", async () => {
    const body: ExploreBody = async () => {
      void createTask(function* () {
        for (;;) {
          try {
            yield* sleep(0);
          } catch {
            // goes on
          }
        }
      });
      await sleep(0);
    };
    expect((await explore(body, { maxSteps: 100 })).failure!.error).toBeInstanceOf(EndlessError);
  });

  test("a loop that waits for another task is none, however late that comes", async () => {
    const body: ExploreBody = async () => {
      const ready: true[] = [];
      const waiting = createTask(async () => {
        while (ready.length === 0) await sleep(0);
      });
      await gather([waiting, createTask(async () => void ready.push(true))]);
    };
    const { failure, schedules } = await explore(body, { ...ANY, policy: "pct", runs: 30 });
    expect([failure, schedules]).toEqual([null, 30]);
  });
});

describe("the legal order", () => {
  const orderOf = async (options: ExploreOptions, body: (log: string[]) => Promise<void>): Promise<string[]> => {
    const seen = new Set<string>();
    const { failure } = await explore(async () => {
      const log: string[] = [];
      await body(log);
      seen.add(log.join(" "));
    }, options);
    expect(failure).toBeNull();
    return [...seen].toSorted();
  };
  const note = (log: string[], text: string, seconds: number) => async (): Promise<void> => {
    await sleep(seconds);
    log.push(text);
  };

  test("timers due at the same instant come in any order, and others in theirs", async () => {
    const body = async (log: string[]): Promise<void> =>
      void (await gather([
        createTask(note(log, "a", 1)),
        createTask(note(log, "b", 1)),
        createTask(note(log, "c", 2)),
      ]));
    expect(await orderOf({ runs: 100 }, body)).toEqual(["a b c", "b a c"]);
    expect(await orderOf({ policy: "delays" }, body)).toEqual(["a b c", "b a c"]);
  });

  test("tasks come in the order in which they became ready", async () => {
    const body = async (log: string[]): Promise<void> =>
      void (await gather(["a", "b"].map((text) => createTask(note(log, text, 0)))));
    expect(await orderOf({ runs: 100 }, body)).toEqual(["a b"]);
    expect(await orderOf({ ...ANY, runs: 100 }, body)).toEqual(["a b", "b a"]);
  });

  test("a failure that needs no more is said to be legal, also by a search in any order", async () => {
    const body: ExploreBody = async () => {
      const log: string[] = [];
      await gather([createTask(note(log, "a", 1)), createTask(note(log, "b", 1))]);
      if (log[0] === "b") throw new Error("b was first");
    };
    const { failure } = await explore(body);
    expect([failure!.needs, failure!.differences]).toEqual(["legal", [expect.stringContaining("came before")]]);
    expect((await explore(body, ANY)).failure!.needs).toBe("legal");
    await expect(replay(body, failure!.token)).rejects.toThrow("b was first");
  });

  test("exhausted, without a bound, when no schedule costs more", async () => {
    const body: ExploreBody = () => sleep(1);
    expect(await explore(body, { policy: "delays" })).toEqual({
      failure: null,
      schedules: 1,
      exhausted: true,
      bound: Infinity,
    });
  });

  test("not exhausted when the runs are used up", async () => {
    const body: ExploreBody = async () => void (await gather(["a", "b", "c"].map(() => createTask(() => sleep(1)))));
    const { schedules, exhausted } = await explore(body, { ...ANY, policy: "delays", bound: 9, runs: 10 });
    expect([schedules, exhausted]).toEqual([10, false]);
  });
});

describe("faults", () => {
  test("tasks are cancelled at any of their waits, the body never", async () => {
    const places = new Set<string>();
    const body: ExploreBody = async () => {
      const task = createTask(async () => {
        for (const place of ["first", "second"]) {
          try {
            await sleep(1);
          } catch (error) {
            places.add(place);
            throw error;
          }
        }
      });
      await asyncio.wait([task]);
    };
    const { failure } = await explore(body, { cancels: 1, policy: "delays" });
    expect([failure, [...places]]).toEqual([null, expect.arrayContaining(["first", "second"])]);
  });

  test("what a cancellation breaks is told", async () => {
    const body: ExploreBody = async () => {
      let isBusy = false;
      const work = async (): Promise<void> => {
        isBusy = true;
        await sleep(1);
        isBusy = false; // not in a finally
      };
      await asyncio.wait([createTask(work, { name: "work" })]);
      if (isBusy) throw new Error("still busy");
    };
    const { failure } = await explore(body, { cancels: 1 });
    expect(failure!.differences).toEqual([expect.stringMatching(/^step \d+: work was cancelled$/)]);
    await expect(replay(body, failure!.token)).rejects.toThrow("still busy");
  });

  test("faultPoint() is true in some runs, and never outside", async () => {
    const body: ExploreBody = async () => {
      await sleep(0);
      if (faultPoint("disk full")) throw new Error("no space left");
    };
    const { failure } = await explore(body);
    expect(failure!.differences).toEqual([expect.stringMatching(/^step \d+: fault "disk full" happened$/)]);
    await asyncio.run(() => body({ always: vi.fn(), eventually: vi.fn() }) as Promise<void>);
    expect(faultPoint("disk full")).toBe(false);
  });
});

describe("what a program may depend on", () => {
  test("random() and now() belong to the schedule", async () => {
    const seen: [number, number][] = [];
    const body: ExploreBody = async () => {
      await sleep(2);
      seen.push([random(), now()]);
    };
    await explore(body, { runs: 2 });
    // The usual schedule and the first of a policy are run twice each, and have one seed.
    expect(seen.length).toBeGreaterThanOrEqual(4);
    expect(new Set(seen.map(([, time]) => time))).toEqual(new Set([2]));
    expect(seen[0]).toEqual(seen[1]);
    expect(Math.abs(now() - Date.now() / 1000)).toBeLessThan(60);
    expect(random()).toBeLessThan(1);
  });

  test.each<[string, () => unknown]>([
    ["setTimeout()", () => setTimeout(() => {}, 0)],
    ["setInterval()", () => setInterval(() => {}, 1)],
    ["setImmediate()", () => setImmediate(() => {})],
    ["fetch()", () => fetch("http://127.0.0.1")],
    ["Date.now()", () => Date.now()],
    ["new Date()", () => new Date()],
    ["Date()", () => Date()],
    ["performance.now()", () => performance.now()],
    ["Math.random()", () => Math.random()],
    ["crypto.randomUUID()", () => crypto.randomUUID()],
  ])("%s is refused, with the cure", async (name, call) => {
    for (const body of [
      async () => void (await call()),
      function* () {
        call();
        yield* sleep(0);
      },
    ] as ExploreBody[]) {
      const { error } = (await explore(body)).failure!;
      expect(error).toBeInstanceOf(UncontrolledError);
      expect((error as Error).message).toContain(`${name} cannot be controlled in explore(): `);
    }
  });

  test("what is refused is as it was afterwards, and meanwhile outside of the program", async () => {
    const before = [setTimeout, Date, Date.now, Math.random];
    let outside = 0;
    const searching = explore(() => sleep(1), { runs: 3 });
    outside = Date.now();
    expect(new Date(2026, 0) instanceof Date).toBe(true);
    await searching;
    expect(outside).toBeGreaterThan(0);
    expect([setTimeout, Date, Date.now, Math.random]).toEqual(before);
    expect(Date).toBe(before[1]);
  });

  test("a date that is given is allowed", async () => {
    const { failure } = await explore(async () => void new Date(2026, 0).toISOString(), { runs: 2 });
    expect(failure).toBeNull();
  });

  test("the network is not there", async () => {
    const { error } = (await explore(() => asyncio.openConnection("127.0.0.1", 1))).failure!;
    expect(error).toBeInstanceOf(asyncio.RuntimeError);
  });

  test("anything else makes it another program each time, which is told with the first difference", async () => {
    let runs = 0;
    const body: ExploreBody = async () => {
      runs++;
      await sleep(runs);
    };
    const error = await explore(body).then(String, (reason: unknown) => reason);
    expect(error).toBeInstanceOf(NondeterminismError);
    expect((error as Error).message).toMatch(
      /step 1 was one of a timer of main at 1 s, .* one of a timer of main at 2 s$/,
    );
  });
});

describe("mistakes", () => {
  test.each<[ExploreOptions, string]>([
    [{ runs: 0 }, "runs must be at least 1: received 0"],
    [{ bound: -1 }, "bound must not be negative: received -1"],
    [{ maxSteps: Number.NaN }, "maxSteps must be at least 1: received NaN"],
  ])("explore(body, %o)", async (options, message) => {
    await expect(explore(async () => {}, options)).rejects.toThrow(new RangeError(message));
  });

  test.each(["", "1a", "1a.AA.0", "2a.AA.qsgi5p"])("replay(body, %j)", async (token) => {
    await expect(replay(async () => {}, token)).rejects.toThrow(/^(not a token of|the token of) explore\(\)/);
  });

  test("a timer may be late, by a little or by much", async () => {
    const body: ExploreBody = async () => {
      const order: string[] = [];
      const note = (name: string, seconds: number) => async (): Promise<void> => {
        await sleep(seconds);
        order.push(name);
      };
      await gather([note("first", 1), note("second", 1.5)].map((work) => createTask(work, { name: "sleeper" })));
      if (order[0] !== "first") throw new Error("the second came first");
    };
    expect((await explore(body)).failure).toBeNull();
    const { failure } = await explore(body, { lateTimers: 1 });
    expect(failure!.differences).toEqual([expect.stringMatching(/^step \d+: a timer of sleeper is 1 s late$/)]);
    await expect(replay(body, failure!.token)).rejects.toThrow("the second came first");
  });
});

describe("a token in the environment", () => {
  afterEach(() => vi.unstubAllEnvs());

  const body: ExploreBody = async () => {
    await sleep(0);
    if (faultPoint("disk full")) throw new Error("no space left");
  };

  test("is run again by every search instead of searching, and the failure says how", async () => {
    const { failure, schedules } = await explore(body);
    expect(schedules).toBeGreaterThan(1);
    const [, line] = /Run it again: (\S+) before/.exec(String(failure))!;
    const [name, token] = line!.split("=");
    vi.stubEnv(name!, token);
    const again = await explore(body);
    expect([again.schedules, again.failure!.token, again.failure!.differences]).toEqual([
      1,
      token,
      failure!.differences,
    ]);
    const other = await explore(async () => await sleep(0));
    expect([other.schedules, other.failure]).toEqual([1, null]);
  });

  test("is followed to its end, however long the run is", async () => {
    const long: ExploreBody = async () => {
      for (let i = 0; i < 1500; i++) await sleep(0);
      if (faultPoint("late")) throw new Error("after many steps");
    };
    const { failure } = await explore(long, { runs: 100, shrinkRuns: 0 });
    vi.stubEnv("ASYNCIO_EXPLORE_TOKEN", failure!.token);
    expect(String((await explore(long)).failure)).toContain("after many steps");
  });

  test("that is none is refused", async () => {
    vi.stubEnv("ASYNCIO_EXPLORE_TOKEN", "1a.nonsense");
    await expect(explore(body)).rejects.toThrow("not a token of explore()");
    vi.stubEnv("ASYNCIO_EXPLORE_TOKEN", "");
    expect((await explore(body)).schedules).toBeGreaterThan(1);
  });
});
