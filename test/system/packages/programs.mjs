/** The programs that the projects of `projects.mjs` build and run, and what they print. */

/** On Node.js: what a bundler may lose (the platform, names of errors and classes), and a server. */
export const NODE = `
import {
  createTask, currentTask, Event, gather, openConnection, run, sleep, startServer, taskGroup, timeout,
} from "asyncio-ts";

const lines = [];

async function main() {
  const task = createTask(async () => {
    try {
      await sleep(3600);
    } finally {
      await sleep(0.001);
      lines.push("cleaned");
    }
  });
  await sleep(0.001);
  task.cancel();
  const [error] = await gather(task, { returnExceptions: true });
  lines.push(task.cancelled(), error.name, error.constructor.name, currentTask().constructor.name, String(new Event()));
  await timeout(0.001, () => sleep(3600)).catch((late) => lines.push(late.name));
  await taskGroup(async (group) => {
    group.createTask(() => sleep(3600));
    group.createTask(async () => { throw new RangeError("one"); });
  }).catch((group) => lines.push(group.name, group.exceptions.length));
  const server = await startServer(async (reader, writer) => {
    writer.write(await reader.readline());
    writer.close();
  }, "127.0.0.1", 0);
  const [reader, writer] = await openConnection("127.0.0.1", server.port);
  writer.write("hello\\n");
  lines.push(String(await reader.readline()).trim());
  writer.close();
  await server.shutdown({ grace: 1 });
}

run(main).then(() => console.log(lines.join(" ")));
`;

export const NODE_PRINTS =
  "cleaned true CancelledError CancelledError Task <Event [unset]> TimeoutError ExceptionGroup 1 hello";

/** In a browser: no network; async functions, and generators, which lose nothing. */
export const BROWSER = `
import { createTask, gather, run, sleep, timeout } from "asyncio-ts";

const lines = [];

function* main() {
  const task = createTask(function* () {
    try {
      yield* sleep(3600);
    } finally {
      yield* sleep(0.001);
      lines.push("cleaned");
    }
  });
  yield* sleep(0.001);
  task.cancel();
  const [error] = yield* gather(task, { returnExceptions: true });
  lines.push(task.cancelled(), error.name);
  try {
    yield* timeout(0.001, () => sleep(3600));
  } catch (late) {
    lines.push(late.name);
  }
}

run(main)
  .then(() => run(async () => { await sleep(0.001); lines.push("async"); }))
  .then(() => console.log(lines.join(" ")));
`;

export const BROWSER_PRINTS = "cleaned true CancelledError TimeoutError async";

/** What threads and processes do for {@link EXECUTORS}. */
export const EXECUTORS_WORK = `
import { currentJob, sleep } from "asyncio-ts";

export const double = (n) => 2 * n;
export function* nap() {
  currentJob().progress("asleep");
  yield* sleep(0.001);
  return "woken";
}
`;

/** Work elsewhere, from the packed files. */
export const EXECUTORS = `
import * as asyncio from "asyncio-ts";
import * as work from "./work.mjs";

const tasks = asyncio.defineTasks(new URL("./work.mjs", import.meta.url), work);
const lines = [];

await asyncio.run(async () => {
  lines.push(await asyncio.toThread(tasks.double, 21));
  for (const Executor of [asyncio.ThreadPoolExecutor, asyncio.ProcessPoolExecutor]) {
    const executor = new Executor({ maxWorkers: 1 });
    const job = executor.submit(tasks.nap);
    for await (const step of job.progress) lines.push(step);
    lines.push(await job);
    await executor.shutdown();
  }
});
console.log(lines.join(" "));
`;

export const EXECUTORS_PRINT = "42 asleep woken asleep woken";

/** A queue of machines, as far as it goes without Redis. */
export const QUEUE = `
import * as asyncio from "asyncio-ts";
import { BullExecutor, remoteTask, serveTasks } from "asyncio-ts/bullmq";

const both = { queue: "pages", connection: { path: "./nowhere.sock" } };
const resize = remoteTask("resize");
let reports = 0;

await asyncio.run(async () => {
  asyncio.getRunningLoop().setExceptionHandler(() => reports++);
  const executor = new BullExecutor({ ...both, reconnectWithin: 0.1 });
  const serving = asyncio.createTask(serveTasks({ resize }, both));
  try {
    await executor.submit(resize, "cat.png");
  } catch (error) {
    console.log(error instanceof asyncio.BrokenExecutorError, (await executor.health({ timeout: 0.1 })).isReady);
  }
  await executor.shutdown();
  serving.cancel();
  await asyncio.wait([serving]);
});
console.log(reports);
`;

export const QUEUE_PRINTS = "true false\n2";

/** What a strict compiler sees of it. */
export const QUEUE_TYPES = `
import { createTask, defineTasks, run } from "asyncio-ts";
import { BullExecutor, cloneCodec, remoteTask, serveTasks, type QueueHealth } from "asyncio-ts/bullmq";

const tasks = defineTasks("file:///work.mjs", { add: (a: number, b: number) => a + b });
const both = { queue: "numbers", connection: { host: "localhost", password: "secret", tls: {} }, codec: cloneCodec };

export const main = () =>
  run(async () => {
    const executor = new BullExecutor({ ...both, maxInFlight: 10 });
    const serving = createTask(serveTasks(tasks, { ...both, concurrency: 2 }));
    const sum: number = await executor.submit(tasks.add.with({ key: "sum", times: 3, delay: { minutes: 1 } }), 1, 2);
    const resize = remoteTask<(path: string, width: number) => Promise<Uint8Array>>("resize");
    const image: Uint8Array = await executor.submit(resize, "cat.png", 64);
    // @ts-expect-error an argument of another type
    executor.submit(resize, 64);
    const health: QueueHealth = await executor.health();
    serving.cancel();
    return [sum, image.byteLength, health.workers];
  });
`;

/** What a strict compiler sees. */
export const TYPES = `
import * as asyncio from "asyncio-ts";
import { mapConcurrent, moveOnAfter, openChannel, race, retry, select } from "asyncio-ts/structured";
import { asyncTest, explore, InMemoryExecutor, SimulatedNetwork, VirtualHost } from "asyncio-ts/testing";

export const test: (context: string) => Promise<void> = asyncTest(async (context: string) => {
  const network = new SimulatedNetwork({ latency: [0.01, { milliseconds: 50 }] });
  const length: number = await network.host("a").run(async () => context.length);
  const [sender, receiver] = openChannel<string>(1);
  const { index, value } = await select(receiver.receive(), sender.send("item"));
  const text: string | void = value;
  const doubled: number[] = await mapConcurrent([index, length], async (n) => n * 2, { limit: 2 });
  const either: string | number = await race(() => asyncio.sleep(1, "a"), async () => doubled.length);
  const again: boolean = await retry(function* (attempt) {
    yield* asyncio.sleep(1);
    return attempt > 1;
  });
  const moved = await moveOnAfter(1, async (scope) => scope.deadline);
  const deadline: number = moved.cancelledCaught ? 0 : moved.value;
  const tasks = asyncio.defineTasks("work", { size: async (text: string) => text.length, version: 1 });
  const size: number = await new InMemoryExecutor().submit(tasks.size.with({ timeout: { seconds: 1 } }), "text");
  const inThread: number = await asyncio.toThread(tasks.size, "text");
  void [deadline, size, inThread, text, either, again, (await explore(async () => {})).failure?.token];
});

async function main(): Promise<number> {
  const server: asyncio.Server = await asyncio.startServer(async (reader, writer) => {
    for await (const line of reader) writer.write(line);
    writer.close();
  }, "127.0.0.1", 0);
  const [reader, writer] = await asyncio.openConnection("127.0.0.1", server.port);
  writer.close();
  const bytes: Promise<Uint8Array> = reader.readexactly(4);
  await asyncio.taskGroup(async (group) => {
    const task = group.createTask(function* () {
      return (yield* asyncio.sleep(1, "slept")).length;
    });
    const length: number = await task;
    return [length, bytes];
  });
  asyncio.getRunningLoop().addSignalHandler("SIGTERM", () => {});
  return 1;
}

const listen = (listener: (request: { url: string }) => void): unknown => listener;
listen(asyncio.handler(async (request) => console.log(request.url)));
void asyncio.run(main, { signals: ["SIGINT", "SIGTERM"], loopFactory: () => new asyncio.BaseEventLoop(new VirtualHost()) });
`;

/** The same for the core alone, as a project for browsers has it, without Node's types. */
export const CORE_TYPES = `
import * as asyncio from "asyncio-ts/core";

export const program = asyncio.run(function* () {
  return (yield* asyncio.sleep(1, "slept")).length;
});
// @ts-expect-error there is no such thing in a browser
void asyncio.createSubprocessExec;
`;

/** Tests of a user's; `it` is what the runner calls a test. */
export const tests = (it) => `
import * as asyncio from "asyncio-ts";
import { asyncTest } from "asyncio-ts/testing";

const failureOf = (body) => asyncTest(body)().then(() => "none", String);

${it}("cancels", async () => {
  const task = asyncio.run(async () => {
    const work = asyncio.createTask(() => asyncio.sleep(3600));
    await asyncio.sleep(0.001);
    work.cancel();
    await asyncio.gather(work, { returnExceptions: true });
    return work.cancelled();
  });
  if ((await task) !== true) throw new Error("not cancelled");
});
${it}("an hour takes no time", asyncTest(async () => await asyncio.sleep({ hours: 1 })));
${it}("a task that is left fails the test", async () => {
  const failure = await failureOf(async () => void asyncio.createTask(() => asyncio.sleep(60), { name: "poller" }));
  if (!/left behind[^]*'poller'[^]*app\\.test/.test(failure)) throw new Error(failure);
});
${it}("a deadlock fails at once", async () => {
  const failure = await failureOf(async () => await new asyncio.Event().wait());
  if (!/deadlock: a task still waits[^]*'test'/.test(failure)) throw new Error(failure);
});
`;

/** Puts a second copy of the library into the project, as a dependency that brings its own has it. */
export const COPY = `
const fs = require("node:fs");
fs.cpSync(fs.realpathSync("../node_modules/asyncio-ts"), "node_modules/asyncio-ts-copy", { recursive: true });
`;

/** Errors of one copy are known to the other, a loop is not, and the message says why. */
export const COPIES = `
import * as one from "asyncio-ts";
import * as other from "asyncio-ts-copy";

await one.run(async () => {
  const lines = [new other.TimeoutError() instanceof one.TimeoutError, new one.CancelledError() instanceof other.CancelledError];
  await other.sleep(0.001).catch((error) => lines.push(error.message.replaceAll(/\\/[^ ,;]*\\/node_modules/g, "")));
  const [a] = await one.gather(one.fromPromise(other.run(async () => "both")), one.sleep(0.001));
  lines.push(a);
  console.log(lines.join("\\n"));
});
`;

export const COPIES_PRINT = `true
true
Cannot await <coroutine sleep()> here: no running event loop in this copy of asyncio-ts, /asyncio-ts-copy/dist/: one runs in another copy, /asyncio-ts/dist/; a program needs one copy for both (npm dedupe, or a peer dependency)
both`;

/** Each copy listens for rejections; neither takes the other for the application. */
export const COPIES_STRAY = `
import * as one from "asyncio-ts";
import * as other from "asyncio-ts-copy";

process.on("uncaughtException", (error) => console.log("uncaught", error.message));
await Promise.all([
  one.run(async () => {
    void Promise.reject(new Error("stray"));
    await one.sleep(0.01);
  }),
  other.run(() => other.sleep(0.01)),
]);
`;
