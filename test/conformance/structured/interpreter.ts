/** Runs the programs of `record_trio.py` with this library; each statement is what the function of its name does there. */

import * as asyncio from "asyncio-ts";
import type { ChannelReceiver, ChannelSender } from "asyncio-ts/structured";
import {
  BrokenChannelError,
  CancelScope,
  CapacityLimiter,
  ClosedChannelError,
  currentEffectiveDeadline,
  EndOfChannelError,
  failAfter,
  moveOnAfter,
  openChannel,
} from "asyncio-ts/structured";
import type { Program, Syntax } from "../../unit/syntaxes.ts";
import { wait } from "../../unit/syntaxes.ts";

const END = 5000;

export type Statement = readonly [kind: string, ...rest: unknown[]];
/** What each task did, and when. */
export type Traces = Readonly<Record<string, readonly string[]>>;

class Boom extends Error {}

const NAMES = [
  [asyncio.TimeoutError, "Timeout"],
  [BrokenChannelError, "Broken"],
  [ClosedChannelError, "Closed"],
  [EndOfChannelError, "End"],
  [asyncio.RuntimeError, "RuntimeError"],
] as const;

function leaves(error: unknown): unknown[] {
  return error instanceof AggregateError ? error.errors.flatMap(leaves) : [error];
}

function describe(error: unknown): string {
  const errors = leaves(error).filter((leaf) => !(leaf instanceof asyncio.CancelledError));
  const names = errors.map((leaf) => {
    if (leaf instanceof Boom) return leaf.message;
    return NAMES.find(([type]) => leaf instanceof type)?.[1] ?? String(leaf);
  });
  return names.length === 0 ? "Cancelled" : [...new Set(names)].toSorted().join("+");
}

type Body = readonly Statement[];

class Interpreter {
  readonly traces: Record<string, string[]> = {};
  readonly #syntax: Syntax;
  readonly #loop: asyncio.AbstractEventLoop = asyncio.getRunningLoop();
  readonly #scopes: Map<unknown, CancelScope> = new Map();
  readonly #channels: readonly [ChannelSender<string>, ChannelReceiver<string>][] = [openChannel(0), openChannel(1)];
  readonly #limiter: CapacityLimiter = new CapacityLimiter(1);
  #event: asyncio.Event = new asyncio.Event();

  constructor(syntax: Syntax) {
    this.#syntax = syntax;
  }

  *run(program: Body): Program<void> {
    const main = this.#syntax(() => this.#logged("main", program));
    try {
      yield* wait(moveOnAfter(END, main));
    } catch {
      // It is in the trace.
    }
  }

  *#logged(task: string, program: Body): Program<void> {
    try {
      yield* this.#body(task, program);
      this.#log(task, "ended");
    } catch (error) {
      this.#log(task, `raised ${describe(error)}`);
      throw error;
    }
  }

  #log(task: string, text: string): void {
    (this.traces[task] ??= []).push(`${this.#loop.time()} ${text}`);
  }

  *#body(task: string, statements: Body): Program<void> {
    for (const [kind, ...rest] of statements) yield* this.#statement(task, kind, rest);
  }

  *#statement(task: string, kind: string, [first, second, third]: unknown[]): Program<void> {
    switch (kind) {
      case "sleep":
        yield* wait(asyncio.sleep(first as number));
        this.#log(task, "slept");
        break;
      case "turn":
        yield* wait(asyncio.sleep(0));
        this.#log(task, "turned");
        break;
      case "raise":
        throw new Boom(first as string);
      case "cancel":
        this.#scopes.get(first)?.cancel();
        break;
      case "deadline":
        if (this.#scopes.has(first)) this.#scopes.get(first)!.deadline = this.#loop.time() + (second as number);
        break;
      case "shield":
        if (this.#scopes.has(first)) this.#scopes.get(first)!.shield = second as boolean;
        break;
      case "effective":
        this.#log(task, `effective ${this.#effectiveDeadline()}`);
        break;
      case "send":
        yield* wait(this.#channels[first as number]![0].send(task));
        this.#log(task, "sent");
        break;
      case "receive":
        this.#log(task, `received ${yield* wait(this.#channels[first as number]![1].receive())}`);
        break;
      case "close":
        this.#channels[first as number]![0].close();
        break;
      case "set":
        this.#event.set();
        this.#event = new asyncio.Event();
        break;
      case "event":
        yield* wait(this.#event.wait());
        this.#log(task, "event");
        break;
      case "try":
        try {
          yield* this.#body(task, first as Body);
        } catch (error) {
          this.#log(task, `caught ${describe(error)}`);
          yield* this.#body(task, second as Body);
        }
        break;
      case "finally":
        try {
          yield* this.#body(task, first as Body);
        } finally {
          this.#log(task, "finally");
          yield* this.#body(task, second as Body);
        }
        break;
      case "moveOn":
      case "shielded":
        yield* this.#scoped(
          task,
          first,
          new CancelScope({ timeout: second as number, shield: kind === "shielded" }),
          third as Body,
        );
        break;
      case "fail":
        yield* wait(
          failAfter(
            second as number,
            this.#syntax((scope: CancelScope) => {
              this.#scopes.set(first, scope);
              return this.#body(task, third as Body);
            }),
          ),
        );
        this.#log(task, `left ${String(first)} whole`);
        break;
      case "group":
        yield* this.#group(task, first as readonly [string, Body][], second as Body);
        break;
      case "limited":
        yield* wait(this.#limiter.acquire());
        this.#log(task, "acquired");
        try {
          yield* this.#body(task, first as Body);
        } finally {
          this.#limiter.release();
        }
        break;
      default:
        throw new Error(`unknown statement ${kind}`);
    }
  }

  #effectiveDeadline(): string {
    const deadline = currentEffectiveDeadline();
    return deadline <= this.#loop.time() ? "past" : String(deadline);
  }

  *#scoped(task: string, name: unknown, scope: CancelScope, body: Body): Program<void> {
    this.#scopes.set(name, scope);
    yield* wait(scope.run(this.#syntax(() => this.#body(task, body))));
    this.#log(task, `left ${String(name)} ${scope.cancelledCaught ? "cut" : "whole"}`);
  }

  /**
   * A nursery: a group whose failure is a level, since it cancels a scope.
   */
  *#group(task: string, children: readonly [string, Body][], body: Body): Program<void> {
    const scope = new CancelScope();
    const guarded = <A extends unknown[]>(work: (...args: A) => Program<void>): ((...args: A) => never) =>
      this.#syntax(function* (...args: A): Program<void> {
        try {
          yield* work(...args);
        } catch (error) {
          if (!(error instanceof asyncio.CancelledError)) scope.cancel("a sibling has failed");
          throw error;
        }
      }) as (...args: A) => never;
    const statements = guarded((group: asyncio.TaskGroup) => this.#grouped(group, task, children, body, guarded));
    yield* wait(scope.run(() => asyncio.taskGroup(statements)));
    this.#log(task, "joined");
  }

  *#grouped(
    group: asyncio.TaskGroup,
    task: string,
    children: readonly [string, Body][],
    body: Body,
    guarded: (work: () => Program<void>) => () => never,
  ): Program<void> {
    for (const [name, statements] of children) {
      group.createTask(guarded(() => this.#logged(name, statements)));
    }
    yield* this.#body(task, body);
    // A nursery gives way at its end, also when there is nothing to wait for.
    yield* wait(asyncio.sleep(0));
  }
}

/** The traces of `program`, run in `syntax` on the running loop. */
export function* run(syntax: Syntax, program: readonly Statement[]): Program<Traces> {
  const interpreter = new Interpreter(syntax);
  yield* interpreter.run(program);
  return interpreter.traces;
}
