/**
 * The body of a cancel scope: a driver of its own inside of its caller's, so that it can be asked to stop without its
 * caller, in either syntax, and so that all that runs inside knows its level (see `core/kernel/cancellation.ts`).
 *
 * ```text
 *   Task, or an await ── waits for ──► ScopeCall ── unless shielded ──► ScopeBody ── waits for ──► a future, a task ...
 * ```
 *
 * The caller goes on in the turn in which the body ends: a scope costs no turn.
 *
 * @module
 */

import { cancellationOf } from "../../core/base/foreign-aborts.ts";
import { deliverKept, forgetCount, keep, putInLevel, takeKept, wasTold } from "../../core/kernel/cancellation.ts";
import type { Cancellable, CountingWaiter, Execution, Level, WaitScope } from "../../core/kernel/contract.ts";
import type { CoroutineGenerator } from "../../core/kernel/coroutines.ts";
import { Call, Driver } from "../../core/kernel/driver.ts";
import { getAsyncContext, mayGoOn } from "../../core/kernel/running.ts";

/** What the body asks of its scope. */
interface Shield extends Level {
  readonly shield: boolean;
}

/** How a body ended. */
export type Outcome<T> =
  | { readonly kind: "returned"; readonly value: T }
  | { readonly kind: "raised"; readonly error: unknown; readonly isCancelled: boolean };

/** What the caller of a scope waits for: the end of its body. */
export class ScopeCall<T> extends Call {
  readonly #caller: Driver<unknown>;
  readonly #scope: Shield;
  /** What runs in the scope. */
  readonly body: ScopeBody<T>;
  #outcome: Outcome<T> | null = null;

  constructor(caller: Driver<unknown>, scope: Shield, work: CoroutineGenerator<T>) {
    super();
    this.#caller = caller;
    this.#scope = scope;
    this.body = new ScopeBody(this, caller, scope, work);
  }

  /** Runs the body, and waits for its end. */
  *run(): CoroutineGenerator<Outcome<T>> {
    this.body.run();
    if (this.#outcome === null) yield this as never;
    return this.#outcome!;
  }

  /** @internal The body has ended. */
  _ended(outcome: Outcome<T>): void {
    this.#outcome = outcome;
    if (this.#caller._waitingFor !== this) return;
    if (this.#caller.loop.isRunning() && mayGoOn()) this.#caller.run();
    else this.#caller._giveWay();
  }

  /** The shield has been taken down: what it has kept out comes in. */
  unshielded(): void {
    if (this.#caller._waitingFor === this) deliverKept(this.#caller);
  }

  /** Hands a request that the body has not seen on to the caller. */
  handUp(): void {
    const request = takeKept(this.body);
    if (request !== null) keep(this.#caller, request.message);
  }

  override done(): boolean {
    return this.#outcome !== null;
  }

  override get _branches(): readonly Cancellable[] {
    return this.done() || this._isShielded ? [] : [this.body];
  }

  get _isShielded(): boolean {
    return this.#scope.shield;
  }

  override toString(): string {
    return String(this.body._waitingFor ?? "<a cancel scope>");
  }
}

class ScopeBody<T> extends Driver<T> {
  readonly #call: ScopeCall<T>;
  readonly #caller: Driver<unknown>;
  readonly #scope: Shield;

  constructor(call: ScopeCall<T>, caller: Driver<unknown>, scope: Shield, work: CoroutineGenerator<T>) {
    super(caller.loop, work);
    this.#call = call;
    this.#caller = caller;
    this.#scope = scope;
    this.ambient = getAsyncContext()?.capture(this) ?? null;
    putInLevel(this, scope);
  }

  get task(): object | null {
    return this.#caller.task;
  }

  get origin(): Execution {
    return this.#caller.origin;
  }

  get context(): object {
    return this.#caller.context;
  }

  get scope(): WaitScope | null {
    return this.#caller.scope;
  }

  /** From behind a shield, requests further out are not seen. */
  override get _outer(): CountingWaiter | null {
    return this.#scope.shield ? null : this.#caller;
  }

  override get _isScope(): boolean {
    return true;
  }

  override get _strays(): null {
    return null;
  }

  override _askedBy(): void {}

  protected override returned(value: T): void {
    forgetCount(this);
    this.#call._ended({ kind: "returned", value });
  }

  protected override raised(error: unknown): void {
    const isCancelled = cancellationOf(error, wasTold(this)) !== null;
    forgetCount(this);
    this.#call._ended({ kind: "raised", error, isCancelled });
  }
}
