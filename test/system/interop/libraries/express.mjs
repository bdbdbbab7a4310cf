/** express 5: handlers that are tasks. */

import { serverChecks } from "../kit.mjs";
import { listening } from "../servers.mjs";

export const packages = { express: "5.1.0" };

export const how = "`app.get(path, handler(fn, { cancelOn: (request, response) => response }))`. Errors go to `next`.";

export async function checks(asyncio, load) {
  const { default: express } = await load("express");
  async function serve(handlers) {
    const app = express();
    app.set("env", "test");
    const calls = [];
    for (const [name, answer] of Object.entries(handlers)) {
      const respond = asyncio.coroutine(answer);
      const call = asyncio.handler(
        async (request, response) => void response.send(await respond(request.params.text)),
        { cancelOn: (_request, response) => response },
      );
      calls.push(call);
      app.get(`/${name}/:text`, call);
    }
    return await listening(app.listen(0, "127.0.0.1"), calls);
  }
  return { checks: serverChecks(asyncio, { serve, fails: 500 }), close: () => {} };
}
