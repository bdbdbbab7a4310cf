/** The rooms of `src`, and who may import whom. `docs/architecture.md` says what is in each. */

/** From the bottom up: a room imports itself and those before it. */
export const ROOMS = [
  "core/base",
  "core/kernel",
  "core/coordination",
  "core/loop",
  "core/network",
  "core",
  "structured/base",
  "structured/scopes",
  "structured/channels",
  "structured/limits",
  "structured/work",
  "structured",
  "testing/base",
  "testing/time",
  "testing/tasks",
  "testing/explore",
  "testing/network",
  "testing",
  "inspection",
  "node/platform",
  "node/network",
  "node/processes",
  "node/executors",
  "node",
  "bullmq",
  "cli",
] as const;

/** A room is a folder with all that is in it; the files of `core` and `node` themselves stand on top of their rooms. */
export type Room = (typeof ROOMS)[number];

/** The one import that goes up, and the one that closes a circle: a type, for `Future.getLoop()`. */
export const UPWARD = {
  path: "core/kernel/futures.ts",
  target: "core/kernel/events.ts",
  statement: 'import type { AbstractEventLoop } from "./events.ts";',
} as const;

/** The room that a file is in; `undefined` for a package, and for a folder that is no room. */
export function roomOf(path: string): Room | undefined {
  const folder = path.split("/").slice(0, -1).slice(0, 2).join("/");
  return ROOMS.find((room) => room === folder);
}
