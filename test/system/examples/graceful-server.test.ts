/** examples/graceful-server.mjs */

import { once } from "node:events";
import { connect } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { build, dial, Lines, Program } from "./program.ts";

beforeAll(build);

describe("the graceful server", () => {
  test.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("after %s lets nobody in, lets those who are there end, and ends with %i", async (signal, code) => {
    const server = new Program("examples/graceful-server.mjs", "0");
    const port = await server.port();
    const client = await dial(port);
    const lines = new Lines(client);
    client.write("hello\n");
    expect(await lines.next()).toBe("HELLO");

    server.signal(signal);
    expect(await server.lines.next()).toBe("no more clients");
    const [refused] = (await once(connect(port, "127.0.0.1"), "error")) as [NodeJS.ErrnoException];
    expect(refused.code).toBe("ECONNREFUSED");

    client.end("goodbye\n");
    expect(await lines.rest()).toEqual(["GOODBYE"]);
    expect(await server.lines.rest()).toEqual(["all have ended"]);
    expect(await server.end()).toEqual({ code, errors: "" });
  });
});
