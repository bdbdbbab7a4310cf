/**
 * `npm run bench:recorder`: what it costs to be watched, by level: nobody watches, `counts`, `times` (`top`, `stuck`) and
 * `events` (`trace`). Each sample is a process of its own, and levels take turns; the number is the processor's time.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { ownBuild } from "./builds.mjs";
import { spawnAndJoin } from "./javascript/spawn-and-join.mjs";
import { switching } from "./javascript/switch.mjs";
import { middle } from "./jobs.mjs";
import { ASYNC, GENERATORS } from "./subjects.mjs";

const LEVELS = ["off", "counts", "times", "events"];
const PROGRAMS = {
  switch: switching.programs,
  spawn: spawnAndJoin.programs,
  echo: { [ASYNC]: echo, [GENERATORS]: echo },
};
const SIZES = {
  switch: { tasks: 1000, turns: 400 },
  spawn: spawnAndJoin.sizes.full,
  echo: { messages: 20_000, bytes: 1024 },
};
const UNITS = { switch: "ns a switch", spawn: "ns a task", echo: "ns a message" };

const { values, positionals } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, node: { type: "string", default: process.execPath } },
  allowPositionals: true,
});

if (positionals.length > 0) console.log(await sample(...positionals));
else report();

function report() {
  console.log(execFileSync(values.node, ["--version"], { encoding: "utf8" }).trim());
  for (const program of Object.keys(PROGRAMS)) {
    for (const syntax of [GENERATORS, ASYNC]) {
      const samples = LEVELS.map(() => []);
      for (let i = 0; i < Number(values.rounds); i++) {
        for (const [k, level] of LEVELS.entries()) samples[k].push(inProcess(program, syntax, level));
      }
      const [off, ...others] = samples.map(middle);
      const cells = others.map((value, i) => `${LEVELS[i + 1]} ${value.toFixed(0)} (${(value / off).toFixed(2)})`);
      console.log(`${program}, ${syntax}, ${UNITS[program]}: off ${off.toFixed(0)}, ${cells.join(", ")}`);
    }
  }
}

function inProcess(program, syntax, level) {
  const args = [fileURLToPath(import.meta.url), program, syntax, level];
  const env = { ...process.env, BENCH_CLOCK: "cpu" };
  return Number(execFileSync(values.node, args, { env, encoding: "utf8" }));
}

async function sample(program, syntax, level) {
  const asyncio = await import("asyncio-ts");
  const { recorderOf } = await import(pathToFileURL(join(ownBuild, "inspection/recorder.js")).href);
  const loopFactory = () => {
    const loop = asyncio.newEventLoop();
    if (level !== "off") recorderOf(loop).watch(level);
    return loop;
  };
  const watched = { ...asyncio, run: (main) => asyncio.run(main, { loopFactory }) };
  const once = async () => await PROGRAMS[program][syntax](SIZES[program], watched, syntax);
  await once();
  return await once();
}

/** A client and a server in one process, over TCP. */
function echo({ messages, bytes }, asyncio, syntax) {
  const message = new Uint8Array(bytes);
  const isAsync = syntax === ASYNC;
  async function serveAsync(reader, writer) {
    for (let i = 0; i < messages; i++) writer.write(await reader.readexactly(bytes));
    writer.close();
  }
  function* serveGenerator(reader, writer) {
    for (let i = 0; i < messages; i++) writer.write(yield* reader.readexactly(bytes));
    writer.close();
  }
  async function callAsync([reader, writer]) {
    for (let i = 0; i < messages; i++) {
      writer.write(message);
      await reader.readexactly(bytes);
    }
  }
  function* callGenerator([reader, writer]) {
    for (let i = 0; i < messages; i++) {
      writer.write(message);
      yield* reader.readexactly(bytes);
    }
  }
  return asyncio.run(async () => {
    const server = await asyncio.startServer(isAsync ? serveAsync : serveGenerator, "127.0.0.1", 0);
    const { port } = server.sockets[0].address();
    const connection = await asyncio.openConnection("127.0.0.1", port);
    const { user, system } = process.cpuUsage();
    await asyncio.createTask(() => (isAsync ? callAsync : callGenerator)(connection));
    const used = process.cpuUsage();
    connection[1].close();
    server.close();
    return ((used.user + used.system - user - system) * 1000) / messages;
  });
}
