/** OpenTelemetry: its context in tasks, and after waits. */

import assert from "node:assert/strict";

export const packages = { "@opentelemetry/api": "1.9.0", "@opentelemetry/context-async-hooks": "2.2.0" };

export const how =
  "Its context is an `AsyncLocalStorage`: a task has that of whoever made it, in every step, and a handler that of its call.";

export async function checks(asyncio, load) {
  const [{ context, createContextKey, ROOT_CONTEXT }, { AsyncLocalStorageContextManager }] = await Promise.all(
    ["@opentelemetry/api", "@opentelemetry/context-async-hooks"].map(load),
  );
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const key = createContextKey("span");
  const inSpan = (span, work) => context.with(ROOT_CONTEXT.setValue(key, span), work);
  const span = () => context.active().getValue(key);
  const { createTask, gather, handler, sleep } = asyncio;
  const every = {
    context: {
      async: async () => {
        const works = ["a", "b"].map((name) =>
          inSpan(name, () =>
            createTask(async () => {
              await sleep(0.001);
              return await asyncio.timeout(1, async () => (await sleep(0.001), span()));
            }),
          ),
        );
        assert.deepEqual(await gather(works), ["a", "b"]);
        const call = handler(async () => (await sleep(0.001), span()));
        assert.deepEqual(await Promise.all(["c", "d"].map((name) => inSpan(name, call))), ["c", "d"]);
      },
      generator: function* () {
        const works = ["a", "b"].map((name) =>
          inSpan(name, () =>
            createTask(function* () {
              yield* sleep(0.001);
              return span();
            }),
          ),
        );
        assert.deepEqual(yield* gather(works), ["a", "b"]);
      },
    },
  };
  return { checks: every, close: () => context.disable() };
}
