/**
 * The library under its own search: small scenarios of two or three tasks on each primitive, every order within a bound, and a
 * cancellation at every wait. Each scenario says what must hold; a deadlock and a report fail by themselves.
 */

import * as asyncio from "asyncio-ts";
import type { ExploreBody, ExploreOptions } from "asyncio-ts/testing";
import { explore, memoryStreams, SimulatedNetwork } from "asyncio-ts/testing";
import { describe, expect, test } from "vitest";

const { createTask, sleep } = asyncio;

interface Scenario {
  readonly name: string;
  readonly body: ExploreBody;
  /** Only these, if the others have no end: two loops and a network take many steps. */
  readonly searches?: readonly string[];
}

/** Starts `works` as tasks, and waits until each has ended, however it ends. What fails otherwise than cancelled is raised. */
async function settle(...works: (() => PromiseLike<unknown>)[]): Promise<asyncio.Task<unknown>[]> {
  const tasks = works.map((work, i) => createTask(work as () => Promise<unknown>, { name: `task ${i + 1}` }));
  await asyncio.wait(tasks);
  for (const task of tasks) if (!task.cancelled() && task.exception() !== null) throw task.exception();
  return tasks;
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: "Lock: one at a time, and free at the end",
    body: async (exploring) => {
      const lock = new asyncio.Lock();
      let inside = 0;
      exploring.always("one at a time", () => inside < 2);
      const use = async (): Promise<void> => {
        await lock.acquire();
        inside++;
        try {
          await sleep(0);
        } finally {
          inside--;
          lock.release();
        }
      };
      await settle(use, use, use);
      check(!lock.locked(), "the lock is held by nobody");
      await lock.acquire();
    },
  },
  {
    name: "Semaphore: never over its value, and whole at the end",
    body: async (exploring) => {
      const semaphore = new asyncio.Semaphore(2);
      let inside = 0;
      exploring.always("two at a time", () => inside < 3);
      const use = async (): Promise<void> => {
        await semaphore.acquire();
        inside++;
        try {
          await sleep(0);
        } finally {
          inside--;
          semaphore.release();
        }
      };
      await settle(use, use, use);
      await semaphore.acquire();
      await semaphore.acquire();
      check(semaphore.locked(), "a slot too many");
    },
  },
  {
    name: "Condition: a notification is not lost with the one who got it",
    body: async () => {
      const condition = new asyncio.Condition();
      const items: number[] = [];
      const take = () =>
        condition.hold(async () => {
          await condition.waitFor(() => items.length > 0);
          items.pop();
        });
      const put = () =>
        condition.hold(async () => {
          items.push(1);
          condition.notify();
        });
      const takers = [createTask(take, { name: "taker 1" }), createTask(take, { name: "taker 2" })];
      const putters = [createTask(put, { name: "putter 1" }), createTask(put, { name: "putter 2" })];
      await asyncio.wait(putters);
      const { pending: waiting } = await asyncio.wait(takers, { timeout: 1 });
      check(waiting.size === 0 || items.length === 0, "one waits for what is there");
      for (const task of takers) task.cancel();
      await asyncio.wait(takers);
      check(!condition.locked(), "the condition is locked by nobody");
    },
  },
  {
    name: "Event: everybody who waits goes on",
    body: async () => {
      const event = new asyncio.Event();
      await settle(
        () => event.wait(),
        () => event.wait(),
        async () => {
          try {
            await sleep(0);
          } finally {
            event.set();
          }
        },
      );
    },
  },
  {
    name: "Barrier: who passes has a place of his own, and nobody is left behind",
    body: async () => {
      const barrier = new asyncio.Barrier(2);
      const places: number[] = [];
      const arrive = async (): Promise<void> => {
        try {
          places.push(await barrier.wait());
        } catch (error) {
          if (!(error instanceof asyncio.BrokenBarrierError)) throw error;
        }
      };
      const tasks = [createTask(arrive, { name: "task 1" }), createTask(arrive, { name: "task 2" })];
      const { pending: waiting } = await asyncio.wait(tasks, { timeout: 1 });
      check(waiting.size < 2, "two are as many as it takes");
      await barrier.abort();
      await asyncio.wait(tasks);
      check(new Set(places).size === places.length, "two have the same place");
      check(barrier.nWaiting === 0, "one is counted who has gone");
    },
  },
  {
    name: "Queue: no item is lost or doubled",
    body: async () => {
      const queue = new asyncio.Queue<number>(1);
      const sent: number[] = [];
      const got: number[] = [];
      const produce = async (): Promise<void> => {
        for (const item of [1, 2, 3]) {
          await queue.put(item);
          sent.push(item);
        }
      };
      const consume = async (): Promise<void> => {
        for await (const item of queue) got.push(item);
      };
      const consumers = [createTask(consume, { name: "consumer 1" }), createTask(consume, { name: "consumer 2" })];
      await settle(produce);
      queue.shutdown();
      await asyncio.wait(consumers);
      while (!queue.empty()) got.push(queue.getNowait());
      check(got.toSorted().join() === sent.join(), `sent ${sent.join()}, got ${got.join()}`);
    },
  },
  {
    name: "TaskGroup: nothing outlives it",
    body: async () => {
      let running = 0;
      const child = async (): Promise<void> => {
        running++;
        try {
          await sleep(1);
        } finally {
          running--;
        }
      };
      await settle(async () => {
        try {
          await asyncio.taskGroup(async (group) => {
            group.createTask(child, { name: "child 1" });
            group.createTask(child, { name: "child 2" });
            await sleep(0);
          });
        } finally {
          check(running === 0, "a child outlives its group");
        }
      });
    },
  },
  {
    name: "timeout: either the result or a TimeoutError, and no timer is left",
    body: async () => {
      const loop = asyncio.getRunningLoop() as asyncio.BaseEventLoop;
      const [task] = await settle(async () => {
        try {
          return await asyncio.timeout(1, async () => await sleep(1, "result"));
        } catch (error) {
          if (error instanceof asyncio.TimeoutError) return "late";
          throw error;
        }
      });
      if (!task!.cancelled()) check(["result", "late"].includes(task!.result() as string), "neither");
      check(loop.statistics().timers === 0, "a timer is left");
    },
  },
  {
    name: "gather: cancelled or not, its children end",
    body: async () => {
      let running = 0;
      const child = (turns: number) => async (): Promise<number> => {
        running++;
        try {
          for (let i = 0; i < turns; i++) await sleep(0);
          return turns;
        } finally {
          running--;
        }
      };
      const [task] = await settle(async () => await asyncio.gather([createTask(child(1)), createTask(child(2))]));
      for (let i = 0; i < 6; i++) await sleep(0);
      check(running === 0, "a child goes on");
      if (!task!.cancelled()) check(String(task!.result()) === "1,2", "wrong results");
    },
  },
  {
    name: "shield: what is inside ends, whoever waits",
    body: async () => {
      let ended = false;
      const inner = createTask(
        async () => {
          await sleep(1);
          ended = true;
        },
        { name: "inner" },
      );
      await settle(
        async () => await asyncio.shield(inner),
        async () => await asyncio.shield(inner),
      );
      await asyncio.wait([inner]);
      check(ended || inner.cancelled(), "the inner one was cut off");
    },
  },
  {
    name: "streams in memory: what was written arrives whole",
    body: async () => {
      const [near, far] = await memoryStreams();
      const [reading, writing] = await settle(
        async () => String(await far[0].read()),
        async () => {
          try {
            near[1].write("one");
            await near[1].drain();
          } finally {
            near[1].close();
          }
        },
      );
      far[1].close();
      await far[1].waitClosed();
      if (!reading!.cancelled() && !writing!.cancelled()) check(reading!.result() === "one", "not what was written");
    },
  },
  {
    name: "asCompleted: each result once, and nothing goes on when its reader has left",
    body: async () => {
      let running = 0;
      const child = (turns: number) => async (): Promise<number> => {
        running++;
        try {
          for (let i = 0; i < turns; i++) await sleep(0);
          return turns;
        } finally {
          running--;
        }
      };
      const children = [createTask(child(1)), createTask(child(2))];
      const got: number[] = [];
      await settle(async () => {
        for await (const [done] of asyncio.asCompleted(children)) if (!done.cancelled()) got.push(done.result());
      });
      await asyncio.wait(children);
      check(running === 0, "a child goes on");
      check(new Set(got).size === got.length, `got ${got.join()}`);
    },
  },
  {
    name: "wait: whoever waits is told once, and forgets the rest",
    body: async () => {
      const quick = createTask(async () => await sleep(0), { name: "quick" });
      const slow = createTask(async () => await sleep(1), { name: "slow" });
      const [waiting] = await settle(
        async () => await asyncio.wait([quick, slow], { returnWhen: asyncio.FIRST_COMPLETED }),
      );
      if (!waiting!.cancelled()) {
        const { done, pending } = waiting!.result() as asyncio.WaitResult<asyncio.Task<void>>;
        check(done.size + pending.size === 2 && done.size > 0, "both are somewhere, and one is done");
      }
      await asyncio.wait([quick, slow]);
    },
  },
  {
    name: "server shutdown: who is served is served to the end, and nothing is left",
    searches: ["delays"],
    body: async () => {
      const network = new SimulatedNetwork();
      network.host("server");
      let serving = 0;
      const serve = (): Promise<void> =>
        network.host("server").run(async () => {
          const server = await asyncio.startServer(
            async (reader, writer) => {
              serving++;
              try {
                const line = await reader.readline();
                if (line.length > 0) writer.write(line);
              } catch (error) {
                if (!(error instanceof asyncio.ConnectionResetError)) throw error;
              } finally {
                writer.close();
                serving--;
              }
            },
            null,
            80,
          );
          await sleep(0.002);
          await server.shutdown({ grace: 1 });
          check(serving === 0, "somebody is served still");
          check(server.statistics().connections === 0, "a connection is left");
        });
      const ask = (): Promise<string> =>
        network.host("client").run(async () => {
          try {
            const [reader, writer] = await asyncio.openConnection("server", 80);
            writer.write("hello\n");
            const line = String(await reader.readline());
            writer.close();
            return line;
          } catch (error) {
            const { code = null } = error as { readonly code?: string };
            if (error instanceof asyncio.ConnectionResetError || code === "ECONNREFUSED") return "refused";
            throw error;
          }
        });
      const [, asking] = await settle(serve, ask);
      const answer = asking!.cancelled() ? "" : String(asking!.result());
      check(["hello\n", "", "refused"].includes(answer), `got ${answer}`);
    },
  },
];

const SEARCHES: readonly [string, ExploreOptions][] = [
  ["every order within a bound of two delays", { policy: "delays", bound: 2 }],
  ["every order within an interruption", { policy: "preemptions", bound: 1 }],
  ["a cancellation at every wait", { policy: "delays", bound: 2, cancels: 1 }],
];

describe.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))("%s", (_name, { body, searches }) => {
  const chosen = SEARCHES.filter(([, { policy }]) => searches?.includes(policy!) ?? true);
  test.each(chosen)("%s", async (_search, options) => {
    const { failure, exhausted } = await explore(body, { order: "any", runs: 50_000, ...options });
    expect(failure === null ? null : String(failure)).toBeNull();
    expect(exhausted).toBe(true);
  });
});
