/** The virtual clock: stepped by a test, and jumped over. */

import * as asyncio from "asyncio-ts";
import { VirtualHost } from "asyncio-ts/testing";
import { expect, test } from "vitest";

const { sleep } = asyncio;

function stepped(main: (ticks: number[]) => Promise<void>) {
  const host = new VirtualHost({ autojump: false });
  const loop = new asyncio.BaseEventLoop(host);
  const ticks: number[] = [];
  return { host, loop, ticks, program: loop.runUntilComplete(() => main(ticks)) };
}

async function ticking(ticks: number[]): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await sleep(10);
    ticks.push(asyncio.getRunningLoop().time());
  }
}

test("a clock that does not jump stands until it is stepped", async () => {
  const { host, loop, ticks, program } = stepped(ticking);
  await host.advance(0);
  expect([loop.time(), ticks]).toEqual([0, []]);
  await host.advance(25);
  expect([loop.time(), ticks]).toEqual([25, [10, 20]]);
  await host.advance({ minutes: 1 });
  expect([loop.time(), ticks]).toEqual([85, [10, 20, 30]]);
  await program;
});

test("what is ready runs without a step, and a loop in which nothing is set is no deadlock", async () => {
  let isOpen = false;
  let open: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const { host, program } = stepped(async () => {
    await sleep(0);
    isOpen = true;
    await opened;
  });
  await host.advance(0);
  expect(isOpen).toBe(true);
  await host.advance(100);
  open!();
  await program;
});

test("a jump makes timers late, and they fire in one turn", async () => {
  const { host, loop, ticks, program } = stepped(async (late) => {
    await asyncio.gather([1, 2, 3].map((seconds) => sleep(seconds)));
    late.push(loop.time());
  });
  await host.advance(0);
  host.jump(60);
  await host.advance(0);
  await program;
  expect(ticks).toEqual([60]);
});

test("a jump on a clock that jumps by itself, from inside", async () => {
  const host = new VirtualHost();
  const loop = new asyncio.BaseEventLoop(host);
  const woken = await loop.runUntilComplete(async () => {
    const sleeper = asyncio.createTask(async () => {
      await sleep(10);
      return loop.time();
    });
    await sleep(0);
    host.jump(60);
    return await sleeper;
  });
  expect(woken).toBe(60);
});

test("advance is refused where it means nothing", async () => {
  await expect(new VirtualHost().advance(1)).rejects.toThrow("for a clock that does not jump");
  const host = new VirtualHost({ autojump: false });
  await expect(host.advance(-1)).rejects.toThrow(RangeError);
  const first = host.advance(1);
  await expect(host.advance(1)).rejects.toThrow("await it before the next");
  await first;
  expect(host.now()).toBe(1);
});
