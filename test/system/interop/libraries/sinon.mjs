/** sinon's fake timers: time that a test moves. */

import assert from "node:assert/strict";

export const packages = { sinon: "21.0.0" };

export const how = `Fake all of them (the default of \`useFakeTimers()\`), and move time by \`await clock.tickAsync(ms)\`: a \`sleep\` comes
within a millisecond after its time. Better is \`asyncio-ts/testing\`: a loop on a \`VirtualHost\` needs no faking.`;

export async function checks(asyncio, load) {
  const { default: sinon } = await load("sinon");
  async function slept(main) {
    const clock = sinon.useFakeTimers();
    try {
      let ended = Number.NaN;
      const program = asyncio.run(() => main(() => (ended = Date.now())));
      await clock.tickAsync(60_000);
      assert.ok(Number.isNaN(ended));
      await clock.tickAsync(2);
      await clock.runAllAsync();
      await program;
      assert.ok(ended >= 60_000 && ended <= 60_002, `ended at ${ended}`);
    } finally {
      clock.restore();
    }
  }
  const every = {
    deadline: {
      async: () =>
        slept(async (end) => {
          await asyncio.sleep(60);
          end();
        }),
      generator: () =>
        slept(function* (end) {
          yield* asyncio.sleep(60);
          end();
        }),
    },
  };
  return { checks: every, close: () => {}, isOutside: true };
}
