// Raft under thousands of seeds of lost messages, cut links and crashes; and without each of its safeguards, to see that
// the search finds what they are for.
//
//   npm run build
//   node examples/raft/explore.mjs --runs 10000            all safeguards: nothing may be found
//   node examples/raft/explore.mjs --without "log matching"
//   node examples/raft/explore.mjs --all                   each safeguard in turn
//   node examples/raft/explore.mjs --token TOKEN [--without ...]   one run again

import { parseArgs } from "node:util";
import { explore, replay } from "asyncio-ts/testing";
import { PEACE, raft, SAFEGUARDS, TROUBLE } from "./simulation.mjs";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    without: { type: "string" },
    all: { type: "boolean" },
    token: { type: "string" },
    story: { type: "boolean" },
  },
});

const OPTIONS = { policy: "random", maxSteps: 1_000_000, shrinkRuns: 0 };

if (values.token !== undefined) {
  await replay(() => raft(values.without), values.token, OPTIONS);
  console.log("the run ended well");
} else {
  for (const without of values.all === true ? SAFEGUARDS : [values.without ?? null]) await search(without);
}

async function search(without) {
  const started = performance.now();
  const { failure, schedules } = await explore(() => raft(without), {
    ...OPTIONS,
    runs: Number(values.runs),
    seed: Number(values.seed),
    shrinkRuns: values.story === true ? 200 : 0,
  });
  const seconds = (performance.now() - started) / 1000;
  const speed = Math.round((schedules * (TROUBLE + PEACE)) / seconds);
  const what = without === null ? "with all safeguards" : `without ${without}`;
  const found = failure === null ? "nothing found" : (failure.error.cause?.message ?? failure.error.message);
  console.log(
    `${what}: ${found}, ${schedules} schedules in ${seconds.toFixed(1)} s (${speed} simulated seconds a second)`,
  );
  if (failure !== null && values.story === true) console.log(String(failure));
}
