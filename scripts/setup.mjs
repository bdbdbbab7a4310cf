/**
 * What every command needs first: the dependencies installed and the library built. Quiet when both are fresh.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The project's folder. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Runs a command in the project's folder with the output of this one; ends this process if it fails. */
export function must(command, args, options = {}) {
  const status = may(command, args, options);
  if (status !== 0) process.exit(status);
}

/** Like {@link must}, but returns the exit status. */
export function may(command, args, options = {}) {
  // On Windows, npm and the programs of packages are scripts of the shell's.
  const shell = process.platform === "win32";
  const words = shell ? [command, ...args].map((word) => `"${word}"`) : [command, ...args];
  const result = spawnSync(words[0], words.slice(1), { cwd: root, stdio: "inherit", shell, ...options });
  if (result.error) throw result.error;
  return result.status ?? 1;
}

/** The path of a development tool's program. */
export function tool(name) {
  return join(root, "node_modules", ".bin", name);
}

/** Installs the dependencies when they are missing or older than the lock file. */
export function ensureInstalled() {
  const installed = join(root, "node_modules", ".package-lock.json");
  const lock = join(root, "package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  console.error("Installing development dependencies (once) …");
  must("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { stdio: ["ignore", 2, 2] });
}

/** Installs packages that only some commands need into `folder`, where they stay; the exit status. */
export function installInto(folder, specs) {
  mkdirSync(folder, { recursive: true });
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  return may("npm", ["install", "--prefix", folder, ...quiet, ...specs], { stdio: ["ignore", 2, 2] });
}

/**
 * Installs the `peers` of a benchmark (name to version) into a folder of its own, `node_modules/.cache/NAME`, once: that folder,
 * and a function that imports one of them as it resolves for whoever installed it.
 */
export async function loadPeers(name, peers) {
  const folder = join(root, "node_modules", ".cache", name);
  const missing = Object.keys(peers).some((peer) => !existsSync(join(folder, "node_modules", peer)));
  const specs = Object.entries(peers).map(([peer, version]) => `${peer}@${version}`);
  if (missing) installInto(folder, ["--save-exact", "--ignore-scripts", ...specs]);
  const loader = join(folder, "load.mjs");
  writeFileSync(loader, "export const load = (name) => import(name);\n");
  const { load } = await import(pathToFileURL(loader).href);
  return { folder, load };
}

/** Brings `dist/` up to date; incremental, and so a moment when nothing changed. */
export function ensureBuilt() {
  ensureInstalled();
  must(tool("tsc"), ["-b"]);
}

/**
 * Packs the library, and installs it with `packages` (name to version) into a project of its own, as a user does; its folder.
 * The packages stay there from run to run.
 */
export function installPacked(name, packages) {
  ensureBuilt();
  const folder = join(root, "node_modules", ".cache", name);
  const stamp = join(folder, "packages.json");
  const wanted = JSON.stringify(packages);
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
    console.error(`Installing ${Object.keys(packages).length} packages for ${name} (once) …`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name, private: true }));
    const specs = Object.entries(packages).map(([each, version]) => `${each}@${version}`);
    if (installInto(folder, ["--save-exact", ...specs]) !== 0) process.exit(1);
    writeFileSync(stamp, wanted);
  }
  must("npm", ["pack", "--silent", "--pack-destination", folder], { stdio: ["ignore", "ignore", 2] });
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const tarball = join(folder, `asyncio-ts-${version}.tgz`);
  if (installInto(folder, ["--no-save", "--force", tarball]) !== 0) process.exit(1);
  return folder;
}
