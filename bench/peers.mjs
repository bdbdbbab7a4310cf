/**
 * The peers: packages that do the same work. They are no dependencies of the project, not even of its development; they
 * are installed when the benchmarks run, in exact versions, into a folder of their own.
 *
 * @module
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { installInto } from "../scripts/setup.mjs";
import { ASYNC_MUTEX, ASYNC_SEMA, EFFECT, EFFECTION } from "./subjects.mjs";

/** What is installed for each subject that is a package. */
const packages = {
  [EFFECT]: { name: "effect", version: "4.1.0" },
  [EFFECTION]: { name: "effection", version: "4.1.1" },
  [ASYNC_MUTEX]: { name: "async-mutex", version: "0.5.0" },
  [ASYNC_SEMA]: { name: "async-sema", version: "3.1.1" },
};

const folder = fileURLToPath(new URL("../node_modules/.cache/bench-peers", import.meta.url));
const loader = join(folder, "load.mjs");

/** Installs what is missing. Without a registry the benchmarks run all the same, with the peers left out. */
export function installPeers() {
  const missing = Object.values(packages).filter((peer) => !isInstalled(peer));
  if (missing.length > 0) install(missing);
  // From there an import resolves as it does for whoever installed the package.
  if (existsSync(folder)) writeFileSync(loader, "export const load = (name) => import(name);\n");
}

function install(peers) {
  const specs = peers.map(({ name, version }) => `${name}@${version}`);
  console.error(`Installing ${specs.join(", ")} for comparison (once) …`);
  installInto(folder, ["--save-exact", "--ignore-scripts", ...specs]);
}

/**
 * What a subject that is a package is, such as `Effect 4.1.0`, or `null` if it is not installed.
 *
 * @param {string} subject
 */
export function describePeer(subject) {
  const peer = packages[subject];
  return isInstalled(peer) ? `${subject} ${peer.version}` : null;
}

/**
 * Whether `subject` is a package that has to be installed.
 *
 * @param {string} subject
 */
export function isPeer(subject) {
  return subject in packages;
}

/**
 * The package of `subject`.
 *
 * @param {string} subject
 */
export async function loadPeer(subject) {
  const { load } = await import(pathToFileURL(loader).href);
  return await load(packages[subject].name);
}

function isInstalled({ name, version }) {
  try {
    const manifest = readFileSync(join(folder, "node_modules", name, "package.json"), "utf8");
    return JSON.parse(manifest).version === version;
  } catch {
    return false;
  }
}
