/** examples/chat-server.mjs */

import type { Socket } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { build, dial, IN_GOOD_ORDER, Lines, Program } from "./program.ts";

beforeAll(build);

async function openChat(): Promise<{ chat: Program; port: number }> {
  const chat = new Program("examples/chat-server.mjs", "0");
  return { chat, port: await chat.port() };
}

/** A client who has given a name and been greeted. */
async function enter(port: number, name: string): Promise<{ socket: Socket; lines: Lines }> {
  const socket = await dial(port);
  const lines = new Lines(socket);
  socket.write(`${name}\n`);
  expect(await lines.until(/has joined/)).toEqual(["Your name?", `* ${name} has joined`]);
  return { socket, lines };
}

describe("the chat server", () => {
  test("tells everybody who joins, what is said, and who leaves", async () => {
    const { port } = await openChat();
    const ann = await enter(port, "ann");
    const bob = await enter(port, "bob");
    bob.socket.write("hello, Ann\n");
    ann.socket.write("grüß dich\n");
    expect(await ann.lines.until(/grüß/)).toEqual(["* bob has joined", "bob: hello, Ann", "ann: grüß dich"]);
    ann.socket.end();
    expect(await bob.lines.until(/left/)).toEqual(["bob: hello, Ann", "ann: grüß dich", "* ann has left"]);
    expect(await ann.lines.next()).toBe(null);
  });

  test("asks again for a name that is taken, or none", async () => {
    const { port } = await openChat();
    await enter(port, "ann");
    const socket = await dial(port);
    const lines = new Lines(socket);
    socket.write("ann\n\nbob\n");
    expect(await lines.until(/has joined/)).toEqual([
      "Your name?",
      "That name is taken.",
      "Your name?",
      "Up to 20 letters and digits, please.",
      "Your name?",
      "* bob has joined",
    ]);
  });

  test("ends the connection of who sends a line too long, and of no other", async () => {
    const { chat, port } = await openChat();
    const ann = await enter(port, "ann");
    const bob = await enter(port, "bob");
    bob.socket.write(`${"x".repeat(5000)}\n`);
    expect(await ann.lines.until(/left/)).toEqual(["* bob has joined", "* bob has left"]);
    expect(await bob.lines.rest()).toEqual([]);
    await chat.lines.until(/^bob is lost/);
  });

  test("puts a client out who takes nothing in; nobody else waits for him or misses a line", async () => {
    const { chat, port } = await openChat();
    const ann = await enter(port, "ann");
    const slow = await dial(port);
    slow.write("slow\n");
    await ann.lines.until(/slow has joined/);

    const text = "x".repeat(4000);
    let heard: string[] = [];
    for (let count = 0; count < 100_000 && !heard.includes("* slow has left"); count++) {
      ann.socket.write(`${count} ${text}\n`);
      heard = await ann.lines.until(/^ann: /);
      expect(heard.at(-1)).toBe(`ann: ${count} ${text}`);
    }
    expect(heard).toContain("* slow has left");
    await chat.lines.until(/^slow is too slow$/);
  });

  test.skipIf(process.platform === "win32")("on Ctrl-C tells everybody, and ends without an error", async () => {
    const { chat, port } = await openChat();
    const [ann, bob] = [await enter(port, "ann"), await enter(port, "bob")];
    chat.signal("SIGINT");
    expect(await ann.lines.rest()).toEqual(["* bob has joined", "* the server is going down"]);
    expect(await bob.lines.rest()).toEqual(["* the server is going down"]);
    expect(await chat.lines.rest()).toEqual(["the chat is closed, 0 had to be put out"]);
    expect(await chat.end()).toEqual(IN_GOOD_ORDER);
  });

  test.skipIf(process.platform === "win32")("on Ctrl-C puts those out who stay after the grace", async () => {
    const { chat, port } = await openChat();
    const stays = await dial(port);
    await new Lines(stays).until(/Your name/);
    chat.signal("SIGINT");
    expect(await chat.lines.rest()).toEqual(["the chat is closed, 1 had to be put out"]);
    expect(await chat.end()).toEqual(IN_GOOD_ORDER);
  });
});
