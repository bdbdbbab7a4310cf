// A pipeline of programs: what the shell does with `tr | sort | uniq -c`, without the shell. The bytes go through this
// program, so that it can count, change or stop them.
//
//   npm run build
//   node examples/subprocess-pipeline.mjs                            # the most frequent words of a text
//   node examples/subprocess-pipeline.mjs 'tr a-z A-Z' sort 'tail -2'  # programs of your own; nothing is quoted
//
// It shows streams to and from subprocesses: a slow program slows down the ones before it, one that has read enough ends
// them, and if one fails, or Ctrl-C is pressed, all of them are killed and waited for. No child is left over.

import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import * as asyncio from "asyncio-ts";

const { PIPE } = asyncio;

/** How many bytes are carried at a time. */
const CHUNK = 65_536;

/** A program of the pipeline did not do what it should. */
export class ProgramError extends Error {
  name = "ProgramError";

  /**
   * @param {string[]} command
   * @param {number} code
   * @param {string} complaint what it wrote to its standard error
   */
  constructor(command, code, complaint) {
    super(
      `${command.join(" ")}: ${code < 0 ? `signal ${-code}` : `exit code ${code}`}${complaint && `: ${complaint}`}`,
    );
    this.command = command;
    this.code = code;
  }
}

/**
 * Runs the commands, each with the output of the one before it as its input.
 *
 * @template T
 * @param {string[][]} commands
 * @param {Iterable<asyncio.Data> | AsyncIterable<asyncio.Data>} source what the first one reads
 * @param {(output: asyncio.StreamReader) => Promise<T>} sink reads what the last one writes, to its end
 * @param {(children: asyncio.Process[]) => void} started is told when all of them run
 * @returns {Promise<T>} what `sink` returned
 * @throws {asyncio.ExceptionGroup} of a {@link ProgramError} for each program that failed, or what `source` or `sink` threw
 */
export async function pipeline(commands, source, sink, started = () => {}) {
  const children = [];
  try {
    for (const [program, ...args] of commands) {
      children.push(await asyncio.createSubprocessExec(program, args, { stdin: PIPE, stdout: PIPE, stderr: PIPE }));
    }
    started(children);
    return await asyncio.taskGroup(async (group) => {
      for (const [i, child] of children.entries()) group.createTask(() => watch(child, commands[i]));
      for (const [i, child] of children.slice(1).entries()) group.createTask(() => carry(children[i], child));
      group.createTask(() => feed(source, children[0]));
      return await sink(children.at(-1).stdout);
    });
  } finally {
    // All of them have ended, or something went wrong.
    for (const child of children) if (child.returncode === null) child.kill();
    await asyncio.gather(children.map((child) => child.communicate()));
  }
}

/**
 * Gives a child all of `source`, as fast as it takes it.
 *
 * @param {Iterable<asyncio.Data> | AsyncIterable<asyncio.Data>} source
 * @param {asyncio.Process} child
 */
async function feed(source, { stdin }) {
  try {
    for await (const data of source) {
      stdin.write(data);
      await stdin.drain();
    }
  } catch (error) {
    if (!isBrokenPipe(error)) throw error; // otherwise it has read enough
  }
  stdin.close();
}

/**
 * Carries the output of one child to the next.
 *
 * @param {asyncio.Process} from
 * @param {asyncio.Process} to
 */
async function carry(from, to) {
  try {
    for (let data = await from.stdout.read(CHUNK); data.length > 0; data = await from.stdout.read(CHUNK)) {
      to.stdin.write(data);
      await to.stdin.drain();
    }
  } catch (error) {
    if (!isBrokenPipe(error)) throw error;
    // The system does this to a program that writes into a pipe which nobody reads.
    if (from.returncode === null) from.sendSignal("SIGPIPE");
  }
  to.stdin.close();
}

/**
 * Waits for the end of a child.
 *
 * @param {asyncio.Process} child
 * @param {string[]} command
 */
async function watch(child, command) {
  const complaint = String(await child.stderr.read()).trim();
  const code = await child.wait();
  if (code !== 0 && code !== -constants.signals.SIGPIPE) throw new ProgramError(command, code, complaint);
}

/** @param {{ code?: string }} error */
function isBrokenPipe(error) {
  return error.code === "EPIPE" || error.code === "ECONNRESET";
}

/** A text, which is the same every time. */
function* text() {
  const words = ["await", "cancel", "gather", "loop", "queue", "shield", "task", "timeout"];
  for (let line = 0, random = 1; line < 10_000; line++) {
    const chosen = [];
    while (chosen.length < 8) {
      random = (random * 48_271) % 2_147_483_647;
      // The smaller of two: the first words come more often.
      chosen.push(words[Math.min(random % 8, Math.floor(random / 8) % 8)]);
    }
    yield `${chosen.join(" ")}\n`;
  }
}

const MOST_FREQUENT = [["tr", " ", "\\n"], ["sort"], ["uniq", "-c"], ["sort", "-rn"], ["head", "-3"]];

async function main() {
  const args = process.argv.slice(2);
  const commands = args.length > 0 ? args.map((arg) => arg.split(" ")) : MOST_FREQUENT;
  try {
    await pipeline(
      commands,
      text(),
      async (output) => {
        for await (const line of output) console.log(String(line).trimEnd());
      },
      (children) => console.log("running", children.map(({ pid }) => pid).join(" ")),
    );
  } catch (error) {
    if (asyncio.isCancelled(error)) throw error;
    for (const each of error instanceof asyncio.BaseExceptionGroup ? error.exceptions : [error]) {
      console.error(each.message);
    }
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await asyncio.run(main);
  } catch (error) {
    if (!(error instanceof asyncio.KeyboardInterrupt)) throw error;
    console.log("interrupted; all programs were killed");
    process.exitCode = 130;
  }
}
