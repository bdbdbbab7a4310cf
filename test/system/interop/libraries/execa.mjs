/** Child processes by execa: the signal ends the child. */

import { clientChecks } from "../kit.mjs";

export const packages = { execa: "9.6.1" };

export const how = "It takes a signal, as `cancelSignal`: the child is ended, and nothing of it is left.";

export async function checks(asyncio, load) {
  const { execa } = await load("execa");
  const children = new Set();
  async function run(code, cancelSignal) {
    const child = execa(process.execPath, ["-e", code], cancelSignal === undefined ? {} : { cancelSignal });
    children.add(child);
    child.once("exit", () => children.delete(child));
    return (await child).stdout;
  }
  const processes = clientChecks(asyncio, {
    quick: () => run("console.log('quick')"),
    gives: "quick",
    slow: (signal) => run("setTimeout(() => {}, 20_000)", signal),
    knowsSignal: true,
    isHealthy: async () => {
      while (children.size > 0) await asyncio.sleep(0.01);
      return true;
    },
  });
  return { checks: processes, close: () => {} };
}
