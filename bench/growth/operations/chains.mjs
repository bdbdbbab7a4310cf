/** Chains of n tasks, each of which awaits the next: how they end, and how their head is told. @module */

import { cpuMilliseconds } from "../../javascript/measure.mjs";
import { inBothSyntaxes, letThemStart, mustBeCancelled } from "../syntax.mjs";

export const chains = [
  { name: "growth-chain-cancel", programs: inBothSyntaxes(cancel), inPython: true },
  { name: "growth-chain-end", programs: inBothSyntaxes(end), inPython: true },
  { name: "growth-chain-close", programs: inBothSyntaxes(close), inPython: true },
  { name: "growth-chain-text", programs: inBothSyntaxes(text), inPython: true },
];

/** The head is cancelled; the request goes down the chain, and the end of each task comes back up. */
function cancel(n, asyncio, awaiting) {
  return asyncio.run(function* () {
    const { tasks, head } = makeChain(n, { asyncio, awaiting });
    yield* letThemStart(asyncio);
    const start = cpuMilliseconds();
    head.cancel();
    yield* asyncio.wait([head]);
    const milliseconds = cpuMilliseconds() - start;
    mustBeCancelled(tasks);
    return milliseconds;
  });
}

/** What the innermost waits for comes, and one task after the other returns. */
function end(n, asyncio, awaiting) {
  return asyncio.run(function* () {
    const { innermost, head } = makeChain(n, { asyncio, awaiting });
    yield* letThemStart(asyncio);
    const start = cpuMilliseconds();
    innermost.setResult("the value");
    const value = yield* head;
    const milliseconds = cpuMilliseconds() - start;
    if (value !== "the value") throw new Error(`The chain gave '${value}'`);
    return milliseconds;
  });
}

/** The main task returns, and `run` cancels the chain. */
async function close(n, asyncio, awaiting) {
  let chain;
  let start;
  await asyncio.run(function* () {
    chain = makeChain(n, { asyncio, awaiting });
    yield* letThemStart(asyncio);
    start = cpuMilliseconds();
  });
  const milliseconds = cpuMilliseconds() - start;
  mustBeCancelled(chain.tasks);
  return milliseconds;
}

/** The head as a string, which may name those it waits for, down to some depth. */
function text(n, asyncio, awaiting) {
  return asyncio.run(function* () {
    const { head } = makeChain(n, { asyncio, awaiting });
    yield* letThemStart(asyncio);
    const start = cpuMilliseconds();
    const string = String(head);
    const milliseconds = cpuMilliseconds() - start;
    if (!string.includes("pending")) throw new Error(`The head is told as '${string}'`);
    return milliseconds;
  });
}

/**
 * `n` tasks in a row: the innermost waits for a future, and the head is the last of `tasks`.
 *
 * @param {number} n
 * @param {{ readonly asyncio: any, readonly awaiting: any }} with
 */
export function makeChain(n, { asyncio, awaiting }) {
  const innermost = asyncio.getRunningLoop().createFuture();
  const tasks = [];
  let next = innermost;
  for (let i = 0; i < n; i++) {
    const awaited = next;
    next = asyncio.createTask(awaiting(() => awaited));
    tasks.push(next);
  }
  return { innermost, tasks, head: next };
}
