/** fastify: handlers that are tasks. */

import { serverChecks } from "../kit.mjs";
import { closing } from "../servers.mjs";

export const packages = { fastify: "5.6.2" };

export const how =
  "`app.get(path, handler(fn, { cancelOn: (request, reply) => reply.raw }))`. Errors go to fastify's error handler.";

export async function checks(asyncio, load) {
  const { default: fastify } = await load("fastify");
  async function serve(handlers) {
    const app = fastify({ forceCloseConnections: true });
    const calls = [];
    for (const [name, answer] of Object.entries(handlers)) {
      const respond = asyncio.coroutine(answer);
      const call = asyncio.handler(async (request) => await respond(request.params.text), {
        cancelOn: (_request, reply) => reply.raw,
      });
      calls.push(call);
      app.get(`/${name}/:text`, (request, reply) => call(request, reply));
    }
    await app.listen({ port: 0, host: "127.0.0.1" });
    return { port: app.server.address().port, close: async () => (await closing(calls), await app.close()) };
  }
  return { checks: serverChecks(asyncio, { serve, fails: 500 }), close: () => {} };
}
