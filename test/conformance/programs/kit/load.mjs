/** The languages, for commands. @module */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureBuilt, must, root, tool } from "../../../../scripts/setup.mjs";

/** The languages there are, each a folder. */
export const LANGUAGES = ["primitives", "interplay"];

const programs = join(root, "test", "conformance", "programs");

/**
 * Builds and loads the kit and the interpreters of every language. They are TypeScript, which Node 20 cannot load, and
 * are compiled to `dist`, from where `asyncio-ts` means this package (inside of `node_modules` it would not).
 */
export async function loadKit() {
  ensureBuilt();
  must(tool("tsc"), ["-p", join(programs, "tsconfig.build.json")]);
  const [{ parseCorpus }, { check }, { reasonFor }, { Report }] = await Promise.all(
    ["program", "run", "known-differences", "report"].map((name) => load("kit", name)),
  );
  const interpreters = new Map();
  for (const language of LANGUAGES) {
    const { generators, asyncFunctions, mixed } = await load(language, "interpreters");
    interpreters.set(language, [generators, asyncFunctions, mixed]);
  }
  return { interpreters, parseCorpus, check, reasonFor, Report };
}

function load(folder, name) {
  return import(pathToFileURL(join(programs, "dist", folder, `${name}.js`)).href);
}
