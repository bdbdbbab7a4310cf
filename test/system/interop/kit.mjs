/** What the checks of every library have in common. @module */

import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";

/** How long a check may take before it counts as one that hangs, in seconds. */
const LIMIT = 10;

/** Long enough for work to be under way, in seconds. */
export const A_MOMENT = 0.05;

const storage = new AsyncLocalStorage();

/**
 * Checks of a client: a library whose calls return promises.
 *
 * @param {any} asyncio the library as it is installed
 * @param client `quick`: a call that ends soon, and `gives` what it gives; `slow(signal)`: one that takes long, and hears
 * of the signal if `knowsSignal`; `isHealthy`: whether nothing is left of cancelled calls.
 */
export function clientChecks(asyncio, { quick, gives, slow, knowsSignal, isHealthy }) {
  const { createTask, currentTask, fromPromise, sleep, timeout } = asyncio;
  const variable = new asyncio.ContextVar("variable");
  async function cancelled(work) {
    const task = createTask(work);
    await sleep(A_MOMENT);
    task.cancel();
    await asyncio.wait([task]);
    assert.equal(task.cancelled(), true, `ended with ${String(task.cancelled() || task.exception())}`);
  }

  const checks = {
    value: {
      async: async () => assert.deepEqual(await quick(), gives),
      generator: function* () {
        assert.deepEqual(yield* fromPromise(quick()), gives);
      },
    },
    cancellation: {
      async: () => cancelled(async () => await fromPromise(slow)),
      generator: () =>
        cancelled(function* () {
          yield* fromPromise(slow);
        }),
    },
    deadline: {
      async: () =>
        assert.rejects(
          timeout(A_MOMENT, () => fromPromise(slow)),
          asyncio.TimeoutError,
        ),
      generator: function* () {
        try {
          yield* timeout(A_MOMENT, function* () {
            yield* fromPromise(slow);
          });
        } catch (error) {
          assert.ok(error instanceof asyncio.TimeoutError, String(error));
          return;
        }
        assert.fail("no TimeoutError");
      },
    },
    context: {
      async: () =>
        storage.run("user's", async () => {
          variable.set("ours");
          await quick();
          assert.deepEqual([variable.get(), storage.getStore()], ["ours", "user's"]);
        }),
      generator: () =>
        storage.run("user's", () =>
          createTask(function* () {
            variable.set("ours");
            yield* fromPromise(quick());
            assert.deepEqual([variable.get(), storage.getStore()], ["ours", "user's"]);
          }),
        ),
    },
  };
  if (knowsSignal) {
    checks["bare, with the signal"] = {
      async: () => cancelled(async () => await slow(currentTask().signal)),
      generator: () =>
        cancelled(function* () {
          yield* fromPromise(slow(currentTask().signal));
        }),
    };
  }
  checks.afterwards = { async: async () => assert.deepEqual(await isHealthy(), true) };
  return checks;
}

/**
 * Checks of a server: a library that calls handlers.
 *
 * @param {any} asyncio
 * @param server `serve(handlers)`: listens, and gives `{ port, close }`. Each handler of `handlers` gets the text behind its
 * path and returns what to answer: `/echo/x` calls `handlers.echo("x")`; it is cancelled when the client goes away. `fails`:
 * the status of a handler that throws.
 */
export function serverChecks(asyncio, { serve, fails }) {
  const { fromPromise, sleep } = asyncio;
  const user = new asyncio.ContextVar("user");

  const handlersOf = {
    async: {
      async echo(text) {
        user.set(text);
        await sleep(A_MOMENT);
        return user.get();
      },
      async fail() {
        await sleep(0);
        throw new RangeError("no such page");
      },
    },
    generator: {
      *echo(text) {
        user.set(text);
        yield* sleep(A_MOMENT);
        return user.get();
      },
      *fail() {
        yield* sleep(0);
        throw new RangeError("no such page");
      },
    },
  };

  const get = async (port, path, init) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
    return [response.status, await response.text()];
  };

  async function served(handlers, use) {
    const slow = { began: new asyncio.Event(), ended: new asyncio.Event() };
    const server = await serve({
      ...handlers,
      async slow() {
        slow.began.set();
        try {
          await sleep(60);
        } finally {
          slow.ended.set();
        }
      },
    });
    try {
      await use(server.port, slow);
    } finally {
      await server.close();
    }
  }

  const inBoth = (check) =>
    Object.fromEntries(Object.entries(handlersOf).map(([syntax, handlers]) => [syntax, () => check(handlers)]));

  return {
    value: inBoth((handlers) =>
      served(handlers, async (port) => assert.deepEqual(await get(port, "/echo/ann"), [200, "ann"])),
    ),
    context: inBoth((handlers) =>
      served(handlers, async (port) => {
        const answers = await Promise.all(["ann", "bob"].map((name) => get(port, `/echo/${name}`)));
        assert.deepEqual(answers, [
          [200, "ann"],
          [200, "bob"],
        ]);
      }),
    ),
    errors: inBoth((handlers) =>
      served(handlers, async (port) => {
        const [status] = await get(port, "/fail/x");
        assert.equal(status, fails);
        assert.deepEqual(await get(port, "/echo/ann"), [200, "ann"]);
      }),
    ),
    cancellation: {
      async: () =>
        served(handlersOf.async, async (port, slow) => {
          const gone = new AbortController();
          const request = get(port, "/slow/x", { signal: gone.signal }).catch(() => "gone");
          await slow.began.wait();
          gone.abort();
          await slow.ended.wait();
          assert.equal(await fromPromise(request), "gone");
        }),
    },
  };
}

/** Runs one check, in a program of its own; what is wrong, or `null`. */
export async function fault(asyncio, check) {
  try {
    await asyncio.run(() => asyncio.timeout(LIMIT, async () => await asyncio.createTask(check)));
    return null;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? String(error)) : String(error);
  }
}
