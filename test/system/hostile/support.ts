/** What hostile tests have in common: a program with its reports, peers that are plain Node sockets, and a watch on leaks. */

import { once } from "node:events";
import * as net from "node:net";
import * as asyncio from "asyncio-ts";
import { expect } from "vitest";

export interface World {
  readonly loop: asyncio.EventLoop;
  /** What came to the loop's exception handler. */
  readonly reports: asyncio.ExceptionContext[];
  /** What came to the library's log. */
  readonly log: string[];
}

/** How long a wait may take that ought to end at once. Only a failing test waits so long. */
const WATCHDOG_SECONDS = 60;

/** Runs `main` on the real loop; what was reported to its end. No rejection and no error may escape the library. */
export async function run(main: (world: World) => Promise<void>): Promise<World> {
  const loop = asyncio.newEventLoop();
  const world: World = { loop, reports: [], log: [] };
  const escaped: unknown[] = [];
  const keep = (line: string): void => void world.log.push(line);
  const escape = (error: unknown): void => void escaped.push(error);
  const ignore = (): void => {};
  loop.setExceptionHandler((_loop, context) => void world.reports.push(context));
  asyncio.setLogger({ debug: ignore, info: ignore, warning: keep, error: keep });
  const stopCatching = catchEscapes(escape);
  try {
    await asyncio.run(() => main(world), { loopFactory: () => loop });
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    asyncio.setLogger(null);
    stopCatching();
  }
  expect(escaped, "errors that would have ended the process").toEqual([]);
  return world;
}

/** Gives `escape` what would have ended the process; the function returned stops that. */
function catchEscapes(escape: (error: unknown) => void): () => void {
  const rejected = (error: unknown): void => {
    if (!(error instanceof asyncio.CancelledError)) escape(error);
  };
  const errors = process.listeners("uncaughtException");
  const rejections = process.listeners("unhandledRejection");
  process.removeAllListeners("uncaughtException").on("uncaughtException", escape);
  process.removeAllListeners("unhandledRejection").on("unhandledRejection", rejected);
  return () => {
    process.off("uncaughtException", escape).off("unhandledRejection", rejected);
    for (const one of errors) process.on("uncaughtException", one);
    for (const one of rejections) process.on("unhandledRejection", one);
  };
}

/** Waits for `awaitable`, which has to come: a hang is a failure of this test and not of the suite. */
export function soon<A extends asyncio.Waitable<unknown>>(awaitable: A): asyncio.Coroutine<asyncio.ResultOf<A>> {
  return asyncio.waitFor(awaitable, WATCHDOG_SECONDS);
}

/** {@link soon}, for a promise of Node's. */
export async function eventually<T>(promise: Promise<T>): Promise<T> {
  return await soon(asyncio.fromPromise(promise));
}

/** Lets the loop turn until `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  await soon(untilTrue(condition));
}

const untilTrue = asyncio.coroutine(async (condition: () => boolean) => {
  while (!condition()) await asyncio.sleep(0);
});

/** The result of `work`, or what it threw. */
export async function outcome(work: asyncio.Waitable<unknown>): Promise<unknown> {
  try {
    return await soon(work);
  } catch (error) {
    return error;
  }
}

export function portOf(server: asyncio.Server | net.Server): number {
  const socket = server instanceof asyncio.Server ? (server.sockets[0] as net.Server) : server;
  return (socket.address() as net.AddressInfo).port;
}

/** A client of Node's. Its errors are kept to itself. */
export async function dial(port: number, options: { readonly allowHalfOpen?: boolean } = {}): Promise<net.Socket> {
  const socket = new net.Socket(options);
  socket.on("error", () => {});
  socket.connect(port, "127.0.0.1");
  await eventually(once(socket, "connect"));
  return socket;
}

/** A server of Node's, which does to each client what `meet` does. Closing it closes what it accepted. */
export async function host(meet: (socket: net.Socket) => void): Promise<net.Server> {
  const sockets: net.Socket[] = [];
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    sockets.push(socket);
    meet(socket);
  });
  const { close } = server;
  server.close = (done) => {
    for (const socket of sockets) socket.destroy();
    return close.call(server, done);
  };
  server.listen(0, "127.0.0.1");
  await eventually(once(server, "listening"));
  return server;
}

/** Comes when `socket` is closed, in good order or not. */
export async function closing(socket: net.Socket): Promise<void> {
  if (!socket.closed) await new Promise<void>((resolve) => void socket.once("close", () => resolve()));
}

/** Everything that `socket` sends, to its end. */
export async function everything(socket: net.Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  await eventually(closing(socket));
  return Buffer.concat(chunks).toString("latin1");
}

/** What of the system's this process has open: sockets and servers, not the timers and pipes of the test runner. */
export function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => /TCP|Pipe.*(Server|Connect)|TLS/.test(name)).length;
}

/** Runs `work`, after which as many sockets are open as before. */
export async function leavingNothing(work: () => Promise<void>): Promise<void> {
  const before = openSockets();
  await work();
  await until(() => openSockets() <= before).catch(() => {});
  expect(openSockets(), "sockets that were left open").toBeLessThanOrEqual(before);
}

/** A server that echoes, to see that the loop goes on; the answer to "ping". */
export async function ping(port: number): Promise<string> {
  const socket = await dial(port);
  socket.end("ping");
  return await everything(socket);
}
