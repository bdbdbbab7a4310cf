/** What the tasks of a program share. @module */

import * as asyncio from "asyncio-ts";
import { World as KitWorld } from "../kit/world.ts";
import type { Program } from "./language.ts";

/** The world of one run of one program: it holds the tasks by their slots, and the objects. */
export class World extends KitWorld {
  /** The task last spawned into each slot. */
  readonly slots: Map<string, asyncio.Task<unknown>> = new Map();
  #futures: readonly asyncio.Future<unknown>[] = [];
  #locks: readonly asyncio.Lock[] = [];
  #semaphores: readonly asyncio.Semaphore[] = [];
  #events: readonly asyncio.Event[] = [];
  #conditions: readonly asyncio.Condition[] = [];
  #barriers: readonly asyncio.Barrier[] = [];
  #queues: readonly asyncio.Queue<unknown>[] = [];

  override makeObjects(): void {
    const spec = (this.program as Program).objects ?? {};
    this.#futures = times(spec.futures, () => this.loop.createFuture<unknown>());
    this.#locks = times(spec.locks, () => new asyncio.Lock());
    this.#semaphores = (spec.semaphores ?? []).map((value) => new asyncio.Semaphore(value));
    this.#events = times(spec.events, () => new asyncio.Event());
    this.#conditions = times(spec.conditions, () => new asyncio.Condition());
    this.#barriers = (spec.barriers ?? []).map((parties) => new asyncio.Barrier(parties));
    this.#queues = (spec.queues ?? []).map(([kind, maxsize]) => new QUEUES[kind](maxsize));
  }

  lock(index: number): asyncio.Lock {
    return at(this.#locks, index);
  }

  semaphore(index: number): asyncio.Semaphore {
    return at(this.#semaphores, index);
  }

  event(index: number): asyncio.Event {
    return at(this.#events, index);
  }

  condition(index: number): asyncio.Condition {
    return at(this.#conditions, index);
  }

  barrier(index: number): asyncio.Barrier {
    return at(this.#barriers, index);
  }

  queue(index: number): asyncio.Queue<unknown> {
    return at(this.#queues, index);
  }

  future(index: number): asyncio.Future<unknown> {
    return at(this.#futures, index);
  }

  /** The tasks in `slots`; empty slots are left out. */
  tasksIn(slots: readonly string[]): asyncio.Task<unknown>[] {
    return slots.flatMap((slot) => this.slots.get(slot) ?? []);
  }
}

const QUEUES = { fifo: asyncio.Queue, lifo: asyncio.LifoQueue, priority: asyncio.PriorityQueue };

function times<T>(count: number | undefined, make: () => T): T[] {
  return Array.from({ length: count ?? 0 }, make);
}

/** The element of a program's list. */
function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new Error(`the program has no object number ${index} of this kind`);
  return item;
}
