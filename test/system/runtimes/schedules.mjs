/**
 * Tokens of `explore` that were found on one runtime and are run again on all: a schedule is the same everywhere.
 *
 * @module
 */

/** What the second question is. */
const SECOND = "2".codePointAt(0);

/** Two tasks take two locks in opposite orders; the usual order is safe. */
function lockOrder({ asyncio }) {
  return {
    *generators() {
      const [a, b] = [new asyncio.Lock(), new asyncio.Lock()];
      function* takeBoth(first, second, turns) {
        for (let i = 0; i < turns; i++) yield* asyncio.sleep(0);
        yield* first.acquire();
        yield* asyncio.sleep(0);
        yield* second.acquire();
        second.release();
        first.release();
      }
      yield* asyncio.gather([
        asyncio.createTask(() => takeBoth(a, b, 0), { name: "early" }),
        asyncio.createTask(() => takeBoth(b, a, 6), { name: "late" }),
      ]);
    },
    async "async functions"() {
      const [a, b] = [new asyncio.Lock(), new asyncio.Lock()];
      async function takeBoth(first, second, turns) {
        for (let i = 0; i < turns; i++) await asyncio.sleep(0);
        await first.acquire();
        await asyncio.sleep(0);
        await second.acquire();
        second.release();
        first.release();
      }
      await asyncio.gather([
        asyncio.createTask(() => takeBoth(a, b, 0), { name: "early" }),
        asyncio.createTask(() => takeBoth(b, a, 6), { name: "late" }),
      ]);
    },
  };
}

/** The second question overtakes the first on a simulated network, when its way is the shorter one. */
function overtaken({ asyncio, testing }) {
  return {
    *generators() {
      const network = new testing.SimulatedNetwork({ latency: [0.01, 0.05], loss: 0.05 });
      const heard = [];
      const server = network.host("server");
      yield* server.run(function* () {
        yield* asyncio.startServer(
          function* (reader, writer) {
            heard.push((yield* reader.readexactly(1))[0]);
            writer.close();
          },
          null,
          7,
        );
      });
      function* ask(name) {
        const [, writer] = yield* asyncio.openConnection("server", 7);
        writer.write(name);
        writer.close();
      }
      const client = network.host("client");
      yield* asyncio.gather(["1", "2"].map((name) => asyncio.createTask(client.run(() => ask(name)))));
      yield* asyncio.sleep(60);
      if (heard[0] === SECOND) throw new Error("overtaken");
    },
    async "async functions"() {
      const network = new testing.SimulatedNetwork({ latency: [0.01, 0.05], loss: 0.05 });
      const heard = [];
      await network.host("server").run(async () => {
        await asyncio.startServer(
          async (reader, writer) => {
            heard.push((await reader.readexactly(1))[0]);
            writer.close();
          },
          null,
          7,
        );
      });
      async function ask(name) {
        const [, writer] = await asyncio.openConnection("server", 7);
        writer.write(name);
        writer.close();
      }
      const client = network.host("client");
      await asyncio.gather(["1", "2"].map((name) => asyncio.createTask(client.run(() => ask(name)))));
      await asyncio.sleep(60);
      if (heard[0] === SECOND) throw new Error("overtaken");
    },
  };
}

/** Each program with the token that a search on Node.js 20 gave, in both syntaxes, and what it fails with. */
const SCHEDULES = [
  { name: "lock order", program: lockOrder, order: "any", token: "1a.AgAAAAEBAgEF.3zc24z", error: "DeadlockError" },
  {
    name: "overtaken on a network",
    program: overtaken,
    order: "legal",
    token: "1l.BAAAAwEB.fvp88i",
    error: "overtaken",
  },
];

/** @type {import("./suite.mjs").Check[]} */
export const scheduleChecks = SCHEDULES.flatMap(({ name, program, order, token, error }) =>
  ["generators", "async functions"].map((syntax) => ({
    name: `explore: ${name}, ${syntax}: the token of another machine fails here, and is what a search finds here`,
    ...(syntax === "generators" ? {} : { where: "async context" }),
    async run(platform) {
      const { explore, replay } = platform.testing;
      const body = program(platform)[syntax];
      const again = await replay(body, token).then(
        () => "passed",
        (reason) => String(reason),
      );
      if (!again.includes(error)) throw new Error(`the token gave: ${again}`);
      const { failure } = await explore(body, { order });
      if (failure?.token !== token) throw new Error(`the search found: ${failure?.token}`);
    },
  })),
);
