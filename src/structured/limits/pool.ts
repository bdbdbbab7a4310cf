/** Pool: resources that are dear to make, and lent one after the other. @module */

import { inspectAsString, repr } from "../../core/base/format.ts";
import { RuntimeError } from "../../core/base/exceptions.ts";
import { Semaphore } from "../../core/coordination/locks/semaphore.ts";
import { wait } from "../../core/coordination/wait.ts";
import { callBody } from "../../core/kernel/async-functions.ts";
import type { Body, Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import { createTask } from "../../core/kernel/create-task.ts";
import { getRunningLoop } from "../../core/kernel/events.ts";
import type { Task } from "../../core/kernel/tasks.ts";
import { pastLevels } from "../../core/kernel/levels.ts";

/** Options of a {@link Pool}: how a resource is made, tried and given up. Each function may be of either syntax. */
export interface PoolOptions<R> {
  /** How many there are at most. */
  readonly size: number;
  readonly create: Body<R>;
  readonly destroy: (resource: R) => ReturnType<Body<unknown>>;
  /** Whether a resource that was given back is good still; asked before it is lent again. One that is not is destroyed. */
  readonly check?: (resource: R) => ReturnType<Body<boolean>>;
}

/** What a {@link Pool} has to say of itself. */
export interface PoolStatistics {
  readonly size: number;
  readonly borrowed: number;
  readonly idle: number;
  /** Tasks in line. */
  readonly waiting: number;
}

/**
 * Lends resources, such as connections, at most so many at a time, and keeps those that came back clean.
 *
 * A resource whose body failed or was cancelled is **destroyed**: half a reply may be on its way to it, and would be the answer
 * to somebody else's question. Wherever a task is cancelled, no resource is lost and none is lent twice.
 *
 * ```ts
 * await asyncio.run(async () => {
 *   let made = 0;
 *   await using pool = new Pool({
 *     size: 2,
 *     create: async () => ({ number: ++made }),
 *     destroy: async () => {},
 *   });
 *   const first = await pool.hold(async (connection) => connection.number);
 *   const second = await pool.hold(async (connection) => connection.number);
 *   assert.deepEqual([first, second, made], [1, 1, 1]);
 * });
 * ```
 */
export class Pool<R> implements AsyncDisposable {
  readonly #options: PoolOptions<R>;
  readonly #places: Semaphore;
  /** The one that came back last is lent next: those that are not needed are checked, and found old, later. */
  readonly #idle: R[] = [];
  readonly #destroying: Set<Task<void>> = new Set();
  #borrowed: number = 0;
  #isClosed: boolean = false;

  /** @throws {RangeError} unless the size is a whole number from 1 on. */
  constructor(options: PoolOptions<R>) {
    if (!Number.isInteger(options.size) || options.size < 1) {
      throw new RangeError(`size: expected a whole number from 1 on, received ${repr(options.size)}`);
    }
    this.#options = options;
    this.#places = new Semaphore(options.size);
  }

  /**
   * Runs `body` with a resource, which is this body's alone. Waits in line while all are lent.
   *
   * @throws what `body`, `create` or `check` throws. @throws {RuntimeError} if the pool is closed.
   */
  hold<T>(body: (resource: R) => ReturnType<Body<T>>): Coroutine<T> {
    return new GeneratorCoroutine(this.#holding(body), "Pool.hold");
  }

  /** Destroys what is idle, and waits until what is being destroyed is gone. What is lent is destroyed when it comes back. */
  close(): Coroutine<void> {
    return new GeneratorCoroutine(this.#closing(), "Pool.close");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  statistics(): PoolStatistics {
    const { size } = this.#options;
    const { waiting } = this.#places.statistics();
    return { size, borrowed: this.#borrowed, idle: this.#idle.length, waiting };
  }

  *#holding<T>(body: (resource: R) => ReturnType<Body<T>>): CoroutineGenerator<T> {
    this.#checkOpen();
    yield* this.#places.acquire();
    try {
      this.#checkOpen();
      const resource = yield* this.#take();
      this.#borrowed++;
      let isClean = false;
      try {
        const result = yield* callBody(() => body(resource));
        isClean = true;
        return result;
      } finally {
        this.#borrowed--;
        if (isClean && !this.#isClosed) this.#idle.push(resource);
        else yield* this.#destroy(resource);
      }
    } finally {
      this.#places.release();
    }
  }

  /** One that is idle and good, or a new one. */
  *#take(): CoroutineGenerator<R> {
    const { check } = this.#options;
    for (let resource = this.#idle.pop(); resource !== undefined; resource = this.#idle.pop()) {
      const tried = resource;
      let isGood = check === undefined;
      try {
        if (check !== undefined) isGood = yield* callBody(() => check(tried));
      } finally {
        if (!isGood) yield* this.#destroy(tried);
      }
      if (isGood) return tried;
    }
    return yield* this.#create();
  }

  /** A task of its own: a request to cancel that comes when the resource is there must not lose it. */
  *#create(): CoroutineGenerator<R> {
    const making = createTask(this.#options.create, { name: "Pool.create" });
    try {
      yield* wait([making]);
    } catch (error) {
      making.cancel();
      yield* pastLevels(wait([this.#inBackground(() => this.#undo(making))]));
      throw error;
    }
    return making.result();
  }

  *#undo(making: Task<R>): CoroutineGenerator<void> {
    if (!making.done()) yield* wait([making]);
    if (making.cancelled() || making.exception() !== null) return;
    yield* this.#ending(making.result());
  }

  /** Goes on to its end although who waits for it is cancelled once more. */
  *#destroy(resource: R): CoroutineGenerator<void> {
    yield* pastLevels(wait([this.#inBackground(() => this.#ending(resource))]));
  }

  *#ending(resource: R): CoroutineGenerator<void> {
    yield* callBody(() => this.#options.destroy(resource));
  }

  #inBackground(work: () => CoroutineGenerator<void>): Task<void> {
    const task = createTask(work, { name: "Pool.destroy" });
    this.#destroying.add(task);
    task._onDone(() => {
      this.#destroying.delete(task);
      if (task.cancelled() || task.exception() === null) return;
      const message = `${this.toString()} could not destroy a resource`;
      getRunningLoop().callExceptionHandler({ message, exception: task.exception() });
    });
    return task;
  }

  *#closing(): CoroutineGenerator<void> {
    this.#isClosed = true;
    for (const resource of this.#idle.splice(0)) {
      this.#inBackground(() => this.#ending(resource));
    }
    if (this.#destroying.size > 0) yield* wait([...this.#destroying]);
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new RuntimeError(`${this.toString()} is closed`);
  }

  toString(): string {
    const { size, borrowed, idle } = this.statistics();
    return `<Pool ${this.#isClosed ? "closed" : "open"} ${borrowed} of ${size} borrowed, ${idle} idle>`;
  }
}
inspectAsString("Pool", Pool);
