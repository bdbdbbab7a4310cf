/** Programs of Python's asyncio as peers, and the same ways to connect on our side. */

import { join } from "node:path";
import * as asyncio from "asyncio-ts";
import { authority, certificateFiles, server as identity, temporaryFolder } from "./certificates.ts";
import { Child } from "./child.ts";
import { portOf } from "./world.ts";

/** The ways a connection can go. */
export const WAYS = ["TCP", "TLS", "Unix", "Unix and TLS"] as const;
export type Way = (typeof WAYS)[number];

/**
 * What the programs have in common: `connect` and `serve`, whose arguments are those of the command line: the way, the
 * address, and files of the certificates.
 */
const PRELUDE = String.raw`
import asyncio, hashlib, os, socket, ssl, struct, sys
way, address, authority, key, cert = sys.argv[1:6]
MEGABYTE = 1024 * 1024

def say(*words):
    print(*words, flush=True)

def digest(data):
    return hashlib.sha256(data).hexdigest()

def client_context():
    return ssl.create_default_context(cafile=authority)

def server_context():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return context

async def connect():
    options = dict(ssl=client_context(), server_hostname="localhost") if "TLS" in way else {}
    if "Unix" in way:
        return await asyncio.open_unix_connection(address, **options)
    return await asyncio.open_connection("127.0.0.1", int(address), **options)

async def serve(callback):
    """Serves one client, whose address it says, to the end of the callback."""
    done = asyncio.get_running_loop().create_future()
    async def once(reader, writer):
        try:
            done.set_result(await callback(reader, writer))
        except Exception as error:
            done.set_exception(error)
    options = dict(ssl=server_context()) if "TLS" in way else {}
    if "Unix" in way:
        server = await asyncio.start_unix_server(once, address, **options)
        say("SERVING", address)
    else:
        server = await asyncio.start_server(once, "127.0.0.1", 0, **options)
        say("SERVING", server.sockets[0].getsockname()[1])
    await done
    server.close()
`;

/** Runs `program` after the prelude. */
function startPython(program: string, way: Way, address: string, whose: "server" | "stranger"): Child {
  const { authority: trusted, [whose]: own } = certificateFiles();
  return new Child("python3", ["-c", `${PRELUDE}\n${program}`, way, address, trusted, own.key, own.cert]);
}

/** Python as a client of our server. */
export function startPythonClient(program: string, way: Way, address: string | number): Child {
  return startPython(program, way, String(address), "server");
}

/** Python as a server, when it serves, with the certificate of our server or of a stranger. */
export async function startPythonServer(
  program: string,
  way: Way,
  whose: "server" | "stranger" = "server",
): Promise<{ child: Child; address: string }> {
  const child = startPython(program, way, way.startsWith("Unix") ? join(temporaryFolder(), "socket") : "", whose);
  const [, address] = await child.says(/SERVING (.+)/);
  return { child, address: address! };
}

/** A server of ours, and its address. */
export async function startOurServer(
  way: Way,
  callback: asyncio.ClientConnectedCallback,
  limit: number = 65_536,
): Promise<{ server: asyncio.Server; address: string }> {
  const options = { limit, ...(way.endsWith("TLS") ? { ssl: identity } : {}) };
  if (way.startsWith("Unix")) {
    const path = join(temporaryFolder(), "socket");
    return { server: await asyncio.startUnixServer(callback, path, options), address: path };
  }
  const server = await asyncio.startServer(callback, "127.0.0.1", 0, options);
  return { server, address: String(portOf(server)) };
}

/** A client of ours. */
export async function connectToPython(way: Way, address: string, limit: number = 65_536): Promise<asyncio.Streams> {
  const options = { limit, ...(way.endsWith("TLS") ? { ssl: { ca: authority }, serverHostname: "localhost" } : {}) };
  if (way.startsWith("Unix")) return await asyncio.openUnixConnection(address, options);
  return await asyncio.openConnection("127.0.0.1", address, options);
}
