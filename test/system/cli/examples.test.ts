/** The servers of `examples`, looked at by each command while they serve. */

import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { ask } from "./ask.ts";
import { build, dial, Lines, Program } from "../examples/program.ts";

beforeAll(build);

/** The lines of an answer in good order. */
async function linesOf(...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await ask(...args);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout.trimEnd().split("\n");
}

/** A server with a client of whom it has heard. */
const SERVERS: Readonly<Record<string, () => Promise<Program>>> = {
  "chat-server": async () => {
    const server = new Program("examples/chat-server.mjs", "0");
    const client = await dial(await server.port());
    client.write("anna\n");
    await new Lines(client).until(/anna/);
    return server;
  },
  "graceful-server": async () => {
    const server = new Program("examples/graceful-server.mjs", "0");
    await server.port();
    return server;
  },
  "http-server": async () => {
    const server = new Program("examples/http-server.mjs", "0");
    await fetch(`http://127.0.0.1:${await server.port()}/`);
    return server;
  },
};

const TREES: Readonly<Record<string, RegExp>> = {
  "chat-server":
    /^└── \(T\) Task-1\n {4}└── {2}anonymous[^]*\n└── \(T\) Task-2\n {4}└── {2}serve\n {8}└── \(T\) Task-3[^]*waits for Queue\.get\(\)/,
  "graceful-server": /^└── \(T\) Task-1\n {4}└── {2}main/,
  "http-server": /^└── \(T\) Task-1\n {4}└── {2}anonymous/,
};

describe.runIf(process.platform === "linux")("the tools on", () => {
  test.each(Object.keys(SERVERS))("examples/%s.mjs", async (name) => {
    const { pid } = await SERVERS[name]!();
    expect((await linesOf("pstree", pid)).join("\n")).toMatch(TREES[name]!);
    const tasks = (await linesOf("ps", pid)).length - 2;
    expect(tasks).toBeGreaterThan(0);
    expect((await linesOf("top", pid, "--once", "--seconds", "0.1"))[0]).toMatch(
      /^\d+ tasks, 0 made, 0 ended · turns \d+\/s/,
    );
    expect((await linesOf("stuck", pid, "--seconds", "0.1"))[0]).toMatch(
      /^In 0\.\d s: .* of \d+ tasks did not go on\.$/,
    );
    const file = join(tmpdir(), `asyncio-ts-${name}-${pid}.json`);
    expect((await linesOf("trace", pid, "--seconds", "0.1", "-o", file))[0]).toMatch(/^\d+ events in /);
    const { traceEvents } = JSON.parse(readFileSync(file, "utf8")) as { traceEvents: { ph: string }[] };
    expect(traceEvents[0]!.ph).toBe("M");
  });
});
