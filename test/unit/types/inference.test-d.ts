/** Types: what is inferred without annotations in both syntaxes, and what must not compile. */

import * as asyncio from "asyncio-ts";
import { describe, expectTypeOf, test } from "vitest";

const { sleep, gather, createTask, run, coroutine, shield, ensureFuture, fromPromise } = asyncio;

declare const future: asyncio.Future<string>;
declare const task: asyncio.Task<boolean>;
declare const promise: Promise<number>;

async function asyncWorker(): Promise<number> {
  await sleep(1);
  return 1;
}

function* generatorWorker() {
  yield* sleep(1);
  return "one";
}

describe("inference in async functions", () => {
  test("await gives the result of each awaitable", async () => {
    expectTypeOf(await future).toEqualTypeOf<string>();
    expectTypeOf(await task).toEqualTypeOf<boolean>();
    expectTypeOf(await sleep(1)).toEqualTypeOf<void>();
    expectTypeOf(await sleep(1, "x")).toEqualTypeOf<string>();
    expectTypeOf(await shield(task)).toEqualTypeOf<boolean>();
    expectTypeOf(await fromPromise(promise)).toEqualTypeOf<number>();
    expectTypeOf(await fromPromise((signal) => fetch("http://localhost", { signal }))).toEqualTypeOf<Response>();
    expectTypeOf(await ensureFuture(generatorWorker())).toEqualTypeOf<string>();
  });

  test("gather keeps the tuple", async () => {
    expectTypeOf(await gather(future, task, promise)).toEqualTypeOf<[string, boolean, number]>();
    expectTypeOf(await gather([future, task])).toEqualTypeOf<[string, boolean]>();
    expectTypeOf(await gather(generatorWorker(), asyncWorker())).toEqualTypeOf<[string, number]>();
    expectTypeOf(await gather([1, 2].map(() => sleep(0, 5)))).toEqualTypeOf<number[]>();
    expectTypeOf(await gather(future, task, { returnExceptions: true })).toEqualTypeOf<
      [string | Error, boolean | Error]
    >();
    expectTypeOf(await gather([future], { returnExceptions: true })).toEqualTypeOf<[string | Error]>();
    expectTypeOf(await gather(future, task, { returnExceptions: false })).toEqualTypeOf<[string, boolean]>();
  });
});

describe("C8, G4: an awaitable is a promise by its type", () => {
  test("then, catch and finally infer as a promise's", () => {
    expectTypeOf(sleep(1, 5).then(String)).toEqualTypeOf<Promise<string>>();
    expectTypeOf(task.then(() => 1, String)).toEqualTypeOf<Promise<number | string>>();
    expectTypeOf(task.catch(() => 1)).toEqualTypeOf<Promise<boolean | number>>();
    expectTypeOf(future.finally(() => {})).toEqualTypeOf<Promise<string>>();
    expectTypeOf(future.then(null)).toEqualTypeOf<Promise<string>>();
  });

  test("bytes from a connection of Node's are a Buffer", async () => {
    const [reader] = await asyncio.openConnection("127.0.0.1", 80);
    expectTypeOf((await reader.readexactly(4)).readUInt32BE()).toEqualTypeOf<number>();
    for await (const line of reader) expectTypeOf(line).toEqualTypeOf<Buffer>();
    void asyncio.startServer(async (client) => {
      expectTypeOf(await client.readline()).toEqualTypeOf<Buffer>();
    }, "127.0.0.1");
    void asyncio.startServer(function* (client) {
      expectTypeOf(yield* client.read()).toEqualTypeOf<Buffer>();
    }, "127.0.0.1");
    void asyncio.startServer(async (_client: asyncio.StreamReader) => {}, "127.0.0.1");
  });

  test("the pipes of a child are there where PIPE was given", async () => {
    const child = await asyncio.createSubprocessExec("cat", [], { stdin: asyncio.PIPE, stdout: asyncio.PIPE });
    expectTypeOf(child.stdin).toExtend<asyncio.StreamWriter>();
    expectTypeOf(await child.stdout.readline()).toEqualTypeOf<Buffer>();
    expectTypeOf(child.stderr).toBeNullable();
    const options = { stdout: asyncio.PIPE };
    expectTypeOf((await asyncio.createSubprocessShell("date", options)).stdout).toExtend<asyncio.StreamReader>();
    expectTypeOf((await asyncio.createSubprocessShell("date")).stdout).toBeNullable();
    expectTypeOf(child).toExtend<asyncio.Process>();
  });

  test("addresses of a connection are addresses", () => {
    const address = (writer: asyncio.StreamWriter) => writer.getExtraInfo("peername");
    expectTypeOf(address).returns.toEqualTypeOf<asyncio.SocketAddress | string | null>();
    const other = (writer: asyncio.StreamWriter) => writer.getExtraInfo("socket");
    expectTypeOf(other).returns.toBeUnknown();
  });

  test("a function that promises may return one", () => {
    const typed = (reader: asyncio.StreamReader): Promise<Uint8Array> => reader.readexactly(4);
    expectTypeOf(typed).returns.toEqualTypeOf<Promise<Uint8Array>>();
    expectTypeOf(future).toExtend<PromiseLike<string>>();
  });
});

describe("inference in generator functions", () => {
  test("yield* gives the result of each awaitable, without annotations", () => {
    function* body() {
      expectTypeOf(yield* future).toEqualTypeOf<string>();
      expectTypeOf(yield* task).toEqualTypeOf<boolean>();
      expectTypeOf(yield* sleep(1)).toEqualTypeOf<void>();
      expectTypeOf(yield* sleep(1, 5)).toEqualTypeOf<number>();
      expectTypeOf(yield* generatorWorker()).toEqualTypeOf<string>();
      expectTypeOf(yield* gather(future, generatorWorker())).toEqualTypeOf<[string, string]>();
      expectTypeOf(yield* gather([future, task])).toEqualTypeOf<[string, boolean]>();
      expectTypeOf(yield* fromPromise(promise)).toEqualTypeOf<number>();
      return 7;
    }
    expectTypeOf(createTask(body)).toEqualTypeOf<asyncio.Task<number>>();
    expectTypeOf(createTask(body())).toEqualTypeOf<asyncio.Task<number>>();
    expectTypeOf(run(body)).toEqualTypeOf<Promise<number>>();
  });
});

describe("functions that start work", () => {
  test("run and createTask take functions of both syntaxes and coroutines", () => {
    expectTypeOf(run(asyncWorker)).toEqualTypeOf<Promise<number>>();
    expectTypeOf(run(generatorWorker)).toEqualTypeOf<Promise<string>>();
    expectTypeOf(run(sleep(1, "x"))).toEqualTypeOf<Promise<string>>();
    expectTypeOf(createTask(() => asyncWorker())).toEqualTypeOf<asyncio.Task<number>>();
    expectTypeOf(createTask(() => generatorWorker())).toEqualTypeOf<asyncio.Task<string>>();
    expectTypeOf(createTask(() => sleep(1, "x"))).toEqualTypeOf<asyncio.Task<string>>();
    expectTypeOf(createTask(async () => {})).toEqualTypeOf<asyncio.Task<void>>();
  });

  test("coroutine() keeps parameters and result, of either syntax", () => {
    const fromAsync = coroutine(async (name: string, times: number) => name.repeat(times));
    expectTypeOf(fromAsync).parameters.toEqualTypeOf<[string, number]>();
    expectTypeOf(fromAsync).returns.toEqualTypeOf<asyncio.Coroutine<string>>();
    const fromGenerator = coroutine(function* (delay: number) {
      yield* sleep(delay);
      return [delay];
    });
    expectTypeOf(fromGenerator).parameters.toEqualTypeOf<[number]>();
    expectTypeOf(fromGenerator).returns.toEqualTypeOf<asyncio.Coroutine<number[]>>();
  });
});

describe("what must not compile", () => {
  test("a promise is no work to start: it runs already", () => {
    // @ts-expect-error pass the function
    void run(asyncWorker());
    // @ts-expect-error pass the function
    createTask(asyncWorker());
    // @ts-expect-error pass the function
    createTask(promise);
  });

  test("a plain yield, where yield* was meant", () => {
    // @ts-expect-error yield instead of yield*
    createTask(function* () {
      yield sleep(1);
    });
    // @ts-expect-error yield instead of yield*
    createTask(function* () {
      yield future;
    });
  });

  test("a function without an awaitable", () => {
    // @ts-expect-error returns a number
    createTask(() => 5);
  });

  test("a duration that is none", () => {
    // @ts-expect-error a string
    sleep("1s");
    // @ts-expect-error a unit that does not exist
    sleep({ fortnights: 1 });
  });

  test("a result of the wrong type", () => {
    // @ts-expect-error a number for a string
    future.setResult(5);
  });

  test("callbacks with the wrong arguments", () => {
    const loop = asyncio.getRunningLoop();
    // @ts-expect-error a string for a number
    loop.callSoon((n: number) => n, "1");
    // @ts-expect-error an argument is missing
    loop.callLater(1, (n: number) => n);
  });

  test("a context variable of another type", () => {
    const variable = new asyncio.ContextVar<number>("variable");
    // @ts-expect-error a string for a number
    variable.set("1");
  });
});
