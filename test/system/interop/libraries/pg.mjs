/** PostgreSQL by pg: queries that are cancelled, and a pool that has all its connections afterwards. */

import { clientChecks } from "../kit.mjs";
import { startPostgres } from "../servers.mjs";

export const packages = { pg: "8.16.3" };

export const how = `A query cannot be interrupted from outside: cancelled, its waiter goes on at once, and PostgreSQL works on. Take a
connection with \`fromPromise(pool.connect(), { late: (client) => client.release() })\`, and give one back that a cancelled
query still works on with \`client.release(true)\`, which closes it.`;

export async function checks(asyncio, load) {
  const { default: pg } = await load("pg");
  const server = await startPostgres();
  const pool = new pg.Pool({ ...server.options, max: 2 });
  pool.on("error", () => {});
  const { fromPromise } = asyncio;

  /** One query on a connection of the pool, which is closed unless the query has ended. */
  async function query(text) {
    const client = await fromPromise(pool.connect(), { late: (connection) => connection.release() });
    let isDone = false;
    try {
      const { rows } = await fromPromise(() => client.query(text));
      isDone = true;
      return rows;
    } finally {
      client.release(!isDone);
    }
  }

  const withPool = clientChecks(asyncio, {
    quick: () => query("select 1 as one"),
    gives: [{ one: 1 }],
    slow: () => query("select pg_sleep(20)"),
    knowsSignal: false,
    isHealthy: async () => {
      for (let i = 0; i < 5; i++) await query("select 1");
      return pool.totalCount <= 2 && pool.waitingCount === 0 && pool.idleCount === pool.totalCount;
    },
  });
  return { checks: withPool, close: async () => (await pool.end(), server.stop()) };
}
