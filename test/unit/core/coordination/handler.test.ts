/** D2: callbacks of emitters and frameworks, each call of which is a task. */

import { AsyncLocalStorage } from "node:async_hooks";
import { EventEmitter, getEventListeners } from "node:events";
import * as asyncio from "asyncio-ts";
import { describe, expect, expectTypeOf, test } from "vitest";
import { run } from "../../virtual.ts";

const { sleep, handler } = asyncio;

const user = new asyncio.ContextVar<string>("user", { default: "nobody" });

async function greet(name: string): Promise<string> {
  user.set(name);
  await sleep(1);
  return `hello, ${user.get()}`;
}

function* greetInGenerator(name: string): asyncio.CoroutineGenerator<string> {
  user.set(name);
  yield* sleep(1);
  return `hello, ${user.get()}`;
}

describe.each([
  ["an async function", greet],
  ["a generator function", greetInGenerator],
])("a handler of %s", (_name, fn) => {
  test("runs each call as a task of its own, in a copy of the context in which it was made", async () => {
    await run(async () => {
      user.set("main");
      const call = handler(fn);
      user.set("later");
      const calls = [call("alice"), call("bob")];
      expect([...call.tasks].map((task) => task.getName())).toEqual([fn.name, fn.name]);
      expect(await Promise.all(calls)).toEqual(["hello, alice", "hello, bob"]);
      expect([user.get(), call.tasks.size]).toEqual(["later", 0]);
      const read = handler(async () => user.get());
      expect(await read()).toBe("later");
    });
  });

  test("is cancelled with nobody who emits: neither with the task that emits, nor with main", async () => {
    await run(async () => {
      const emitter = new EventEmitter();
      const call = handler(fn);
      let result: Promise<string> | null = null;
      emitter.on("guest", (name: string) => (result = call(name)));
      const emits = asyncio.createTask(async () => {
        emitter.emit("guest", "alice");
        await sleep(5);
      });
      await sleep(0.5);
      emits.cancel();
      expect(await result!).toBe("hello, alice");
    });
  });

  test("passes this and the arguments on", async () => {
    await run(async () => {
      const named = handler(async function (this: { name: string }, mark: string) {
        return (await greet(this.name)) + mark;
      });
      expect(await named.call({ name: "ann" }, "!")).toBe("hello, ann!");
    });
  });
});

test("D2: the user's AsyncLocalStorage is that of whoever calls", async () => {
  await run(async () => {
    const storage = new AsyncLocalStorage<string>();
    const read = handler(async () => {
      await sleep(1);
      return storage.getStore();
    });
    expect(await Promise.all(["a", "b"].map((span) => storage.run(span, read)))).toEqual(["a", "b"]);
  });
});

describe("errors of a handler", () => {
  const failing = async (): Promise<never> => {
    await sleep(1);
    throw new RangeError("no such page");
  };

  test("go to whoever looks at the promise, which is a native one", async () => {
    const reports = await run(async () => {
      const call = handler(failing);
      const promise = call();
      expect(promise).toBeInstanceOf(Promise);
      await expect(promise).rejects.toThrow("no such page");
      const told: unknown[] = [];
      call().then(null, (error: unknown) => told.push(String(error)));
      await sleep(2);
      expect(told).toEqual(["RangeError: no such page"]);
    });
    expect(reports).toEqual([]);
  });

  test("go to the loop's exception handler where nobody does, once, and to no unhandled rejection", async () => {
    const reports = await run(async () => {
      const emitter = new EventEmitter();
      emitter.on("guest", handler(failing));
      emitter.emit("guest");
      await sleep(2);
    });
    expect(reports.map(({ message, exception }) => [message, String(exception)])).toEqual([
      ["Exception in handler failing()", "RangeError: no such page"],
    ]);
  });

  test("that are thrown before the first await do so too", async () => {
    const reports = await run(async () => {
      const call = handler((): Promise<never> => {
        throw new RangeError("at once");
      });
      await expect(call()).rejects.toThrow("at once");
      void call();
      await sleep(1);
    });
    expect(reports.map(({ exception }) => String(exception))).toEqual(["RangeError: at once"]);
  });

  test("a cancellation is none where nobody looks", async () => {
    const reports = await run(async () => {
      const call = handler(greet);
      void call("ann");
      const heard = call("bob");
      await sleep(0.5);
      for (const task of call.tasks) task.cancel();
      await expect(heard).rejects.toBeInstanceOf(asyncio.CancelledError);
    });
    expect(reports).toEqual([]);
  });
});

describe("cancelOn", () => {
  test("an AbortSignal of the request cancels the call, with its reason", async () => {
    await run(async () => {
      const controller = new AbortController();
      const call = handler((_request: { signal: AbortSignal }) => sleep(5), { cancelOn: (request) => request.signal });
      const result = call({ signal: controller.signal });
      await sleep(1);
      controller.abort(new RangeError("gone"));
      await expect(result).rejects.toMatchObject({ name: "CancelledError", cause: new RangeError("gone") });
      await expect(call({ signal: controller.signal })).rejects.toBeInstanceOf(asyncio.CancelledError);
    });
  });

  test("the close of an emitter cancels it; that of a response which was sent does not", async () => {
    await run(async () => {
      const response = Object.assign(new EventEmitter(), { writableFinished: false });
      const saved: string[] = [];
      const call = handler(
        async (_response: typeof response) => {
          try {
            await sleep(5);
          } finally {
            saved.push("left");
          }
          saved.push("answered");
        },
        { cancelOn: (emitter) => emitter },
      );
      const gone = call(response);
      await sleep(1);
      response.emit("close");
      await expect(gone).rejects.toBeInstanceOf(asyncio.CancelledError);
      const sent = call(response);
      response.writableFinished = true;
      response.emit("close");
      await sent;
      expect(saved).toEqual(["left", "left", "answered"]);
      expect(response.listenerCount("close")).toBe(0);
    });
  });

  test("nothing is left on a signal when the call has ended", async () => {
    await run(async () => {
      const { signal } = new AbortController();
      await handler(greet, { cancelOn: () => signal })("ann");
      expect(getEventListeners(signal, "abort")).toHaveLength(0);
    });
  });

  test("may say that nothing does, and is refused if it says nonsense", async () => {
    await run(async () => {
      expect(await handler(greet, { cancelOn: () => null })("ann")).toBe("hello, ann");
      const call = handler(greet, { cancelOn: () => ({}) as never });
      await expect(call("ann")).rejects.toThrow("cancelOn: expected an AbortSignal or an emitter with a close event");
      await sleep(0);
      expect(call.tasks.size).toBe(0);
    });
  });
});

describe("who owns the calls", () => {
  test("shutdown() waits for them, and takes no more", async () => {
    await run(async ({ loop }) => {
      const call = handler(greet);
      const result = call("ann");
      const start = loop.time();
      expect(await call.shutdown({ grace: 5 })).toBe(0);
      expect([await result, loop.time() - start]).toEqual(["hello, ann", 1]);
      await expect(call("bob")).rejects.toThrow("handler greet() is shut down");
    });
  });

  test("after the grace it cancels those that are left, and waits for their cleanup", async () => {
    await run(async ({ loop }) => {
      const steps: string[] = [];
      const call = handler(async () => {
        try {
          await sleep(100);
        } finally {
          await sleep(1);
          steps.push("cleaned");
        }
      });
      void call();
      expect(await call.shutdown({ grace: 5 })).toBe(1);
      expect([steps, loop.time()]).toEqual([["cleaned"], 6]);
    });
  });

  test("shutdown() that is cancelled leaves the calls alone", async () => {
    await run(async () => {
      const call = handler(greet);
      const result = call("ann");
      await expect(asyncio.timeout(0.5, () => call.shutdown())).rejects.toBeInstanceOf(asyncio.TimeoutError);
      expect(await result).toBe("hello, ann");
    });
  });

  test("await using waits for them", async () => {
    await run(async () => {
      const seen: string[] = [];
      {
        await using call = handler(async () => {
          await sleep(1);
          seen.push("done");
        });
        void call();
      }
      expect(seen).toEqual(["done"]);
    });
  });

  test("a group waits for them, and the error of one is not the group's", async () => {
    await run(async () => {
      const seen: unknown[] = [];
      await asyncio.taskGroup(async (group) => {
        const call = handler(greet, { group });
        const failing = handler(async () => await Promise.reject(new RangeError("one")), { group });
        void call("ann").then((greeting) => seen.push(greeting));
        void failing().catch((error: unknown) => seen.push(String(error)));
        await sleep(0);
      });
      await sleep(0);
      expect(seen).toEqual(["RangeError: one", "hello, ann"]);
    });
  });
});

describe("where there is no loop", () => {
  test("a handler that was made outside runs on the loop that runs when it is called", async () => {
    const call = handler(greet);
    await expect(call("ann")).rejects.toThrow("no running event loop: call this from inside asyncio.run(...)");
    await run(async () => {
      expect(await call("ann")).toBe("hello, ann");
    });
  });

  test("one that is called when its loop has ended says so", async () => {
    const calls: ((name: string) => Promise<string>)[] = [];
    await run(async () => void calls.push(handler(greet)));
    await expect(calls[0]!("ann")).rejects.toThrow("handler greet() was called when its loop had ended");
  });

  test("what is no function is refused", () => {
    expect(() => handler(5 as never)).toThrow("handler: expected a function, received 5");
  });
});

test("types: the arguments are those of the place, in both syntaxes", () => {
  const listen = (listener: (request: { url: string }, response: Set<number>) => void): unknown => listener;
  listen(
    handler(async (request, response) => {
      expectTypeOf(request.url).toBeString();
      expectTypeOf(response).toEqualTypeOf<Set<number>>();
    }),
  );
  listen(
    handler(function* (request) {
      expectTypeOf(request).toEqualTypeOf<{ url: string }>();
      yield* sleep(1);
    }),
  );
  expectTypeOf(handler(greet)).returns.toEqualTypeOf<Promise<string>>();
  expectTypeOf(handler(greetInGenerator)).parameters.toEqualTypeOf<[name: string]>();
  // @ts-expect-error a function that returns no awaitable
  handler(() => 5);
});
