/** A future that stands for others: who waits for it waits for them. @module */

import type { KernelLoop } from "../kernel/contract.ts";
import { Future } from "../kernel/futures.ts";

export class StandIn<T> extends Future<T> {
  readonly #others: Iterable<Future<unknown>>;

  constructor(loop: KernelLoop, others: Iterable<Future<unknown>>) {
    super({ loop });
    this.#others = others;
  }

  override get _parts(): Iterable<Future<unknown>> {
    return [...this.#others].filter((other) => !other.done());
  }

  override get _typeName(): string {
    return "Future";
  }
}
