/** ws: messages as tasks, though its callbacks carry no context. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { A_MOMENT } from "../kit.mjs";

export const packages = { ws: "8.18.3" };

export const how =
  '`socket.on("message", handler(fn, { cancelOn: () => socket }))`; its callbacks know the one loop that runs. Errors go to the loop\'s exception handler.';

export async function checks(asyncio, load) {
  const { WebSocket, WebSocketServer } = await load("ws");
  const { createTask, fromPromise, handler, sleep } = asyncio;

  async function talk(onMessage, use) {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await fromPromise(once(server, "listening"));
    server.on("connection", (socket) => onMessage(socket));
    const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
    try {
      await fromPromise(once(client, "open"));
      await use(client);
    } finally {
      client.terminate();
      for (const socket of server.clients) socket.terminate();
      server.close();
    }
  }

  const user = new asyncio.ContextVar("user");
  const echo = (answer) => (socket) =>
    void socket.on(
      "message",
      handler(async (data) => socket.send(await asyncio.coroutine(answer)(String(data))), { cancelOn: () => socket }),
    );
  const answers = {
    async async(text) {
      user.set(text);
      await sleep(A_MOMENT);
      return user.get();
    },
    *generator(text) {
      user.set(text);
      yield* sleep(A_MOMENT);
      return user.get();
    },
  };
  const echoed = (answer) => () =>
    talk(echo(answer), async (client) => {
      const got = [];
      client.on("message", (data) => got.push(String(data)));
      client.send("ann");
      client.send("bob");
      while (got.length < 2) await sleep(0.005);
      assert.deepEqual(got.toSorted(), ["ann", "bob"]);
    });

  const every = {
    value: { async: echoed(answers.async), generator: echoed(answers.generator) },
    context: {
      async: () =>
        talk(
          (socket) =>
            void socket.on("message", async (data) => {
              const task = createTask(() => sleep(0.001, `${data} and back`));
              socket.send(await task);
            }),
          async (client) => {
            const answer = once(client, "message");
            client.send("there");
            assert.equal(String((await fromPromise(answer))[0]), "there and back");
          },
        ),
    },
    cancellation: {
      async: async () => {
        const [began, ended] = [new asyncio.Event(), new asyncio.Event()];
        const slow = async () => {
          began.set();
          try {
            await sleep(60);
          } finally {
            ended.set();
          }
        };
        await talk(echo(slow), async (client) => {
          client.send("hello");
          await began.wait();
          client.terminate();
          await ended.wait();
        });
      },
    },
  };
  return { checks: every, close: () => {} };
}
