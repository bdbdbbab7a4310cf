/** What the tasks of a program share, by name. @module */

import * as asyncio from "asyncio-ts";
import { World as KitWorld } from "../kit/world.ts";

/** The world of one run of one program. */
export class World extends KitWorld {
  readonly slots: Map<string, asyncio.Future<unknown>> = new Map();
  /** The futures that the program completes itself. */
  readonly futures: Set<asyncio.Future<unknown>> = new Set();
  /** The one last entered under each name, as are the groups. */
  readonly deadlines: Map<string, asyncio.Timeout> = new Map();
  readonly groups: Map<string, asyncio.TaskGroup> = new Map();
  /** The task that has entered a deadline or group. */
  readonly owners: Map<string, asyncio.Task<unknown>> = new Map();
  readonly handles: Map<string, asyncio.Handle> = new Map();
  readonly callbacks: Map<string, () => void> = new Map();
  readonly contexts: Map<string, asyncio.Context> = new Map();
  readonly variables: readonly Variable[] = [new Variable("v0"), new Variable("v1")];

  readonly lock: asyncio.Lock = new asyncio.Lock();
  readonly condition: asyncio.Condition = new asyncio.Condition();
  readonly queue: asyncio.Queue<unknown> = new asyncio.Queue();

  override startMain(): asyncio.Task<unknown> {
    const main = super.startMain();
    this.slots.set("main", main);
    return main;
  }

  /** What is in `slot`; `null` if nothing is. */
  target(slot: string): asyncio.Future<unknown> | null {
    return slot === "self" ? asyncio.currentTask(this.loop) : (this.slots.get(slot) ?? null);
  }

  /** What is in `slots`; empty slots are left out. */
  targets(slots: readonly string[]): asyncio.Future<unknown>[] {
    return slots.flatMap((slot) => this.slots.get(slot) ?? []);
  }

  /** The task in `slot`; `null` if none is. */
  task(slot: string): asyncio.Task<unknown> | null {
    const target = this.target(slot);
    return target instanceof asyncio.Task ? target : null;
  }

  /** What a coroutine may wait for. The running task is not, since CPython gets into a muddle when it awaits itself. */
  awaitable(slot: string): asyncio.Future<unknown> | null {
    const target = this.target(slot);
    return target === asyncio.currentTask(this.loop) ? null : target;
  }

  override logOtherOutcomes(): void {
    for (const [slot, future] of this.slots) {
      if (!(future instanceof asyncio.Task)) this.logOutcome(future, slot);
    }
  }
}

/** A context variable, and how to take back what was set. */
class Variable extends asyncio.ContextVar<unknown> {
  /** Of each `set`, whoever made it. */
  readonly tokens: asyncio.Token<unknown>[] = [];
}
