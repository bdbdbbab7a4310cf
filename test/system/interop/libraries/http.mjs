/** node:http: handlers that are tasks, where nobody looks at what they return. */

import { createServer } from "node:http";
import { serverChecks } from "../kit.mjs";
import { listening } from "../servers.mjs";

export const packages = {};

export const how =
  "`createServer(handler(fn, { cancelOn: (request, response) => response }))`. Errors go to the loop's exception handler: answer them yourself.";

export async function checks(asyncio) {
  async function serve(handlers) {
    const call = asyncio.handler(
      async (request, response) => {
        const [, name, text] = request.url.split("/");
        try {
          response.end(await asyncio.coroutine(handlers[name])(text));
        } catch (error) {
          asyncio.rethrowIfCancelled(error);
          response.writeHead(500).end();
        }
      },
      { cancelOn: (_request, response) => response },
    );
    return await listening(createServer(call).listen(0, "127.0.0.1"), [call]);
  }
  return { checks: serverChecks(asyncio, { serve, fails: 500 }), close: () => {} };
}
