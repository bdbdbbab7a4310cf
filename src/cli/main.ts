/** `npx asyncio-ts COMMAND`: what the tasks of a running process are doing. @module */

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import "../node/install.ts";
import { sleep } from "../core/coordination/sleep.ts";
import { run } from "../core/loop/runners.ts";
import { blockedStack, NEEDED_FLAGS } from "./blocked-stack.ts";
import type { Ask } from "./knock.ts";
import { askForTasks, KnockError, SilenceError, visitProcess } from "./knock.ts";
import { RunError, runFile } from "./run-file.ts";
import { stuckReport } from "./stuck.ts";
import { CycleError, taskTable, taskTrees } from "./task-table.ts";
import { isSortKey, SORT_KEYS } from "./top-table.ts";
import { showTop } from "./top.ts";

const USAGE = `usage: asyncio-ts COMMAND PID [options]
       asyncio-ts run [--debug] FILE [arguments of the program]

  ps PID       a table of the tasks of a running process, and who waits for each
  pstree PID   the same as trees
  top PID      what the tasks do, live: steps, time on the loop, time waiting
                 --seconds N   between two looks (2)
                 --sort KEY    ${SORT_KEYS.join(", ")}
                 --once        one look after that time, and no more
  trace PID    the steps of the tasks as a file for Perfetto (https://ui.perfetto.dev)
                 --seconds N   how long (5)
                 -o FILE       where to (trace.json)
  stuck PID    who has waited longest, circles, and if the loop is blocked, where
                 --seconds N   how long to watch (1)
                 --inspector   ask Node's inspector for the line of a blocked loop: it opens a port
                               on this machine for a moment, and any user of it could run code there

  run FILE     runs a program; if it exports a function by default, or as main, that on a loop
                 --debug       debug mode: slow steps, forgotten tasks, and where each was made

A process that is looked at needs no preparation; it must be yours, and run a loop of asyncio-ts. Linux.`;

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  seconds: { type: "string" },
  sort: { type: "string" },
  once: { type: "boolean" },
  output: { type: "string", short: "o" },
  inspector: { type: "boolean" },
} as const;

type Options = ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>["values"];
type Command = (pid: number, options: Options) => Promise<void>;

/** The command line cannot be understood. */
class UsageError extends Error {}

/** Which options a command takes, and what it does. */
const COMMANDS: Readonly<Record<string, readonly [readonly (keyof Options)[], Command]>> = {
  ps: [[], async (pid) => console.log(taskTable(await visitProcess(pid, askForTasks)).join("\n"))],
  pstree: [[], showTrees],
  top: [["seconds", "sort", "once"], top],
  trace: [["seconds", "output"], trace],
  stuck: [["seconds", "inspector"], stuck],
};

/** Runs a command line; its exit status. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    if (args[0] === "run" && args[1] !== "--help" && args[1] !== "-h") {
      await runFile(args.slice(1));
      return Number(process.exitCode ?? 0);
    }
    const { values, positionals } = parsed(args);
    if (values.help === true) {
      console.log(USAGE);
      return 0;
    }
    const [name, pid, ...rest] = positionals;
    const [allowed, command] = (name === undefined ? undefined : COMMANDS[name]) ?? [];
    if (allowed === undefined || command === undefined) {
      throw new UsageError(name === undefined ? "no command" : `no such command: ${name}`);
    }
    const odd = (Object.keys(values) as (keyof Options)[]).find((option) => !allowed.includes(option));
    if (odd !== undefined) throw new UsageError(`${name} has no option --${odd}`);
    if (values.inspector === true && NEEDED_FLAGS.length > 0) return inAnotherNode(NEEDED_FLAGS);
    await run(async () => await command(pidOf(pid, rest), values));
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
    if (error instanceof RunError) {
      console.error(`Error: ${error.message}`);
      return 2;
    }
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    return 2;
  }
}

function parsed(args: readonly string[]): { readonly values: Options; readonly positionals: readonly string[] } {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** The same command with flags for Node; its exit status. */
function inAnotherNode(flags: readonly string[]): number {
  const args = [...flags, ...process.argv.slice(1)];
  return spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1;
}

function pidOf(pid: string | undefined, rest: readonly string[]): number {
  const number = Number(pid);
  if (rest.length > 0 || !(Number.isInteger(number) && number > 0)) {
    throw new UsageError(pid === undefined ? "the PID of a process is missing" : `no PID of a process: ${pid}`);
  }
  return number;
}

function secondsOf({ seconds }: Options, usual: number): number {
  const number = Number(seconds ?? usual);
  if (!(number > 0 && number <= 3600)) throw new UsageError(`--seconds must be up to 3600: received ${seconds}`);
  return number;
}

async function showTrees(pid: number): Promise<void> {
  const trees = taskTrees(await visitProcess(pid, askForTasks));
  console.log(trees.map((tree) => tree.join("\n")).join("\n\n"));
}

async function record(ask: Ask, level: string): Promise<void> {
  await ask({ do: "record", level });
}

async function top(pid: number, options: Options): Promise<void> {
  const seconds = secondsOf(options, 2);
  const sort = options.sort ?? "busy";
  if (!isSortKey(sort)) throw new UsageError(`--sort must be one of ${SORT_KEYS.join(", ")}: received ${sort}`);
  await visitProcess(pid, async (ask) => {
    await record(ask, "times");
    await showTop(async () => await askForTasks(ask), { seconds, sort, once: options.once === true });
  });
}

async function trace(pid: number, options: Options): Promise<void> {
  const seconds = secondsOf(options, 5);
  const file = options.output ?? "trace.json";
  const found = await visitProcess(pid, async (ask) => {
    await record(ask, "events");
    await sleep(seconds);
    return await ask<{
      readonly traceEvents: readonly unknown[];
      readonly otherData: Readonly<Record<string, number>>;
    }>({ do: "trace" });
  });
  writeFileSync(file, JSON.stringify(found));
  const dropped = found.otherData["dropped events"]!;
  const lost = dropped === 0 ? "" : ` (${dropped} earlier ones were dropped)`;
  console.log(`${found.traceEvents.length} events${lost} in ${file}: open it in https://ui.perfetto.dev`);
}

async function stuck(pid: number, options: Options): Promise<void> {
  try {
    const loops = await visitProcess(pid, async (ask) => {
      await record(ask, "times");
      await sleep(secondsOf(options, 1));
      return await askForTasks(ask);
    });
    console.log(stuckReport(loops).join("\n"));
  } catch (error) {
    if (!(error instanceof SilenceError) || options.inspector !== true) throw error;
    console.log([`process ${pid} does not answer: its loop is blocked in`, ...(await blockedStack(pid))].join("\n"));
  }
}
