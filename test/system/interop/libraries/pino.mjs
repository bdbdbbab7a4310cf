/** pino: what it writes of our errors. */

import assert from "node:assert/strict";

export const packages = { pino: "10.1.0" };

export const how =
  "Errors have their names and codes in the log; a task or a future is written as an object, `String(task)` shows it.";

export async function checks(asyncio, load) {
  const { default: pino } = await load("pino");
  const lines = [];
  const logger = pino({}, { write: (line) => lines.push(JSON.parse(line)) });
  const logged = (error) => {
    logger.error(error);
    const { type, message, stack } = lines.pop().err;
    return [type, message, typeof stack];
  };
  const late = () => asyncio.timeout(0.001, () => asyncio.sleep(60));
  const every = {
    errors: {
      async: async () => {
        const error = await late().catch((thrown) => thrown);
        assert.deepEqual(logged(error).slice(0, 1), ["TimeoutError"]);
      },
      generator: function* () {
        try {
          yield* late();
        } catch (error) {
          assert.deepEqual(logged(error).slice(0, 1), ["TimeoutError"]);
        }
      },
    },
  };
  return { checks: every, close: () => {} };
}
