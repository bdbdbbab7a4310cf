/** What a program consists of: parts that start in order, are ready, and stop in the other order. @module */

import type { Duration } from "../../core/base/duration.ts";
import { toSeconds } from "../../core/base/duration.ts";
import { RuntimeError } from "../../core/base/exceptions.ts";
import { FIRST_COMPLETED, wait } from "../../core/coordination/wait.ts";
import { callBody } from "../../core/kernel/async-functions.ts";
import type { Body, Coroutine, CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { GeneratorCoroutine } from "../../core/kernel/coroutines.ts";
import { createTask } from "../../core/kernel/create-task.ts";
import { getRunningLoop } from "../../core/kernel/events.ts";
import type { Future } from "../../core/kernel/futures.ts";
import type { Task } from "../../core/kernel/tasks.ts";
import { CancelScope, shielded } from "../scopes/cancel-scope.ts";

/** One part of a program. */
export interface Service {
  /** How it is called in {@link Services.health} and in errors. */
  readonly name: string;
  /** The part itself. It calls `ready` when the next may start, and stops when it is cancelled. */
  readonly run: (ready: () => void) => ReturnType<Body<unknown>>;
  /** How long it may clean up after it was asked to stop; 10 seconds by default. Then every wait of it is cut short. */
  readonly stopWithin?: Duration;
}

/** How far a service has come. */
export type ServiceState = "waiting" | "starting" | "ready" | "stopping" | "stopped" | "failed";

/** What {@link Services.health} answers. */
export interface Health {
  /** Whether every service is ready, or has done what it had to do. */
  readonly isReady: boolean;
  readonly services: Readonly<Record<string, ServiceState>>;
}

const STOP_WITHIN_SECONDS = 10;
/** How long a service may take whose waits are all cut short. */
const FAREWELL_SECONDS = 1;

/**
 * The services that a program consists of. They start in order, each when the one before is ready; they stop in the other
 * order, each when the one after has stopped: when {@link run} is cancelled, as `asyncio.run(main, { signals: ["SIGTERM"] })`
 * does on a signal, or when one of them fails.
 *
 * ```ts
 * const log: string[] = [];
 * const part = (name: string) => ({
 *   name,
 *   run: async (ready: () => void) => {
 *     log.push(`${name} starts`);
 *     ready();
 *     await asyncio.sleep(3600).finally(() => log.push(`${name} stops`));
 *   },
 * });
 * await asyncio.run(async () => {
 *   const services = new Services([part("database"), part("server")]);
 *   const running = asyncio.createTask(services.run());
 *   while (!services.health().isReady) await asyncio.sleep(0.001);
 *   running.cancel();
 *   await asyncio.wait([running]);
 *   assert.deepEqual(log, ["database starts", "server starts", "server stops", "database stops"]);
 * });
 * ```
 */
export class Services {
  readonly #members: readonly Member[];

  /** @throws {RangeError} if two have the same name. */
  constructor(services: readonly Service[]) {
    const names = new Set(services.map(({ name }) => name));
    if (names.size < services.length) throw new RangeError("Services: two have the same name");
    this.#members = services.map((service) => new Member(service));
  }

  /**
   * Runs them, until all have returned. Once.
   *
   * @throws what the first that failed has thrown, when the others have stopped. @throws {RuntimeError} if one did not stop.
   */
  run(): Coroutine<void> {
    return new GeneratorCoroutine(this.#running(), "Services.run");
  }

  *#running(): CoroutineGenerator<void> {
    let failure: { readonly error: unknown } | null = null;
    try {
      for (const member of this.#members) {
        const ready = member.start();
        while (!ready.done()) yield* this.#waitForOneOf([ready, ...this.#alive()]);
      }
      while (this.#alive().length > 0) yield* this.#waitForOneOf(this.#alive());
    } catch (error) {
      failure = { error };
    }
    yield* shielded(() => this.#stopping());
    const stuck = this.#alive().map((task) => task.getName());
    if (stuck.length > 0) {
      const message = `${stuck.join(", ")} did not stop: is a bare promise awaited there?`;
      throw new RuntimeError(message, { cause: failure?.error });
    }
    if (failure !== null) throw failure.error;
  }

  *#waitForOneOf(futures: readonly Future<unknown>[]): CoroutineGenerator<void> {
    yield* wait(futures, { returnWhen: FIRST_COMPLETED });
    for (const member of this.#members) member.raise();
  }

  #alive(): Task<unknown>[] {
    return this.#members.flatMap(({ task }) => (task === null || task.done() ? [] : task));
  }

  *#stopping(): CoroutineGenerator<void> {
    for (const member of this.#members.toReversed()) yield* member.stop();
  }

  /** Who is ready: an answer for a load balancer, or for people. */
  health(): Health {
    const services = Object.fromEntries(this.#members.map(({ service, state }) => [service.name, state]));
    const isReady = this.#members.every(({ state }) => state === "ready" || state === "stopped");
    return { isReady, services };
  }
}

/** A service that runs, or will. */
class Member {
  readonly service: Service;
  readonly #stopWithin: number;
  readonly #scope: CancelScope = new CancelScope();
  state: ServiceState = "waiting";
  task: Task<unknown> | null = null;

  constructor(service: Service) {
    this.service = service;
    this.#stopWithin = toSeconds(service.stopWithin ?? STOP_WITHIN_SECONDS, "stopWithin");
  }

  /** Starts it. What it returns is done when it is ready, or has ended. */
  start(): Future<void> {
    this.state = "starting";
    const ready = getRunningLoop().createFuture();
    const body = (): CoroutineGenerator<void> => this.#serving(ready);
    this.task = createTask(this.#scope.run(body), { name: this.service.name });
    this.task.addDoneCallback(() => void ready.cancel());
    return ready;
  }

  *#serving(ready: Future<void>): CoroutineGenerator<void> {
    const isReady = (): void => {
      if (this.state === "starting") this.state = "ready";
      if (!ready.done()) ready.setResult();
    };
    try {
      yield* callBody(() => this.service.run(isReady));
      this.state = "stopped";
    } catch (error) {
      this.state = this.state === "stopping" ? "stopped" : "failed";
      throw error;
    }
  }

  /** @throws what it has failed with. */
  raise(): void {
    if (this.task?.done() === true) this.task.result();
  }

  /** Asks it to stop, and after its grace cuts its waits short. */
  *stop(): CoroutineGenerator<void> {
    if (this.task === null || this.task.done()) return;
    this.state = "stopping";
    this.task.cancel("the services stop");
    yield* wait([this.task], { timeout: this.#stopWithin });
    if (this.task.done()) return;
    this.#scope.cancel("the service did not stop in time");
    yield* wait([this.task], { timeout: FAREWELL_SECONDS });
  }
}
