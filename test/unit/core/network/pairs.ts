/**
 * Makers of connected ends, one for each way to move bytes: what {@link oneWayChecks} and {@link twoWayChecks} run over.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { duplexPair, PassThrough } from "node:stream";
import * as asyncio from "asyncio-ts";
import type { MemoryOptions } from "asyncio-ts/testing";
import { memoryStreams, VirtualHost } from "asyncio-ts/testing";
import { expect } from "vitest";
import { cert, key } from "../../../conformance/cpython/certificates.ts";
import type { End, OneWay, Size, TwoWay } from "./checks.ts";

/** A way to connect two ends. `connect` gives them to `use`, and puts everything away when that is over. */
export interface Kind<P> {
  readonly name: string;
  /** Whether it needs no network, and so a virtual clock. */
  readonly isVirtual: boolean;
  /** Whether both ends belong to one stream, which is closed as a whole. */
  readonly isLoop?: boolean;
  /** Whether the end of what is sent is the end of all. */
  readonly isWhole?: boolean;
  /** Whether an end that is gone without a goodbye is not felt at the other. */
  readonly isDeaf?: boolean;
  connect(use: (pair: P) => Promise<void>): Promise<void>;
}

/** How long a check may take. Only one that hangs takes so long. */
const WATCHDOG_SECONDS = 60;

/** Runs `check` over a fresh pair of `kind`. Nothing may be reported, and nothing be left open. */
export async function play<P>(kind: Kind<P>, check: (pair: P) => Promise<void>): Promise<void> {
  const loop = kind.isVirtual ? new asyncio.BaseEventLoop(new VirtualHost()) : asyncio.newEventLoop();
  const reports: unknown[] = [];
  const keep = (line: string): void => void reports.push(line);
  const ignore = (): void => {};
  const warn = (line: string): void => {
    // As in CPython, whoever goes on writing while the end is being said is told so.
    if (!line.includes("to a connection that is lost")) keep(line);
  };
  loop.setExceptionHandler((_loop, { message, exception }) => void reports.push(`${message} ${String(exception)}`));
  asyncio.setLogger({ debug: ignore, info: ignore, warning: warn, error: keep });
  const main = (): Promise<void> => kind.connect(check);
  try {
    await asyncio.run(
      async () => {
        if (kind.isVirtual) await main();
        else await asyncio.timeout(WATCHDOG_SECONDS, main);
        // Whoever still runs would run on: the main task is the only one.
        expect([...asyncio.allTasks()].slice(1).map(String)).toEqual([]);
      },
      { loopFactory: () => loop },
    );
  } finally {
    asyncio.setLogger(null);
  }
  expect(reports).toEqual([]);
}

/** Uses the two ends, and ends what the check has not ended. */
async function usingBoth(here: End, there: End, size: Size, use: (pair: TwoWay) => Promise<void>): Promise<void> {
  try {
    await use({ here, there, size });
  } finally {
    here.writer.transport.abort();
    there.writer.transport.abort();
    for (const { writer } of [here, there]) await ended(writer);
  }
}

/** Waits for the end of a connection, good or bad. */
async function ended(writer: asyncio.StreamWriter): Promise<void> {
  await asyncio.gather([writer.waitClosed()], { returnExceptions: true });
}

const end = ([reader, writer]: asyncio.Streams): End => ({ reader, writer });

// --- over the network

/** A client of a server on this machine. `there` is the server's end. */
async function served(
  serve: (connected: asyncio.ClientConnectedCallback) => asyncio.Coroutine<asyncio.Server>,
  dial: (server: asyncio.Server) => asyncio.Coroutine<asyncio.Streams>,
  size: Size,
  use: (pair: TwoWay) => Promise<void>,
): Promise<void> {
  const accepted = asyncio.getRunningLoop().createFuture<asyncio.Streams>();
  await using server = await serve((...streams) => accepted.setResult(streams));
  const here = end(await dial(server));
  await usingBoth(here, end(await accepted), size, use);
}

const MEGABYTE = 1024 * 1024;
const NETWORK: Size = { clog: 24 * MEGABYTE, much: MEGABYTE };

const tcp: Kind<TwoWay> = {
  name: "TCP",
  isVirtual: false,
  connect: (use) =>
    served(
      (connected) => asyncio.startServer(connected, "127.0.0.1", 0),
      (server) => asyncio.openConnection("127.0.0.1", server.port),
      NETWORK,
      use,
    ),
};

const tls: Kind<TwoWay> = {
  name: "TLS",
  isVirtual: false,
  connect: (use) =>
    served(
      (connected) => asyncio.startServer(connected, "127.0.0.1", 0, { ssl: { key, cert } }),
      (server) => asyncio.openConnection("127.0.0.1", server.port, { ssl: { ca: cert } }),
      NETWORK,
      use,
    ),
};

const startTls: Kind<TwoWay> = {
  name: "TLS after STARTTLS",
  isVirtual: false,
  connect: (use) =>
    tcp.connect(async (pair) => {
      await asyncio.gather(pair.here.writer.startTls({ ca: cert }), pair.there.writer.startTls({ key, cert }));
      await use(pair);
    }),
};

const unix: Kind<TwoWay> = {
  name: "Unix sockets",
  isVirtual: false,
  connect: (use) =>
    inFolder((folder) => {
      const path = join(folder, "socket");
      return served(
        (connected) => asyncio.startUnixServer(connected, path),
        () => asyncio.openUnixConnection(path),
        { clog: 4 * MEGABYTE, much: MEGABYTE },
        use,
      );
    }),
};

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "asyncio-ts-"));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// --- in memory

function memory(name: string, options: MemoryOptions): Kind<TwoWay> {
  return {
    name,
    isVirtual: true,
    async connect(use) {
      const [here, there] = await memoryStreams(options);
      await usingBoth(end(here), end(there), { clog: MEGABYTE, much: MEGABYTE }, use);
    },
  };
}

/** Everything is small, as every byte takes its time. */
const byteByByte: Kind<TwoWay> = {
  name: "memory, byte by byte",
  isVirtual: true,
  async connect(use) {
    const [here, there] = await memoryStreams({ chunk: () => 1, limit: 1000, capacity: 1000 });
    for (const [, writer] of [here, there]) writer.transport.setWriteBufferLimits({ high: 1000 });
    await usingBoth(end(here), end(there), { clog: 8000, much: 40_000 }, use);
  },
};

// --- over Node's streams and the Web's

const STREAMS: Size = { clog: 2 * MEGABYTE, much: MEGABYTE };

const nodeStreams: Kind<TwoWay> = {
  name: "Node's streams",
  isVirtual: false,
  isDeaf: true,
  async connect(use) {
    const [one, other] = duplexPair();
    const here = end(await asyncio.fromNodeStream(one));
    const there = end(await asyncio.fromNodeStream(other));
    await usingBoth(here, there, STREAMS, use);
  },
};

const roundTripOfNode: Kind<TwoWay> = {
  name: "TCP as Node's streams and back",
  isVirtual: false,
  connect: (use) =>
    tcp.connect(async (pair) => {
      const [here, there] = [await throughNode(pair.here), await throughNode(pair.there)];
      await usingBoth(here, there, NETWORK, use);
    }),
};

async function throughNode({ reader, writer }: End): Promise<End> {
  return end(await asyncio.fromNodeStream(asyncio.toNodeStream(reader, writer)));
}

const webStreams: Kind<TwoWay> = {
  name: "the Web's streams",
  isVirtual: false,
  async connect(use) {
    const [up, down] = [passing(), passing()];
    const here = end(await asyncio.fromWebStreams({ readable: down.readable, writable: up.writable }));
    const there = end(await asyncio.fromWebStreams({ readable: up.readable, writable: down.writable }));
    await usingBoth(here, there, STREAMS, use);
  },
};

function passing(): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream<Uint8Array, Uint8Array>();
}

const roundTripOfTheWeb: Kind<TwoWay> = {
  name: "TCP as the Web's streams and back",
  isVirtual: false,
  isWhole: true,
  connect: (use) =>
    tcp.connect(async (pair) => {
      const [here, there] = [await throughTheWeb(pair.here), await throughTheWeb(pair.there)];
      await usingBoth(here, there, NETWORK, use);
    }),
};

async function throughTheWeb({ reader, writer }: End): Promise<End> {
  const readable = asyncio.toReadableStream(reader);
  const writable = asyncio.toWritableStream(writer);
  return end(await asyncio.fromWebStreams({ readable, writable }));
}

// --- one direction

/** Uses one direction, and ends what the check has not ended. */
async function usingOneWay(way: OneWay, use: (way: OneWay) => Promise<void>): Promise<void> {
  try {
    await use(way);
  } finally {
    way.writer.transport.abort();
    await ended(way.writer);
  }
}

const pipe: Kind<OneWay> = {
  name: "a pipe of the system",
  isVirtual: false,
  connect: (use) =>
    inFolder(async (folder) => {
      const path = join(folder, "pipe");
      execFileSync("mkfifo", [path]);
      const [output, input] = [constants.O_RDONLY, constants.O_WRONLY].map((mode) =>
        openSync(path, mode | constants.O_NONBLOCK),
      );
      const loop = asyncio.getRunningLoop();
      const makeProtocol = (reader: asyncio.StreamReader) => () => new asyncio.StreamReaderProtocol(reader);
      const reader = new asyncio.StreamReader();
      const [receiving] = await loop.connectReadPipe(makeProtocol(reader), output!);
      const [transport, protocol] = await loop.connectWritePipe(makeProtocol(new asyncio.StreamReader()), input!);
      const writer = new asyncio.StreamWriter(transport, protocol, null);
      const closeReceiver = (): void => receiving.close();
      await usingOneWay({ writer, reader, closeReceiver, size: STREAMS }, use);
      receiving.abort();
      await asyncio.sleep(0);
    }),
};

const child: Kind<OneWay> = {
  name: "a child that gives back what it gets",
  isVirtual: false,
  async connect(use) {
    const { PIPE } = asyncio;
    const cat = await asyncio.createSubprocessExec("cat", [], { stdin: PIPE, stdout: PIPE });
    const [writer, reader] = [cat.stdin!, cat.stdout!];
    try {
      await usingOneWay({ writer, reader, closeReceiver: null, size: STREAMS }, use);
    } finally {
      if (cat.returncode === null) cat.kill();
      await cat.wait();
      await reader.read();
    }
  },
};

const passThrough: Kind<OneWay> = {
  name: "a PassThrough of Node's",
  isVirtual: false,
  isLoop: true,
  async connect(use) {
    const { reader, writer } = end(await asyncio.fromNodeStream(new PassThrough()));
    await usingOneWay({ writer, reader, closeReceiver: null, size: STREAMS }, use);
  },
};

const transformStream: Kind<OneWay> = {
  name: "a TransformStream of the Web's",
  isVirtual: false,
  isLoop: true,
  async connect(use) {
    const { reader, writer } = end(await asyncio.fromWebStreams(passing()));
    await usingOneWay({ writer, reader, closeReceiver: null, size: STREAMS }, use);
  },
};

/** One direction of a connection that has two. */
function direction(kind: Kind<TwoWay>, name: string, turned: boolean): Kind<OneWay> {
  return {
    name: `${kind.name}, ${name}`,
    isVirtual: kind.isVirtual,
    isDeaf: kind.isDeaf === true,
    connect: (use) =>
      kind.connect(async ({ here, there, size }) => {
        const [from, to] = turned ? [there, here] : [here, there];
        await use({ writer: from.writer, reader: to.reader, closeReceiver: () => to.writer.close(), size });
      }),
  };
}

export const twoWayKinds: readonly Kind<TwoWay>[] = [
  tcp,
  tls,
  startTls,
  unix,
  memory("memory", {}),
  byteByByte,
  memory("memory, far away, in pieces", {
    latency: 0.2,
    capacity: 10_000,
    chunk: (available) => Math.ceil(available / 3),
  }),
  nodeStreams,
  roundTripOfNode,
  webStreams,
  roundTripOfTheWeb,
];

/** Whose two ends are not the same, both ways. */
const asymmetric: readonly Kind<TwoWay>[] = [tcp, tls, startTls, unix];

export const oneWayKinds: readonly Kind<OneWay>[] = [
  ...twoWayKinds.map((kind) => direction(kind, "there", false)),
  ...asymmetric.map((kind) => direction(kind, "and back", true)),
  pipe,
  child,
  passThrough,
  transformStream,
];
