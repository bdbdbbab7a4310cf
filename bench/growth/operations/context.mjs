/** n context variables, each of which is set after the context was copied: what n tasks that set their own do. @module */

import { cpuMilliseconds, times } from "../../javascript/measure.mjs";
import { GENERATORS } from "../../subjects.mjs";

/** @type {import("../operation.mjs").Operation} */
export const setContext = {
  name: "growth-context",
  programs: { [GENERATORS]: program },
  inPython: true,
};

async function program(n, asyncio) {
  const variables = times(n, () => new asyncio.ContextVar("variable"));
  const copies = [];
  return asyncio.copyContext().run(() => {
    const start = cpuMilliseconds();
    for (const variable of variables) {
      variable.set("the value");
      // What the copy shares with the context must not be changed by the next one.
      copies[0] = asyncio.copyContext();
    }
    const milliseconds = cpuMilliseconds() - start;
    if (variables.some((variable) => variable.get() !== "the value")) throw new Error("A variable has lost its value");
    return milliseconds;
  });
}
