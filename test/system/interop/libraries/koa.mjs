/** koa: handlers that are tasks. */

import { serverChecks } from "../kit.mjs";
import { listening } from "../servers.mjs";

export const packages = { koa: "3.1.1" };

export const how =
  "`app.use(handler(fn, { cancelOn: (context) => context.res }))`. Errors go to `app.onerror`, and the client gets 500.";

export async function checks(asyncio, load) {
  const { default: Koa } = await load("koa");
  async function serve(handlers) {
    const app = new Koa();
    app.silent = true;
    const call = asyncio.handler(
      async (context) => {
        const [, name, text] = context.path.split("/");
        context.body = await asyncio.coroutine(handlers[name])(text);
      },
      { cancelOn: (context) => context.res },
    );
    app.use(call);
    return await listening(app.listen(0, "127.0.0.1"), [call]);
  }
  return { checks: serverChecks(asyncio, { serve, fails: 500 }), close: () => {} };
}
