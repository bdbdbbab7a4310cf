/** Bugs of patterns: the ones that every study of concurrent programs finds. */

import * as asyncio from "asyncio-ts";
import type { Bug } from "./bug.ts";

const { createTask, gather, sleep } = asyncio;

/** So many turns of the loop. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await sleep(0);
}

function all(...works: (() => PromiseLike<unknown>)[]): asyncio.Future<unknown[]> {
  return gather(works.map((work, i) => createTask(work, { name: work.name || `task ${i + 1}` })));
}

export const patterns: readonly Bug[] = [
  {
    name: "lost update",
    source: "NodeCB: an invariant broken across an await",
    order: "any",
    bound: 6,
    program: (isMended) => async () => {
      const lock = new asyncio.Lock();
      let balance = 0;
      const add = async (): Promise<void> => {
        const before = balance;
        await sleep(0);
        balance = before + 1;
      };
      const deposit = async (): Promise<void> => (isMended ? await lock.hold(add) : await add());
      await all(deposit, deposit);
      if (balance !== 2) throw new Error("a deposit is lost");
    },
  },
  {
    name: "check, then act",
    source: "SCTBench",
    order: "any",
    bound: 3,
    program: (isMended) => async () => {
      const lock = { isTaken: false };
      let inside = 0;
      const enter = async (late: number): Promise<void> => {
        await turns(late);
        while (lock.isTaken) await sleep(0);
        if (!isMended) await sleep(0); // between the look and the act
        lock.isTaken = true;
        if (++inside > 1) throw new Error("two are inside");
        await sleep(0);
        inside--;
        lock.isTaken = false;
      };
      await all(
        () => enter(0),
        () => enter(4),
      );
    },
  },
  {
    name: "deep order, twelve tasks",
    source: "runtimes.md 3.2",
    order: "any",
    bound: 1,
    program: (isMended) => async () => {
      const [configured, connected] = [new asyncio.Event(), new asyncio.Event()];
      const bystanders = Array.from({ length: 9 }, () => () => turns(2));
      await all(
        async () => {
          if (isMended) await connected.wait();
          else await turns(2);
          if (!connected.isSet()) throw new Error("migrates before it is connected");
        },
        async () => {
          if (isMended) await configured.wait();
          else await turns(1);
          if (!configured.isSet()) throw new Error("connects before it is configured");
          connected.set();
        },
        async () => {
          await sleep(0);
          configured.set();
        },
        ...bystanders,
      );
    },
  },
  {
    name: "starvation, fourteen steps",
    source: "runtimes.md 3.2",
    order: "any",
    bound: 2,
    program: (isMended) => async () => {
      const other = { isServed: false };
      const served = new asyncio.Event();
      const hog = async (): Promise<void> => {
        if (isMended) {
          await served.wait();
          return;
        }
        for (let i = 0; i < 14 && !other.isServed; i++) await sleep(0);
        if (!other.isServed) throw new Error("the other one starves");
      };
      const serve = async (): Promise<void> => {
        await sleep(0);
        other.isServed = true;
        served.set();
      };
      await all(hog, serve);
    },
  },
  {
    name: "a queue closed under a second producer",
    source: "runtimes.md 3.2",
    order: "any",
    bound: 3,
    program: (isMended) => async () => {
      const queue = new asyncio.Queue<number>();
      let producers = 2;
      const produce = async (count: number): Promise<void> => {
        for (let i = 0; i < count; i++) {
          await sleep(0);
          await queue.put(i);
        }
        if (--producers === 0 || !isMended) queue.shutdown();
      };
      const consume = async (): Promise<void> => {
        for await (const _item of queue) await sleep(0);
      };
      const first = (): Promise<void> => produce(2);
      const second = (): Promise<void> => produce(1);
      const late = async (): Promise<void> => {
        await sleep(0);
        await second();
      };
      // The second one begins late, and so ends last in the usual order; what is put after the end raises.
      await all(first, isMended ? second : late, consume).then(
        () => {},
        (error: unknown) => {
          if (error instanceof asyncio.QueueShutDown) throw new Error("an item is refused");
          throw error;
        },
      );
    },
  },
  {
    name: "the timeout and the result at the same instant",
    source: "runtimes.md 3.2",
    order: "legal",
    bound: 3,
    program: (isMended) => async () => {
      const loop = asyncio.getRunningLoop();
      const reply = loop.createFuture<string>();
      let state = "waiting";
      loop.callLater(1, () => {
        if (isMended && state !== "waiting") return;
        if (state === "timed out") throw new Error("a reply to a request that is over");
        state = "answered";
        reply.setResult("reply");
      });
      loop.callLater(1, () => {
        if (isMended && state !== "waiting") return;
        state = "timed out";
      });
      await sleep(2);
    },
  },
  {
    name: "bounded buffer: the wrong one is woken",
    source: "Cargill's bounded buffer",
    order: "any",
    bound: 2,
    program: (isMended) => async () => {
      const condition = new asyncio.Condition();
      const buffer: number[] = [];
      const tell = (): void => (isMended ? condition.notifyAll() : condition.notify());
      const put = (item: number) =>
        condition.hold(async () => {
          while (buffer.length === 1) await condition.wait();
          buffer.push(item);
          tell();
        });
      const take = () =>
        condition.hold(async () => {
          while (buffer.length === 0) await condition.wait();
          buffer.shift();
          tell();
        });
      await all(
        () => take(),
        () => take(),
        () => put(1),
        () => put(2),
      );
    },
  },
  {
    name: "dining philosophers",
    source: "Dijkstra",
    order: "any",
    bound: 2,
    program: (isMended) => async () => {
      const forks = [0, 1, 2].map(() => new asyncio.Lock());
      const dine = (seat: number) => async (): Promise<void> => {
        await turns(seat * 4);
        const pair = [seat, (seat + 1) % 3];
        const [first, second] = (isMended ? pair.toSorted() : pair).map((index) => forks[index]!) as [
          asyncio.Lock,
          asyncio.Lock,
        ];
        await first.acquire();
        await sleep(0);
        await second.acquire();
        second.release();
        first.release();
      };
      await all(dine(0), dine(1), dine(2));
    },
  },
  {
    name: "lazy initialisation, twice",
    source: "NodeCB",
    order: "any",
    bound: 4,
    program: (isMended) => async () => {
      let made = 0;
      let connection: asyncio.Task<number> | number | null = null;
      const connect = async (): Promise<number> => {
        await sleep(0);
        return ++made;
      };
      const get = async (late: number): Promise<void> => {
        await turns(late);
        if (isMended) {
          connection ??= createTask(connect);
          await connection;
        } else connection ??= await connect();
      };
      await all(
        () => get(0),
        () => get(3),
      );
      if (made !== 1) throw new Error("two connections");
    },
  },
  {
    name: "closed twice",
    source: "NodeCB",
    order: "any",
    bound: 4,
    program: (isMended) => async () => {
      let isOpen = true;
      let closed = 0;
      const close = async (late: number): Promise<void> => {
        await turns(late);
        if (!isOpen) return;
        if (isMended) isOpen = false;
        await sleep(0); // says goodbye
        isOpen = false;
        if (++closed > 1) throw new Error("closed twice");
      };
      await all(
        () => close(0),
        () => close(3),
      );
    },
  },
  {
    name: "a connection accepted while the server shuts down",
    source: "NodeCB",
    order: "any",
    bound: 4,
    program: (isMended) => async () => {
      const connections = new Set<number>();
      let isClosed = false;
      const accept = async (): Promise<void> => {
        await sleep(0); // the handshake
        if (isMended && isClosed) return;
        connections.add(1);
      };
      const shutDown = async (): Promise<void> => {
        await turns(4);
        isClosed = true;
        for (const connection of connections) connections.delete(connection);
      };
      await all(accept, shutDown);
      if (connections.size > 0) throw new Error("a connection is left");
    },
  },
];
