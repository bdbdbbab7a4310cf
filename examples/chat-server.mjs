// A chat: whoever connects gives a name, and hears what the others say.
//
// It shows a server on streams, a task group for each client, and a graceful end. Run it, and talk to it from others:
//
//   npm run build
//   node examples/chat-server.mjs 8888
//   nc 127.0.0.1 8888
//
// Nobody waits for a slow client: what he has not taken waits in a queue of his own. If that is full, he is put out;
// a chat with holes in it would be worse. Ctrl-C ends the server: everybody is told, and has two seconds to take it in.

import * as asyncio from "asyncio-ts";

/** So many lines may wait for one client. */
const LINES_WAITING = 100;
/** A longer line ends the connection of who sent it. */
const LINE_LIMIT_BYTES = 4096;
/** Who has not given a name by then is put out. */
const NAME_SECONDS = 60;
const GRACE_SECONDS = 2;

/** @typedef {{ name: string, lines: asyncio.Queue<string>, writer: asyncio.StreamWriter }} Client */

/** Who is in the chat, by name. @type {Map<string, Client>} */
const clients = new Map();

/**
 * Puts `line` into everybody's queue. It never waits.
 *
 * @param {string} line
 */
function broadcast(line) {
  for (const { name, lines, writer } of clients.values()) {
    if (!lines.full()) {
      lines.putNowait(line);
    } else if (!writer.isClosing()) {
      console.log(`${name} is too slow`);
      writer.transport.abort(); // his reader comes to its end, and he leaves
    }
  }
}

/**
 * One client, from his connection to its end: `startServer` makes a task of each call.
 *
 * @param {asyncio.StreamReader} reader
 * @param {asyncio.StreamWriter} writer
 */
async function serve(reader, writer) {
  /** @type {Client} */
  const client = { name: "", lines: new asyncio.Queue(LINES_WAITING), writer };
  try {
    const hasJoined = await asyncio.timeout(NAME_SECONDS, () => join(client, reader));
    if (hasJoined) await talk(client, reader);
  } catch (error) {
    asyncio.rethrowIfCancelled(error);
    const reasons = error instanceof asyncio.ExceptionGroup ? error.errors : [error]; // a task group may have several
    console.log(`${client.name || "somebody"} is lost: ${reasons.join(", ")}`);
    writer.transport.abort(); // without waiting for what he has not taken in
  } finally {
    leave(client);
    writer.close();
  }
}

/**
 * Asks for a name until there is a good one; `false` if the client has gone instead.
 *
 * @param {Client} client
 * @param {asyncio.StreamReader} reader
 */
async function join(client, reader) {
  for (;;) {
    client.writer.write("Your name?\n");
    await client.writer.drain();
    const line = await reader.readline(); // bytes: String() makes text of them
    if (line.length === 0) return false;
    const name = String(line).trim();
    if (!/^\w{1,20}$/.test(name)) {
      client.writer.write("Up to 20 letters and digits, please.\n");
    } else if (clients.has(name)) {
      client.writer.write("That name is taken.\n");
    } else {
      client.name = name;
      clients.set(name, client);
      broadcast(`* ${name} has joined`);
      return true;
    }
  }
}

/**
 * Two things at once: hears what the client says, and sends him what the others say.
 *
 * @param {Client} client
 * @param {asyncio.StreamReader} reader
 */
async function talk(client, reader) {
  await asyncio.taskGroup(async (group) => {
    group.createTask(() => send(client));
    try {
      for await (const line of reader) broadcast(`${client.name}: ${String(line).trimEnd()}`);
    } finally {
      leave(client); // this ends the queue, and with it the sender
    }
  });
}

/**
 * Sends what is in the queue until that is shut down. Here, and only here, somebody waits for a slow client.
 *
 * @param {Client} client
 */
async function send({ lines, writer }) {
  for await (const line of lines) {
    writer.write(`${line}\n`);
    await writer.drain();
  }
  writer.close();
}

/**
 * Takes the client out. His sender has a moment for the lines that are still in the queue.
 *
 * @param {Client} client
 */
function leave(client) {
  if (clients.get(client.name) !== client) return;
  clients.delete(client.name);
  client.lines.shutdown();
  asyncio.getRunningLoop().callLater(GRACE_SECONDS, () => client.writer.transport.abort());
  broadcast(`* ${client.name} has left`);
}

/** Tells everybody that it is over. */
function sayGoodbye() {
  broadcast("* the server is going down");
  const all = [...clients.values()];
  clients.clear();
  for (const { lines } of all) lines.shutdown(); // each sender closes its connection behind the last line
}

/** @param {number} port */
async function main(port) {
  const server = await asyncio.startServer(serve, "127.0.0.1", port, { limit: LINE_LIMIT_BYTES });
  console.log(`the chat is open at port ${server.sockets[0].address().port}`);
  try {
    await asyncio.getRunningLoop().createFuture(); // nobody completes it: Ctrl-C cancels the wait
  } finally {
    sayGoodbye();
    const count = await server.shutdown({ grace: GRACE_SECONDS });
    console.log(`the chat is closed, ${count} had to be put out`);
  }
}

try {
  await asyncio.run(() => main(Number(process.argv[2] ?? 8888)));
} catch (error) {
  if (!(error instanceof asyncio.KeyboardInterrupt)) throw error; // Ctrl-C is no error here
}
