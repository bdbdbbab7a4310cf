/**
 * A request to cancel: where it is made, where it waits, how it is counted, taken back and delivered. Read this first.
 *
 * **What is asked.** A _waiter_ waits for one thing: a task; a driver, which is what an `await` of a coroutine becomes
 * inside of a task; an `await` of a future. A request to cancel goes along "who waits for what" until something answers:
 *
 * ```text
 *   cancel() ─► Task a ─► Task b ─► gather ─┬─► Task c ─► future    cancelled here; it wakes c with a CancelledError
 *                                           └─► Task d              about to run: d keeps the request
 * ```
 *
 * **Passed on or kept.** What a waiter waits for may take the request: then it comes back to the waiter as that one's
 * `CancelledError`, once it has cleaned up. If nothing takes it (the waiter runs, or what it waits for is done already),
 * the waiter _keeps_ it: its next step throws `CancelledError` into the coroutine, or its next wait takes it. A waiter
 * keeps at most one request.
 *
 * **Counted.** CPython counts requests for each task: `cancel()` adds one, `uncancel()` takes one back, and a deadline or
 * a group knows by the count whether a cancellation was its own. Here the count is kept where the request was made: in
 * the task for `cancel()`, in a driver for the deadlines and groups that run in it, since a deadline in one branch of a
 * `Promise.all` must not see those of another. Seen from a driver, its own requests and those further out count; seen
 * from outside of the task, all of them: CPython's number.
 *
 * **Levels.** A request is an edge, as in CPython: code that catches its `CancelledError` may wait again. A _level_, which a
 * cancel scope puts up (`structured/scopes`), stands until it is left: each wait that begins inside of it is asked anew.
 * What is inside is known when it is made, by its driver: an `await` takes the level over from the driver that it runs
 * in, the task of a group from the driver that the group is in.
 *
 * **Taken back.** When the last request is taken back, one that is kept is dropped: it was not delivered, and
 * is not wanted any more.
 *
 * **Circles.** Tasks may wait for each other in a circle, also through `gather`, `shield` and groups. CPython overflows
 * its stack there. Here the waiter at which the request comes round stops waiting, and gets its `CancelledError`.
 *
 * **Long ways.** The way is walked in a loop, however long it is. Tasks that were asked already in the same entry of the
 * loop are passed at most {@link MOST_ASKED_AGAIN} times in a row: to cancel each task of a chain of n at once costs n
 * steps and not n², at the price that the tasks far down a long chain do not count every one of these requests.
 *
 * Weighed and refused: recursion from `cancel()` to `cancel()`, as in CPython (a chain of a thousand tasks overflows); one
 * count for the whole task (branches take each other's requests back); a flag in each waiter beside a count in each task
 * (two places that differ one day).
 *
 * @module
 */

import { currentEntry } from "./running.ts";
import type {
  Asked,
  Awaited,
  Cancellable,
  CountingWaiter,
  Fork,
  Group,
  Level,
  Request,
  Runnable,
  Signals,
  Tasks,
  Waiter,
} from "./contract.ts";

/** How many waiters in a row that were asked already in this entry a request passes before it is taken as delivered. */
export const MOST_ASKED_AGAIN = 64;

// --- made and passed on

/**
 * Asks `waiter` to stop, and counts the request there: a deadline that passed, a group that failed.
 *
 * @param frame the coroutine of `waiter`'s that it concerns, with all that runs inside of it.
 */
export function requestCancel(waiter: CountingWaiter, message: string | undefined, frame: object | null): void {
  countRequest(waiter, message, frame);
  ask(waiter, message);
}

/**
 * Asks `waiter` to stop: passes a request on to what it waits for, or has it kept.
 *
 * @param group who asks, if it is the group that the waiter is in: its owner will not end before the waiter does.
 */
export function ask(waiter: Waiter, message: string | undefined, group: Group | null = null): void {
  if (!askDirectly(waiter, message)) new Way(message, waiter, group).walk(waiter);
}

/** The way of nearly every request: a future, for which the waiter's own code waits. `false` if there is more to it. */
function askDirectly(waiter: Waiter, message: string | undefined): boolean {
  let at = waiter;
  while (at._strays === null) {
    const target = at._waitingFor;
    if (target === null || target._onward === null) {
      answered(at, target !== null && target.cancel(message), message);
      if (at !== waiter) answered(waiter, true, message);
      return true;
    }
    const inner = target._onlyWait?._onward ?? null;
    if (inner === null || !isWaiter(inner)) return false;
    at = inner;
  }
  return false;
}

/** Passes a request on to each branch of `fork`; whether one of them took it. */
export function askBranches(fork: Fork, message: string | undefined): boolean {
  return new Way(message, null, null).walkFork(fork);
}

/** The way of one request. */
class Way {
  readonly #message: string | undefined;
  /** The group that asks, if one does. */
  readonly #group: Group | null;
  /** Where the way came from, and the branches that are open; innermost last. */
  readonly #path: Waiter[] = [];
  readonly #open: Branches[] = [];
  #askedAgain: number = 0;

  constructor(message: string | undefined, first: Waiter | null, group: Group | null) {
    this.#message = message;
    this.#group = group;
    // What runs inside of a task is the task's: a request from there that comes to the task has come round.
    const task = (first?.task ?? null) as Waiter | null;
    if (task !== null && task !== first) this.#enter(task);
  }

  walk(first: Waiter): void {
    this.#follow(first);
    this.#finish();
  }

  walkFork(fork: Fork): boolean {
    const start = new Branches(fork._branches, fork, null, 0);
    this.#open.push(start);
    this.#finish();
    return start.taken;
  }

  #finish(): void {
    try {
      for (let branches = this.#open.at(-1); branches !== undefined; branches = this.#open.at(-1)) {
        this.#leave(branches.depth);
        const next = branches.next();
        if (next === null) this.#close(branches);
        else this.#visit(null, next);
      }
    } finally {
      this.#leave(0);
    }
  }

  /** Goes on from `waiter`, which has been reached, to what it waits for. */
  #follow(waiter: Waiter): void {
    this.#enter(waiter);
    if (waiter._strays === null) this.#visitTarget(waiter);
    else this.#open.push(new Branches(waiter._strays, null, waiter, this.#path.length));
  }

  #visitTarget(waiter: Waiter): void {
    if (waiter._waitingFor === null) this.#answer(waiter, false);
    else this.#visit(waiter, waiter._waitingFor);
  }

  /** Brings the request to `target`, for which `waiter` waits, or which is a branch; and from there to the end. */
  #visit(waiter: Waiter | null, target: Cancellable): void {
    for (;;) {
      const onward = target._onward;
      if (onward === null) {
        this.#answer(waiter, target.cancel(this.#message));
        const { _tasks: tasks } = target as Partial<Awaited>;
        if (tasks !== undefined) this.#watchForCircle(tasks);
        return;
      }
      if (!isWaiter(onward)) {
        this.#open.push(new Branches(onward._branches, onward, waiter, this.#path.length));
        return;
      }
      if (onward._hasEnded) {
        this.#answer(waiter, false);
        return;
      }
      if (onward._asked?.onTheWayOf === this) {
        this.#cameRound(waiter);
        return;
      }
      this.#answer(waiter, true);
      if (this.#isAskedTooOften(onward)) return;
      onward._askedBy(this.#message);
      this.#enter(onward);
      if (onward === this.#group?.owner) this.#watchForCircle(this.#group.tasks);
      if (onward._strays !== null) {
        this.#open.push(new Branches(onward._strays, null, onward, this.#path.length));
        return;
      }
      const next = onward._waitingFor;
      if (next === null) {
        this.#answer(onward, false);
        return;
      }
      waiter = onward;
      target = next;
    }
  }

  /** Whether this is one more of a long row of waiters that were asked and have not run since. */
  #isAskedTooOften(waiter: Waiter): boolean {
    // A call of an async function goes on without a step of its driver: what it waits for knows better.
    if (isCall(waiter._waitingFor)) return false;
    const { _asked: asked } = waiter;
    const wasAskedNow = asked !== null && asked.state === "passed on" && asked.passedOnIn === currentEntry();
    this.#askedAgain = wasAskedNow ? this.#askedAgain + 1 : 0;
    return this.#askedAgain > MOST_ASKED_AGAIN;
  }

  /** `waiter`'s target answered; without a waiter, a branch did. */
  #answer(waiter: Waiter | null, taken: boolean): void {
    if (waiter !== null) answered(waiter, taken, this.#message);
    const branches = this.#open.at(-1);
    // A waiter takes a request in any case: it passes it on or keeps it.
    if (branches !== undefined) branches.taken ||= taken || waiter !== null;
  }

  /** What `waiter` waits for is on the way already, and would wait for `waiter`. */
  #cameRound(waiter: Waiter | null): void {
    if (waiter !== null) breakOff(waiter, this.#message);
    else if (this.#open.length > 0) this.#open.at(-1)!.cameRound = true;
  }

  #close(branches: Branches): void {
    this.#open.pop();
    const { fork, waiter } = branches;
    if (fork === null) {
      this.#visitTarget(waiter!);
      return;
    }
    // A fork of which one branch is on the way would never be done.
    fork._wasAsked?.(branches.taken && !branches.cameRound);
    if (branches.cameRound) this.#cameRound(waiter);
    else this.#answer(waiter, branches.taken);
  }

  /**
   * The owner of a group waits for its tasks, though a request does not go on to them. One of them may wait, by whatever
   * way, for one that the request passed before it came to the owner.
   */
  #watchForCircle(tasks: Tasks): void {
    const owner = this.#path.at(-1)!.task;
    const before = this.#path.findLast((waiter) => waiter.task !== owner);
    if (before !== undefined && before._waitingFor !== null) before.loop._enqueue(new CircleWatch(before, tasks));
  }

  #enter(waiter: Waiter): void {
    askedOf(waiter).onTheWayOf = this;
    this.#path.push(waiter);
  }

  #leave(depth: number): void {
    while (this.#path.length > depth) this.#path.pop()!._asked!.onTheWayOf = null;
  }
}

/** The branches of a fork, or the strays of a waiter, while a request goes to one after the other. */
class Branches {
  readonly fork: Fork | null;
  /** Who waits for the fork, or whose strays they are; `null` where the fork is a branch itself. */
  readonly waiter: Waiter | null;
  /** How long the path was before them. */
  readonly depth: number;
  taken: boolean = false;
  cameRound: boolean = false;
  readonly #all: readonly Cancellable[];
  #index: number = 0;

  constructor(all: Iterable<Cancellable>, fork: Fork | null, waiter: Waiter | null, depth: number) {
    this.#all = [...all];
    this.fork = fork;
    this.waiter = waiter;
    this.depth = depth;
  }

  next(): Cancellable | null {
    return this.#all[this.#index++] ?? null;
  }
}

/** How many turns a request is given to end a wait by itself: a gather, say, of which another branch was cancelled. */
const PATIENCE = 16;

/** Looks, some turns after a request, whether `waiter` is in a circle of waits through a group, and then breaks it off. */
class CircleWatch implements Runnable {
  readonly #waiter: Waiter;
  readonly #target: Awaited;
  readonly #tasks: Tasks;
  #turns: number = 0;

  constructor(waiter: Waiter, tasks: Tasks) {
    this.#waiter = waiter;
    this.#target = waiter._waitingFor!;
    this.#tasks = tasks;
  }

  run(): void {
    if (this.#waiter._waitingFor !== this.#target || this.#target.done()) return;
    if (++this.#turns < PATIENCE) this.#waiter.loop._enqueue(this);
    else if (this.#tasks.searches < MOST_ASKED_AGAIN && this.#isCircle()) breakOff(this.#waiter, undefined);
  }

  #isCircle(): boolean {
    const isCircle = this.#search();
    this.#tasks.searches = isCircle ? 0 : this.#tasks.searches + 1;
    return isCircle;
  }

  #search(): boolean {
    const { task } = this.#waiter;
    const found = new Set<Cancellable>([this.#target]);
    // What is added to a set while it is iterated is iterated too.
    for (const next of found) {
      const onward = next._onward;
      const { _tasks: tasks } = next as Partial<Awaited>;
      if (tasks !== undefined && task !== null && tasks.has(task)) return true;
      if (onward === null) for (const inner of tasks ?? []) found.add(inner);
      else if (!isWaiter(onward)) for (const branch of onward._branches) found.add(branch);
      else if (onward === this.#waiter || onward === task) return true;
      else if (onward._waitingFor !== null) found.add(onward._waitingFor);
    }
    return false;
  }
}

/** `waiter` stops waiting, and gets its `CancelledError` in the next turn; unless it was about to go on anyway. */
function breakOff(waiter: Waiter, message: string | undefined): void {
  keep(waiter, message);
  const target = waiter._waitingFor;
  if (target === null || target.done() || isCall(target)) return;
  target._removeWaiter(waiter);
  target._neverMind();
  waiter._breakOff();
  waiter.loop._enqueue(waiter);
}

function isWaiter(onward: Waiter | Fork): onward is Waiter {
  return "_waitingFor" in onward;
}

/** Whether `target` is the call of an async function, whose waits are those of the waiter's own code. */
function isCall(target: Awaited | null): boolean {
  return target !== null && !target._interruptible;
}

function answered(waiter: Waiter, taken: boolean, message: string | undefined): void {
  if (!taken) {
    keep(waiter, message);
    if (isCall(waiter._waitingFor)) waiter.loop._cannotInterrupt(waiter);
  } else if (waiter._asked !== null) {
    waiter._asked.passedOnIn = currentEntry();
    if (waiter._asked.state === "nothing") waiter._asked.state = "passed on";
  }
}

// --- kept and delivered

/** Has `waiter` keep a request, for its next step or its next wait. */
export function keep(waiter: Waiter, message: string | undefined): void {
  const asked = askedOf(waiter);
  asked.state = "kept";
  asked.message = message;
}

/** `waiter` waits anew: a request that it keeps, or that of its level, goes to what it waits for. */
export function deliverKept(waiter: Waiter): void {
  const request = takeKept(waiter) ?? requestOfLevel(waiter);
  if (request !== null) ask(waiter, request.message);
}

/** An async function of `waiter` begins to wait for `wait`: a request that the waiter keeps goes there. */
export function handDown(waiter: Waiter, wait: Cancellable): void {
  const request = takeKept(waiter);
  // What is inside of a level that is up is asked once, when it begins.
  if (request === null || requestOfLevel(wait) !== null) return;
  waiter._asked!.state = "passed on";
  wait.cancel(request.message);
}

/** `inner` has ended, and `outer` goes on: a request that `inner` kept is `outer`'s. */
export function handUp(inner: Waiter, outer: Waiter | null): void {
  const request = takeKept(inner);
  if (request !== null && outer !== null) keep(outer, request.message);
}

/** Whether `waiter` keeps a request, which nothing of its code has seen. */
export function keepsRequest(waiter: Waiter): boolean {
  return waiter._asked?.state === "kept";
}

/** Whether a signal that was given out in the task of `waiter` has told of a request to it. */
export function wasTold(waiter: CountingWaiter): boolean {
  return (outermost(waiter)._asked?.signals ?? null) !== null && requestsSeenFrom(waiter, 1) > 0;
}

/** The request that `waiter` keeps, which it keeps no longer; `null` if there is none. */
export function takeKept(waiter: Waiter): Request | null {
  const asked = waiter._asked;
  if (asked === null || asked.state !== "kept") return null;
  asked.state = "nothing";
  return asked;
}

/** `waiter` goes on: the request to throw at its next step, instead of what it waited for. */
export function takeDelivery(waiter: Waiter, waited: Awaited | null): Request | null {
  const asked = waiter._asked;
  if (asked === null) return null;
  if (asked.state !== "kept") {
    asked.state = "nothing";
    return null;
  }
  // The end of an async function is no wait of its code: what it did not get to see goes to its next wait.
  if (waited?._interruptible === false) return null;
  // Two requests before the step: the future that the first one cancelled brings its CancelledError itself.
  const isRaised = waited?._raisesCancelled() === true;
  // Inside of a level, what has come is handed over, and the next wait raises.
  if (waited !== null && !isRaised && requestOfLevel(waiter) !== null) return null;
  asked.state = "nothing";
  return isRaised ? null : asked;
}

// --- levels

/** The innermost level that `waiter` is inside of. */
export function levelOf(waiter: Partial<Waiter> | null | undefined): Level | null {
  return waiter?._asked?.level ?? null;
}

/** From here on `waiter` is inside of `level`, or of none. */
export function putInLevel(waiter: Waiter, level: Level | null): void {
  if (level !== levelOf(waiter)) askedOf(waiter).level = level;
}

/** A task begins inside of `level`. */
export function beginInLevel(task: Waiter, level: Level): void {
  putInLevel(task, level);
  if (task._waitingFor === null) task._asked!.state = "new";
}

/** A task is inside of a level that is cancelled: one that has not begun comes to its first wait. */
export function askInLevel(task: Waiter, message: string | undefined): void {
  task._askedBy(message);
  if (task._asked!.state !== "new") ask(task, message);
}

/** `waiter` gives way for a turn, in which nothing can be cancelled: it keeps what its level asks for. */
export function keepLevel(waiter: Waiter): void {
  const request = requestOfLevel(waiter);
  if (request !== null) keep(waiter, request.message);
}

/** What is asked of all that waits inside of the level of `waiter`. */
export function requestOfLevel(waiter: Partial<Waiter>): Request | null {
  return levelOf(waiter)?._request ?? null;
}

// --- counted and taken back

/** How many requests count for `waiter`, there and further out; at most `limit`, where more makes no difference. */
export function requestsSeenFrom(waiter: CountingWaiter, limit: number = Infinity): number {
  let sum = 0;
  if (!hasRequests(outermost(waiter))) return sum;
  for (let at: CountingWaiter | null = waiter; at !== null && sum < limit; at = at._outer) sum += at._asked?.count ?? 0;
  return sum;
}

/** How many requests count in `task`, in all of its parts: CPython's number. */
export function requestsOf(task: CountingWaiter): number {
  const asked = task._asked;
  if (asked === null) return 0;
  let sum = asked.count;
  if (asked.countingInside !== null) for (const inner of asked.countingInside) sum += inner._asked!.count;
  return sum;
}

/** Takes back a request that was made in `waiter`, or else in the nearest one further out that has one. */
export function takeBack(waiter: CountingWaiter): void {
  let at: CountingWaiter | null = waiter;
  while (at !== null && !hasCount(at)) at = at._outer;
  if (at !== null) takeBackAt(at);
}

/**
 * Takes back the request that was made furthest out, as the user's own `uncancel()` does in `waiter`: those of deadlines
 * and groups are taken back by these.
 */
export function takeBackOutermost(waiter: CountingWaiter): void {
  let found: CountingWaiter | null = null;
  for (let at: CountingWaiter | null = waiter; at !== null; at = at._outer) {
    if (hasCount(at)) found = at;
  }
  if (found !== null) takeBackAt(found);
}

/** Takes back a request of `task` from outside: one of `cancel()` if there is one, else of a deadline or a group. */
export function takeBackFromOutside(task: CountingWaiter): void {
  const inside = task._asked?.countingInside ?? null;
  if (hasCount(task)) uncount(task);
  else if (inside !== null) uncount([...inside].at(-1)!);
  else return;
  if (requestsOf(task) === 0) forget(task);
}

/** `waiter` has ended: what counts in it counts no longer. */
export function forgetCount(waiter: CountingWaiter): void {
  if (!hasCount(waiter)) return;
  waiter._asked!.count = 1;
  uncount(waiter);
}

/** One request more counts in `waiter`: the signals that were given out hear of it. */
export function countRequest(waiter: CountingWaiter, message: string | undefined, frame: object | null = null): void {
  askedOf(waiter).count++;
  const outer = outermost(waiter);
  const asked = askedOf(outer);
  if (outer !== waiter) {
    asked.countingInside ??= new Set();
    asked.countingInside.add(waiter);
  }
  asked.signals?.abort(waiter, frame, message);
}

/** Of a task: where the signals that it gives out are, made by `make` when it gives out the first. */
export function signalsOf<S extends Signals>(task: CountingWaiter, make: () => S): S {
  const asked = askedOf(task);
  asked.signals ??= make();
  return asked.signals as S;
}

/** With the last request that counts for `waiter`, one that is kept is dropped. */
function takeBackAt(waiter: CountingWaiter): void {
  uncount(waiter);
  if (requestsSeenFrom(waiter, 1) === 0) forget(waiter);
}

/** Takes one off the count of `waiter`, which has one. */
function uncount(waiter: CountingWaiter): void {
  const asked = waiter._asked!;
  const task = outermost(waiter);
  asked.count--;
  if (asked.count > 0 || waiter === task) return;
  const outer = task._asked!;
  outer.countingInside!.delete(waiter);
  if (outer.countingInside!.size === 0) outer.countingInside = null;
}

function hasCount(waiter: CountingWaiter): boolean {
  return waiter._asked !== null && waiter._asked.count > 0;
}

function hasRequests(task: CountingWaiter): boolean {
  return task._asked !== null && (task._asked.count > 0 || task._asked.countingInside !== null);
}

function outermost(waiter: CountingWaiter): CountingWaiter {
  if (waiter.task !== null) return waiter.task as CountingWaiter;
  let at = waiter;
  while (at._outer !== null) at = at._outer;
  return at;
}

/** Drops what is kept in `waiter` and in what runs inside of it; but not where requests still count. */
function forget(waiter: Waiter): void {
  const todo: Cancellable[] = [waiter];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const at = next._onward;
    if (at === null || !isWaiter(at) || (at !== waiter && (at.task !== waiter.task || (at._asked?.count ?? 0) > 0))) {
      continue;
    }
    if (at._asked?.state === "kept") at._asked.state = "nothing";
    const target = at._waitingFor;
    if (isCall(target)) for (const wait of (target!._onward as Fork)._branches) todo.push(wait);
  }
}

function askedOf(waiter: Waiter): Asked {
  waiter._asked ??= {
    state: "nothing",
    message: undefined,
    passedOnIn: 0,
    count: 0,
    countingInside: null,
    hasBrokenOff: false,
    onTheWayOf: null,
    signals: null,
    level: null,
  };
  return waiter._asked;
}
