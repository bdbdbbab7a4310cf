/** A program in a process of its own: what it writes, and how it ends. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

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
