/** examples/http-server.mjs */

import { once } from "node:events";
import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent, get, request } from "node:http";
import { text } from "node:stream/consumers";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { build, dial, IN_GOOD_ORDER, Lines, Program } from "./program.ts";

beforeAll(build);

/** The server, listening. It has so many seconds of grace. */
async function open(grace: number): Promise<{ server: Program; port: number }> {
  const server = new Program("examples/http-server.mjs", "0", String(grace));
  return { server, port: await server.port() };
}

async function answerOf(asked: ClientRequest): Promise<[number | undefined, string]> {
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  return [response.statusCode, await text(response)];
}

/** An agent that keeps connections open. */
function keepAlive(): Agent {
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  return agent;
}

describe("the HTTP server", () => {
  test("answers each request from a task, which may have tasks of its own", async () => {
    const { server, port } = await open(10);
    const url = `http://127.0.0.1:${port}`;
    expect(await answerOf(get(`${url}/orders?seconds=0.01`))).toEqual([200, "open orders: 42\nold orders: 42\n"]);
    expect(await answerOf(request(`${url}/shout`, { method: "POST" }).end("hello"))).toEqual([200, "HELLO"]);
    expect(await answerOf(get(`${url}/nowhere`))).toEqual([404, "no such page\n"]);
    await server.lines.until(/^query old orders: begins$/);
  });

  test("a client who goes away stops the work that was done for him", async () => {
    const { server, port } = await open(10);
    const client = await dial(port);
    client.write("GET /orders?seconds=3600 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await server.lines.until(/^query old orders: begins$/);
    client.destroy();
    expect(await server.lines.until(/old orders: cancelled$/)).toEqual([
      "query open orders: cancelled",
      "query old orders: cancelled",
    ]);
  });

  const hasSignals = process.platform !== "win32";
  test.runIf(hasSignals)(
    "a client who goes away in the middle of a request leaves nothing behind, and no complaint",
    async () => {
      const { server, port } = await open(60);
      const client = await dial(port);
      client.write("POST /shout HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhel");
      await server.lines.until(/^shout: begins$/);
      client.destroy();
      server.signal("SIGINT");
      expect(await server.lines.rest()).toEqual(["stopping", "stopped"]);
      expect(await server.end()).toEqual(IN_GOOD_ORDER);
    },
  );

  const signals = ["SIGINT", "SIGTERM"] as const;
  describe.runIf(hasSignals).each(signals)("on %s", (signal) => {
    test("it finishes what is under way, and takes no more", async () => {
      const { server, port } = await open(60);
      const slow = request(`http://127.0.0.1:${port}/shout`, { method: "POST", agent: keepAlive() });
      slow.write("hel");
      await server.lines.until(/^shout: begins$/);
      server.signal(signal);
      await server.lines.until(/^stopping$/);
      await expect(dial(port)).rejects.toThrow("ECONNREFUSED");
      slow.end("lo");
      expect(await answerOf(slow)).toEqual([200, "HELLO"]);
      expect(await server.lines.rest()).toEqual(["stopped"]);
      expect(await server.end()).toEqual(IN_GOOD_ORDER);
    });

    test("it cancels what is under way when the grace is over, and says so", async () => {
      const { server, port } = await open(0.05);
      const slow = get(`http://127.0.0.1:${port}/orders?seconds=3600`, { agent: keepAlive() });
      await server.lines.until(/^query old orders: begins$/);
      server.signal(signal);
      expect(await answerOf(slow)).toEqual([503, "sorry\n"]);
      expect(await server.lines.rest()).toEqual([
        "stopping",
        "query open orders: cancelled",
        "query old orders: cancelled",
        "stopped",
      ]);
      expect(await server.end()).toEqual(IN_GOOD_ORDER);
    });

    test("it ends connections on which nothing is under way", async () => {
      const { server, port } = await open(60);
      const idle = await dial(port);
      idle.write("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n");
      const lines = new Lines(idle);
      await lines.until(/^0$/); // the end of a chunked body
      server.signal(signal);
      expect(await lines.rest()).toEqual([""]);
      expect(await server.end()).toEqual(IN_GOOD_ORDER);
    });
  });
});
