/** hono on Node.js: handlers that are tasks. */

import { serverChecks } from "../kit.mjs";
import { listening } from "../servers.mjs";

export const packages = { hono: "4.10.7", "@hono/node-server": "1.19.6" };

export const how =
  "`app.get(path, handler(fn, { cancelOn: (context) => context.req.raw.signal }))`. Errors go to `app.onError`.";

export async function checks(asyncio, load) {
  const [{ Hono }, { serve: listen }] = await Promise.all(["hono", "@hono/node-server"].map(load));
  async function serve(handlers) {
    const app = new Hono();
    app.onError((_error, context) => context.text("failed", 500));
    const calls = [];
    for (const [name, answer] of Object.entries(handlers)) {
      const respond = asyncio.coroutine(answer);
      const call = asyncio.handler(async (context) => context.text(await respond(context.req.param("text"))), {
        cancelOn: (context) => context.req.raw.signal,
      });
      calls.push(call);
      app.get(`/${name}/:text`, call);
    }
    return await listening(listen({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }), calls);
  }
  return { checks: serverChecks(asyncio, { serve, fails: 500 }), close: () => {} };
}
