/** The worker's side: runs what it is asked to. @module */

import type { Aborter, Signal } from "../../core/base/abort.ts";
import { newAborter } from "../../core/base/abort.ts";
import { CancelledError } from "../../core/base/exceptions.ts";
import { isCoroutine } from "../../core/kernel/coroutines.ts";
import type { CurrentJob } from "../../core/loop/current-job.ts";
import { runAsJob, setWorkersJob } from "../../core/loop/current-job.ts";
import { packError } from "../../core/loop/remote-errors.ts";
import { run } from "../../core/loop/runners.ts";
import type { Reply, Request, Values } from "./messages.ts";

/** A function to call: where it is, and itself once its module was imported. */
interface Named {
  readonly module: string;
  readonly name: string;
  fn: Function | null;
}

/** A worker, to whoever sends it requests: what it does with each. */
export class WorkerSide {
  readonly #post: (reply: Reply) => void;
  readonly #functions: Map<number, Named> = new Map();
  readonly #jobs: Map<number, JobHere> = new Map();

  constructor(post: (reply: Reply) => void) {
    this.#post = post;
  }

  received(request: Request): void {
    if (request[0] === "run") {
      const [, id, fn, key, args, isChunk, context] = request;
      void this.#run(new JobHere(id, key, context, this.#post), this.#functions.get(fn)!, args, isChunk);
    } else if (request[0] === "define") {
      const [, fn, module, name] = request;
      this.#functions.set(fn, { module, name, fn: null });
    } else {
      const [, id, reason] = request;
      this.#jobs.get(id)?.abort(reason);
    }
  }

  async #run(job: JobHere, named: Named, args: readonly unknown[], isChunk: boolean): Promise<void> {
    const { id } = job;
    this.#jobs.set(id, job);
    setWorkersJob(job);
    try {
      const fn = named.fn ?? (await load(named));
      const value = await runAsJob(job, () => (isChunk ? callEach(fn, args, job) : call(fn, args, job)));
      this.#post(["returned", id, value]);
    } catch (error) {
      this.#post(["threw", id, packError(error)]);
    } finally {
      this.#jobs.delete(id);
      setWorkersJob(undefined);
    }
  }
}

/** What `currentJob()` is in a worker. */
class JobHere implements CurrentJob {
  readonly id: number;
  readonly key: string;
  readonly #context: Values | null;
  readonly progress: (step: unknown) => void;
  #aborter: Aborter | null = null;
  #reason: CancelledError | null = null;

  constructor(id: number, key: string, context: Values | null, post: (reply: Reply) => void) {
    this.id = id;
    this.key = key;
    this.#context = context;
    this.progress = (step) => post(["progress", id, step]);
  }

  get context(): ReadonlyMap<string, unknown> {
    return new Map(this.#context);
  }

  /** Made when it is first asked for: most work asks for none. */
  get signal(): Signal {
    if (this.#aborter === null) {
      this.#aborter = newAborter();
      if (this.#reason !== null) this.#aborter.abort(this.#reason);
    }
    return this.#aborter.signal;
  }

  get wasAborted(): boolean {
    return this.#reason !== null;
  }

  abort(reason: string): void {
    this.#reason = new CancelledError(reason);
    this.#aborter?.abort(this.#reason);
  }
}

async function load(named: Named): Promise<Function> {
  const { module, name } = named;
  const fn = ((await import(module)) as Readonly<Record<string, unknown>>)[name];
  if (typeof fn !== "function") throw new TypeError(`${module} exports no function ${name}`);
  named.fn = fn;
  return fn;
}

/** One after the other: a worker does one thing at a time. */
async function callEach(fn: Function, items: readonly unknown[], job: JobHere): Promise<unknown[]> {
  const results: unknown[] = [];
  for (const item of items) {
    if (job.wasAborted) throw new CancelledError("the job was cancelled");
    // oxlint-disable-next-line no-await-in-loop -- see above
    results.push(await call(fn, [item], job));
  }
  return results;
}

/** What `fn` gives, or a promise of it. A generator, or another coroutine of ours, runs on a loop of its own. */
function call(fn: Function, args: readonly unknown[], job: JobHere): unknown {
  const result: unknown = fn(...args);
  return isCoroutine(result) ? run(() => result as never, { signal: job.signal }) : result;
}
