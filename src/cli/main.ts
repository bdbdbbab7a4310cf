/** `npx asyncio-ts COMMAND`: what the tasks of a running process are doing. @module */

import { parseArgs } from "node:util";
import "../node/install.ts";
import { run } from "../core/loop/runners.ts";
import { askForTasks, KnockError } from "./knock.ts";
import { CycleError, taskTable, taskTrees } from "./task-table.ts";

const USAGE = `usage: asyncio-ts COMMAND PID

  ps PID       a table of the tasks of a running process, and who waits for each
  pstree PID   the same as trees

The process needs no preparation; it must be yours, and run a loop of asyncio-ts. Linux.`;

/** Runs a command line; its exit status. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { help: { type: "boolean", short: "h" } },
      allowPositionals: true,
    });
    const [command, pid, ...rest] = positionals;
    if (values.help === true) console.log(USAGE);
    else if (command === "ps" || command === "pstree") await show(command, pidOf(pid, rest));
    else throw new TypeError(command === undefined ? "no command" : `no such command: ${command}`);
    return 0;
  } catch (error) {
    if (error instanceof CycleError) {
      console.error(`ERROR: ${error.message}\n`);
      for (const cycle of error.cycles) console.error(`cycle: ${cycle.join(" → ")}`);
      return 1;
    }
    if (error instanceof KnockError) {
      console.error(`Error: ${error.message}`);
      return 1;
    }
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    return 2;
  }
}

function pidOf(pid: string | undefined, rest: readonly string[]): number {
  const number = Number(pid);
  if (rest.length > 0 || !(Number.isInteger(number) && number > 0)) {
    throw new TypeError(pid === undefined ? "the PID of a process is missing" : `no PID of a process: ${pid}`);
  }
  return number;
}

async function show(command: "ps" | "pstree", pid: number): Promise<void> {
  const loops = await run(async () => await askForTasks(pid));
  if (command === "ps") console.log(taskTable(loops).join("\n"));
  else
    console.log(
      taskTrees(loops)
        .map((tree) => tree.join("\n"))
        .join("\n\n"),
    );
}
