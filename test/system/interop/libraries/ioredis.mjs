/** Redis by ioredis: a blocking command that is cancelled, and the connection afterwards. */

import { startRedis } from "../../bullmq/redis.mjs";
import { clientChecks } from "../kit.mjs";

export const packages = { ioredis: "5.8.2" };

export const how = `A command cannot be interrupted. A blocking one (\`blpop\`) wants a connection of its own: cancelled, call
\`connection.disconnect()\` in a \`finally\`.`;

export async function checks(asyncio, load) {
  const { Redis } = await load("ioredis");
  const server = await startRedis();
  const redis = new Redis(server.connection);
  const open = new Set();

  async function blocking(signal) {
    const connection = redis.duplicate();
    connection.on("error", () => {});
    open.add(connection);
    signal.addEventListener("abort", () => connection.disconnect(), { once: true });
    try {
      return await connection.blpop("nothing", 20);
    } finally {
      connection.disconnect();
      open.delete(connection);
    }
  }

  const commands = clientChecks(asyncio, {
    quick: async () => {
      await redis.set("key", "value");
      return await redis.get("key");
    },
    gives: "value",
    slow: blocking,
    knowsSignal: false,
    isHealthy: async () => (await redis.ping()) === "PONG" && open.size === 0,
  });
  return { checks: commands, close: async () => (redis.disconnect(), server.stop()) };
}
