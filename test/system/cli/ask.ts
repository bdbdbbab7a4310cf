/** The command line, as its user calls it. */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

const command = fileURLToPath(new URL("../../../bin/asyncio-ts.mjs", import.meta.url));

interface Answer {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the command line answers. */
export async function ask(...args: string[]): Promise<Answer> {
  return await new Promise((resolve) => {
    execFile(process.execPath, [command, ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    );
  });
}
