/** A program in a process of its own: what it writes, and how it ends. */

import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Runs `code` in a process of its own, on the built `dist/`, with `options` for Node. */
export async function runProgram(
  code: string,
  options: readonly string[] = [],
): Promise<{ code: number | null; output: string }> {
  const program = `import * as asyncio from "asyncio-ts";\nconst { sleep } = asyncio;\n${code}`;
  const child = spawn(process.execPath, [...options, "--input-type=module", "--eval", program], { cwd: root });
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  const [status] = (await once(child, "close")) as [number | null];
  return { code: status, output };
}

export interface Ended {
  readonly end: number | NodeJS.Signals;
  readonly lines: readonly string[];
  readonly errors: string;
}

/** Runs `code` as a program with the built library. Each line `READY` of its output makes `onReady` run. */
export async function talkToProgram(code: string, onReady: (child: ChildProcess) => void): Promise<Ended> {
  const text = `import * as asyncio from "asyncio-ts";\nconst { sleep } = asyncio;\n${code}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", text], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (errors += chunk));
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line === "READY") onReady(child);
    else lines.push(line);
  });
  const [status, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { end: status ?? signal!, lines, errors };
}
