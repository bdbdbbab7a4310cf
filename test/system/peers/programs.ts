/**
 * Tests that need a program that is not ours. In CI a missing one makes its tests fail; elsewhere they are skipped, and a
 * line on standard error says so, once for each file of tests.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { test as vitestTest } from "vitest";

/** How long a program may take to say what it is, in milliseconds. */
const LIMIT_MS = 60_000;

export interface Program {
  /** What is called. */
  readonly command: string;
  /** Where it comes from, in Debian and its like. */
  readonly debianPackage: string;
  /** Arguments that tell by the output whether it is the right one: several programs have the name `nc`. */
  readonly proof?: { readonly args: readonly string[]; readonly output: RegExp };
}

const PROGRAMS = {
  curl: { command: "curl", debianPackage: "curl" },
  openssl: { command: "openssl", debianPackage: "openssl" },
  nc: { command: "nc", debianPackage: "netcat-openbsd", proof: { args: ["-h"], output: /OpenBSD netcat|\[-[^\]]*N/ } },
  python: {
    command: "python3",
    debianPackage: "python3",
    // A `StreamWriter` with `start_tls` came in 3.11.
    proof: { args: ["-c", "import asyncio, ssl; print(asyncio.StreamWriter.start_tls)"], output: /start_tls/ },
  },
} satisfies Record<string, Program>;

/** Defines a test, as vitest's `test` does. */
type Define = (title: string, body: () => Promise<void>) => void;

/** What to do with a test. */
export type Verdict = { readonly kind: "run" } | { readonly kind: "fail" | "skip"; readonly reason: string };

/** Vitest's `test`, for tests that need these programs. */
export function testWith(...names: (keyof typeof PROGRAMS)[]): Define {
  const verdict = verdictOn(names.map((name) => PROGRAMS[name]));
  if (verdict.kind === "run") return (title, body) => vitestTest(title, body);
  if (verdict.kind === "fail") {
    return (title) =>
      vitestTest(title, () => {
        throw new Error(verdict.reason);
      });
  }
  process.stderr.write(`tests are skipped: ${verdict.reason}\n`);
  return (title, body) => vitestTest.skip(title, body);
}

/** Whether tests that need `programs` run, and if not, what becomes of them. */
export function verdictOn(programs: readonly Program[], env: NodeJS.ProcessEnv = process.env): Verdict {
  const missing = programs.find((program) => !isThere(program, env));
  if (missing === undefined) return { kind: "run" };
  const { command, debianPackage } = missing;
  const reason = `the program ${command} is missing, or not the one wanted: install the Debian package ${debianPackage}`;
  return { kind: env["CI"] === "true" ? "fail" : "skip", reason };
}

function isThere({ command, proof }: Program, env: NodeJS.ProcessEnv): boolean {
  if (!isOnPath(command, env)) return false;
  if (proof === undefined) return true;
  const { stdout, stderr } = spawnSync(command, proof.args, { encoding: "utf8", timeout: LIMIT_MS, env });
  return proof.output.test(`${stdout}${stderr}`);
}

function isOnPath(command: string, env: NodeJS.ProcessEnv): boolean {
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.some((folder) => isProgram(join(folder, command)));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
