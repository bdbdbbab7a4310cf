/** The interpreters, for commands. @module */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureBuilt, must, root, tool } from "../../../scripts/setup.mjs";

const folder = join(root, "test", "conformance", "programs");

/**
 * Builds and loads them. They are TypeScript, which Node 20 cannot load, and are compiled to `dist` beside this file,
 * from where `asyncio-ts` means this package (inside of `node_modules` it would not).
 */
export async function loadInterpreters() {
  ensureBuilt();
  must(tool("tsc"), ["-p", join(folder, "tsconfig.build.json")]);
  const [{ generators }, { asyncFunctions }, { parseCorpus }, { check }, { reasonFor }, { Report }] = await Promise.all(
    ["interpreter", "async-interpreter", "language", "run", "known-differences", "report"].map(
      async (name) => await import(pathToFileURL(join(folder, "dist", `${name}.js`)).href),
    ),
  );
  return { interpreters: [generators, asyncFunctions], parseCorpus, check, reasonFor, Report };
}
