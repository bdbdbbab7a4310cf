/** Bugs of real libraries, in the words of asyncio: their primitives as they were, and as they are. */

import * as asyncio from "asyncio-ts";
import type { Bug } from "./bug.ts";

const { createTask, gather, sleep } = asyncio;

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await sleep(0);
}

/** A line of futures; the waiters of the primitives below. */
class Line {
  readonly waiters: asyncio.Future<void>[] = [];

  async wait(onCancel: () => void = () => {}): Promise<void> {
    const future = asyncio.getRunningLoop().createFuture();
    this.waiters.push(future);
    try {
      await future;
    } catch (error) {
      // It was woken, and cancelled before it could go on.
      if (future.done() && !future.cancelled()) onCancel();
      throw error;
    } finally {
      const index = this.waiters.indexOf(future);
      if (index !== -1) this.waiters.splice(index, 1);
    }
  }

  wakeFirst(): boolean {
    const next = this.waiters.find((future) => !future.done());
    next?.setResult();
    return next !== undefined;
  }
}

/** bpo-27585: the lock is free, and the one who was woken does not take it and wakes no other. */
class OldLock {
  #isLocked: boolean = false;
  readonly #line: Line = new Line();
  readonly #isMended: boolean;

  constructor(isMended: boolean) {
    this.#isMended = isMended;
  }

  async acquire(): Promise<void> {
    while (this.#isLocked || this.#line.waiters.some((future) => future.done())) {
      await this.#line.wait(() => {
        if (this.#isMended && !this.#isLocked) this.#line.wakeFirst();
      });
      if (!this.#isLocked) break;
    }
    this.#isLocked = true;
  }

  release(): void {
    this.#isLocked = false;
    this.#line.wakeFirst();
  }
}

/** A semaphore whose slot goes to the one who is woken; what happens to it when that one is cancelled is the question. */
class OldSemaphore {
  #slots: number;
  readonly #line: Line = new Line();
  readonly #isMended: boolean;

  constructor(slots: number, isMended: boolean) {
    this.#slots = slots;
    this.#isMended = isMended;
  }

  async acquire(): Promise<void> {
    if (this.#slots > 0) {
      this.#slots--;
      return;
    }
    await this.#line.wait(() => {
      if (this.#isMended) this.release();
    });
  }

  release(): void {
    if (!this.#line.wakeFirst()) this.#slots++;
  }
}

/** A limiter that counts a slot as free from its release until the one who was woken goes on (anyio #947, #1170). */
class OldLimiter {
  #used: number = 0;
  readonly #line: Line = new Line();
  readonly #total: number;
  readonly #isMended: boolean;
  mostUsed: number = 0;

  constructor(total: number, isMended: boolean) {
    this.#total = total;
    this.#isMended = isMended;
  }

  async acquire(): Promise<void> {
    if (this.#used < this.#total) this.#take();
    else {
      await this.#line.wait();
      if (!this.#isMended) this.#take();
    }
  }

  release(): void {
    const isHandedOn = this.#line.wakeFirst();
    if (!(this.#isMended && isHandedOn)) this.#used--;
  }

  #take(): void {
    this.mostUsed = Math.max(this.mostUsed, ++this.#used);
  }
}

/** A queue whose getter that was woken takes the item only when it goes on (python/asyncio#269). */
class OldQueue<T> {
  readonly #items: T[] = [];
  readonly #getters: Line = new Line();
  readonly #isMended: boolean;

  constructor(isMended: boolean) {
    this.#isMended = isMended;
  }

  put(item: T): void {
    this.#items.push(item);
    this.#getters.wakeFirst();
  }

  async get(): Promise<T> {
    while (this.#items.length === 0) {
      await this.#getters.wait(() => {
        if (this.#isMended && this.#items.length > 0) this.#getters.wakeFirst();
      });
    }
    return this.#items.shift()!;
  }
}

/** One holds, two wait; the first of those is cancelled as it is woken: the second must come to its turn. */
function cancelledAsItIsWoken(make: (isMended: boolean) => { acquire(): Promise<void>; release(): void }) {
  return (isMended: boolean) => async (): Promise<void> => {
    const slot = make(isMended);
    await slot.acquire();
    const wait = async (): Promise<void> => {
      await slot.acquire();
      slot.release();
    };
    const [first, second] = [createTask(wait, { name: "first" }), createTask(wait, { name: "second" })];
    const release = createTask(
      async () => {
        await turns(3);
        slot.release();
      },
      { name: "release" },
    );
    const cancel = createTask(
      async () => {
        await turns(9);
        first.cancel();
      },
      { name: "cancel" },
    );
    await gather([first, second, release, cancel], { returnExceptions: true });
  };
}

export const primitives: readonly Bug[] = [
  {
    name: "lock: the one who is woken is cancelled",
    source: "bpo-27585, anyio #1145",
    order: "any",
    bound: 2,
    program: cancelledAsItIsWoken((isMended) => new OldLock(isMended)),
  },
  {
    name: "semaphore: the one who is woken is cancelled",
    source: "gh-90155, bpo-45997",
    order: "any",
    bound: 2,
    program: cancelledAsItIsWoken((isMended) => new OldSemaphore(1, isMended)),
  },
  {
    name: "semaphore: a slot is lost with any cancellation",
    source: "python/asyncio#270",
    order: "legal",
    cancels: 1,
    bound: 1,
    program: (isMended) => async () => {
      const semaphore = new OldSemaphore(1, isMended);
      const work = async (): Promise<void> => {
        await semaphore.acquire();
        try {
          await sleep(1);
        } finally {
          semaphore.release();
        }
      };
      await asyncio.wait([1, 2, 3].map((i) => createTask(work, { name: `worker ${i}` })));
      await semaphore.acquire();
    },
  },
  {
    name: "queue: the getter who is woken is cancelled",
    source: "python/asyncio#269",
    order: "any",
    bound: 2,
    program: (isMended) => async () => {
      const queue = new OldQueue<string>(isMended);
      const got: string[] = [];
      const take = async (): Promise<void> => void got.push(await queue.get());
      const [first, second] = [createTask(take, { name: "first" }), createTask(take, { name: "second" })];
      const put = createTask(
        async () => {
          await turns(3);
          queue.put("item");
          await turns(3);
          first.cancel();
        },
        { name: "put" },
      );
      await put;
      await asyncio.wait([first]);
      if (first.cancelled()) await second;
    },
  },
  {
    name: "condition: a notification is lost with the one who got it",
    source: "gh-112202",
    order: "any",
    bound: 2,
    program: (isMended) => async () => {
      const line = new Line();
      const items: true[] = [];
      const take = async (): Promise<void> => {
        while (items.length === 0) {
          await line.wait(() => {
            if (isMended) line.wakeFirst();
          });
        }
        items.shift();
      };
      const [first, second] = [createTask(take, { name: "first" }), createTask(take, { name: "second" })];
      const notify = createTask(
        async () => {
          await turns(2);
          items.push(true);
          line.wakeFirst();
          await turns(6);
          first.cancel();
        },
        { name: "notify" },
      );
      await notify;
      await asyncio.wait([first]);
      if (first.cancelled()) await second;
      else second.cancel();
    },
  },
  {
    name: "condition: a cancellation is swallowed while the lock is taken again",
    source: "bpo-32841, gh-111693",
    order: "any",
    bound: 2,
    program: (isMended) => async () => {
      const lock = new asyncio.Lock();
      const line = new Line();
      const waitWithLock = async (): Promise<void> => {
        let request: unknown = null;
        lock.release();
        try {
          await line.wait();
        } finally {
          for (;;) {
            try {
              await lock.acquire();
              break;
            } catch (error) {
              request = error; // tries again: it must have the lock
            }
          }
        }
        if (isMended && request !== null) throw request;
      };
      let wentOn = false;
      const waiter = createTask(
        async () => {
          await lock.acquire();
          try {
            await waitWithLock();
            wentOn = true;
          } finally {
            lock.release();
          }
        },
        { name: "waiter" },
      );
      const holder = createTask(
        async () => {
          await turns(2);
          await lock.hold(async () => {
            line.wakeFirst();
            await turns(4);
          });
        },
        { name: "holder" },
      );
      let asked = false;
      const canceller = createTask(
        async () => {
          await turns(12);
          asked = !waiter.done() && waiter.cancel();
        },
        { name: "canceller" },
      );
      await gather([waiter, holder, canceller], { returnExceptions: true });
      if (asked && wentOn) throw new Error("the cancellation is swallowed");
    },
  },
  {
    name: "wait_for swallows a cancellation that comes with the result",
    source: "bpo-42130",
    order: "any",
    bound: 2,
    program: (isMended) => async () => {
      const reply = asyncio.getRunningLoop().createFuture<string>();
      const oldWaitFor = async (): Promise<string> => {
        try {
          return await asyncio.shield(reply);
        } catch (error) {
          if (!isMended && reply.done()) return reply.result();
          throw error;
        }
      };
      const client = createTask(
        async () => {
          await oldWaitFor();
          await sleep(0);
          await sleep(0);
          return "went on";
        },
        { name: "client" },
      );
      const server = createTask(
        async () => {
          await turns(3);
          reply.setResult("reply");
        },
        { name: "server" },
      );
      let asked = false;
      const canceller = createTask(
        async () => {
          await turns(1);
          await turns(isMended ? 0 : 9);
          asked = !client.done() && client.cancel();
        },
        { name: "canceller" },
      );
      await gather([client, server, canceller], { returnExceptions: true });
      if (asked && !client.cancelled()) throw new Error("the cancellation is swallowed");
    },
  },
  {
    name: "limiter: one more than the limit, after a release",
    source: "anyio #947, #1170",
    order: "any",
    bound: 2,
    program: (isMended) => async () => {
      const limiter = new OldLimiter(1, isMended);
      const work = async (late: number): Promise<void> => {
        await turns(late);
        await limiter.acquire();
        await sleep(0);
        limiter.release();
      };
      await gather([createTask(() => work(0)), createTask(() => work(0)), createTask(() => work(5))]);
      if (limiter.mostUsed > 1) throw new Error("over the limit");
    },
  },
  {
    name: "a cancellation is delivered again and again, and nothing else comes to its turn",
    source: "anyio #1111",
    order: "any",
    bound: 2,
    program: (isMended) => async () => {
      const worker = createTask(
        async () => {
          const cleanup = createTask(() => sleep(1));
          try {
            await turns(4);
          } finally {
            // Protected: the cleanup is waited for whatever comes.
            while (!cleanup.done()) await asyncio.shield(cleanup).catch(() => {});
          }
        },
        { name: "worker" },
      );
      const canceller = createTask(
        async () => {
          await turns(9);
          while (!worker.done()) {
            worker.cancel();
            await sleep(isMended ? 1 : 0); // until it has ended
          }
        },
        { name: "canceller" },
      );
      await asyncio.wait([worker, canceller]);
    },
  },
  {
    name: "pool: a connection comes back with a reply that nobody read",
    source: "redis-py CVE-2023-28858",
    order: "legal",
    cancels: 1,
    bound: 1,
    program: (isMended) => async () => {
      /** Replies come in the order of the requests. */
      class Connection {
        readonly #replies: asyncio.Queue<string> = new asyncio.Queue();
        isDirty: boolean = false;

        send(request: string): void {
          this.isDirty = true;
          asyncio.getRunningLoop().callLater(1, () => this.#replies.putNowait(`reply to ${request}`));
        }

        async read(): Promise<string> {
          const reply = await this.#replies.get();
          this.isDirty = false;
          return reply;
        }
      }
      const pool: Connection[] = [new Connection()];
      const ask = async (request: string): Promise<string> => {
        const connection = pool.pop() ?? new Connection();
        try {
          connection.send(request);
          return await connection.read();
        } finally {
          if (!(isMended && connection.isDirty)) pool.push(connection);
        }
      };
      await asyncio.wait([createTask(() => ask("a"), { name: "a" })]);
      if ((await ask("b")) !== "reply to b") throw new Error("the reply of another");
    },
  },
];
