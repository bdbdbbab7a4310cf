/** Programs that need a process of their own: out of file descriptors, thousands of idle connections, what they leave on the heap. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";

const folder = fileURLToPath(new URL(".", import.meta.url));
const CONNECTIONS = process.env["HOSTILE_CONNECTIONS"] ?? "500";
const TIMEOUT_MS = 120_000 + Number(CONNECTIONS) * 5;

type Environment = Readonly<Record<string, string>>;

/** Runs a command; what it wrote. Its own words are the failure, if it fails. */
async function output(command: string, args: readonly string[], environment: Environment): Promise<string> {
  const child = spawn(command, args, { cwd: folder, env: { ...process.env, ...environment } });
  let text = "";
  let errors = "";
  child.stdout.on("data", (data) => (text += String(data)));
  child.stderr.on("data", (data) => (errors += String(data)));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}:\n${errors}`);
  return text;
}

/** The line of JSON that a program of this folder prints. */
async function program(name: string, environment: Environment = {}): Promise<Record<string, unknown>> {
  const all = { HOSTILE_CONNECTIONS: CONNECTIONS, ...environment };
  return JSON.parse(await output(process.execPath, ["--expose-gc", name], all)) as Record<string, unknown>;
}

// The programs run as those of users do, against the built package.
beforeAll(async () => void (await output("npm", ["run", "build"], {})));

describe.skipIf(process.platform === "win32")("a server out of file descriptors", () => {
  const limited = async (environment: Environment): Promise<Record<string, unknown>> => {
    const command = `ulimit -n 128 && exec "${process.execPath}" descriptors.mjs`;
    return JSON.parse(await output("sh", ["-c", command], environment)) as Record<string, unknown>;
  };

  test.each([
    ["its own listener", {}],
    ["a listener that was made elsewhere", { HOSTILE_FOREIGN: "1" }],
  ])("survives, and serves again when there are some: %s", async (_name, environment) => {
    expect(await limited(environment)).toEqual({
      escaped: 0,
      refused: "EMFILE",
      served: 0,
      again: "ping",
      // libuv turns clients away with a descriptor it keeps for that; of an accept that fails otherwise the server reports.
      reports: [],
    });
  });
});

describe("idle connections", () => {
  test.each([
    ["plain", {}],
    ["TLS", { HOSTILE_TLS: "1" }],
  ])(
    "do not keep the server from answering, and leave little: %s",
    { timeout: TIMEOUT_MS },
    async (_name, environment) => {
      const result = await program("idle.mjs", environment);
      expect(result).toMatchObject({ connections: Number(CONNECTIONS), answer: "ping" });
      expect(result["objectsLeft"]).toBeLessThan(Number(CONNECTIONS) / 2);
    },
  );

  // A server holds one block of memory for each connection, to read into: 112 KiB at most, however much was sent.
  test("hold little of what they have read", { timeout: TIMEOUT_MS }, async () => {
    const { bytesEach } = (await program("idle.mjs", { HOSTILE_BURST: "400000" })) as {
      bytesEach: { external: number };
    };
    expect(bytesEach.external).toBeLessThan(128 * 1024);
  });
});

describe("connections that came and went", () => {
  const kinds: [string, Environment][] = [
    ["plain", {}],
    ["TLS", { HOSTILE_TLS: "1" }],
    ["plain, every second one cancelled", { HOSTILE_CANCEL: "1" }],
    ["TLS, every second one cancelled", { HOSTILE_TLS: "1", HOSTILE_CANCEL: "1" }],
  ];

  test.each(kinds)("leave nothing: %s", { timeout: TIMEOUT_MS }, async (_name, environment) => {
    const result = await program("churn.mjs", environment);
    expect(result).toMatchObject({ left: { connections: 0, tasks: 0, timers: 0, sockets: 0 }, reports: [] });
    expect(result["objectsLeft"]).toBeLessThan(Number(CONNECTIONS) / 2);
  });
});
