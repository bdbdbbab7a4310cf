/** A loop whose network is this process's memory, on the virtual clock. */

import * as asyncio from "asyncio-ts";
import type { MemoryOptions } from "asyncio-ts/testing";
import { memoryChannels, VirtualHost } from "asyncio-ts/testing";
import type { Listener } from "../../../../src/core/network/server.ts";
import { Server } from "../../../../src/core/network/server.ts";
import { attach, StreamTransport } from "../../../../src/core/network/stream-transport.ts";

type MakeProtocol = () => asyncio.StreamingProtocol;

/** Connects and listens by name and port, without a socket. */
export class MemoryLoop
  extends asyncio.BaseEventLoop
  implements Pick<asyncio.NetworkLoop, "createConnection" | "createServer">
{
  readonly #places: Map<string, { readonly server: () => Server; readonly makeProtocol: MakeProtocol }> = new Map();
  readonly #options: MemoryOptions;

  constructor(options: MemoryOptions = {}) {
    super(new VirtualHost());
    this.#options = options;
  }

  createConnection<P extends asyncio.StreamingProtocol>(
    makeProtocol: () => P,
    host: string | null = null,
    port: number | string | null = null,
  ): asyncio.Coroutine<[asyncio.Transport, P]> {
    return asyncio.coroutine(() => this.#connecting(makeProtocol, `${host}:${port}`))();
  }

  *#connecting<P extends asyncio.StreamingProtocol>(
    makeProtocol: () => P,
    name: string,
  ): asyncio.CoroutineGenerator<[asyncio.Transport, P]> {
    yield* asyncio.sleep(this.#options.latency ?? 0);
    const place = this.#places.get(name);
    if (place === undefined) throw Object.assign(new Error(`${name} refused`), { code: "ECONNREFUSED" });
    const [here, there] = memoryChannels(this, this.#options);
    const server = place.server();
    if (server._admit()) new StreamTransport(this, there, place.makeProtocol(), { owner: server }).start();
    else there.destroy();
    return yield* attach(this, here, makeProtocol);
  }

  createServer(
    makeProtocol: MakeProtocol,
    host: string | null | readonly string[] = null,
    port: number | string | null = null,
    options: asyncio.ServerOptions = {},
  ): asyncio.Coroutine<Server> {
    return asyncio.coroutine(() => this.#serving(makeProtocol, `${String(host)}:${port}`, options))();
  }

  *#serving(
    makeProtocol: MakeProtocol,
    name: string,
    options: asyncio.ServerOptions,
  ): asyncio.CoroutineGenerator<Server> {
    const places = this.#places;
    const listener: Listener = {
      *listen() {
        places.set(name, { server: () => server, makeProtocol });
        yield* asyncio.sleep(0);
      },
      close: () => void places.delete(name),
      socket: name,
      address: name,
    };
    const server: Server = new Server(this, [listener], options.maxConnections);
    if (options.startServing !== false) yield* server.startServing();
    return server;
  }
}
