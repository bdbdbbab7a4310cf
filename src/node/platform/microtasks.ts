/**
 * Letting promises go on in the middle of a turn. JavaScript has no public way to do so; Node, Bun and Deno have private
 * ones. Each has to show that it works before it is trusted. Without one, as in browsers, the loop returns to its host
 * instead: the order is the same, and an `await` costs more.
 *
 * The first drain is the test: a chain of promises must be at its end after it. A drain runs the program's own callbacks,
 * so the errors that leave Node's are the program's, in the test too, and are never caught here. Weighed and refused: a
 * test that catches errors. It swallowed those of the program, and left Node's stack of async hooks corrupted.
 *
 * Only this file and `network/private-sockets` use private APIs: here `process._tickCallback` of Node, `drainMicrotasks` of
 * `bun:jsc`, and `runMicrotasks` in Deno's internals.
 *
 * @module
 */

/** A private way to run all microtasks. */
interface Drain {
  readonly run: () => void;
  /** Errors of the program leave through it. Without this, an error is its own, and it does not work. */
  readonly passesErrors: boolean;
}

/** The ways that have not failed, the best first; `null` before the first drain. */
let candidates: Drain[] | null = null;
/** The one that has shown that it works. */
let proven: Drain | null = null;

/** Runs all microtasks, and those they add; `false` if the platform cannot. Call it from a macrotask. */
export function drainMicrotasks(): boolean {
  if (proven !== null) {
    proven.run();
    return true;
  }
  candidates ??= findDrains();
  for (let drain = candidates[0]; drain !== undefined; drain = candidates[0]) {
    // An error of the program leaves here; then the next drain is the test.
    if (works(drain)) {
      proven = drain;
      return true;
    }
    candidates.shift();
  }
  return false;
}

/** What {@link drainMicrotasks} calls, when it has shown that it works. */
export function provenDrain(): (() => void) | null {
  return proven?.run ?? null;
}

function findDrains(): Drain[] {
  const { _tickCallback: tick } = process as { _tickCallback?: unknown };
  const [bun, deno] = [drainOfBun(), drainOfDeno()];
  const found: Drain[] = [];
  // Bound, and not wrapped: a frame less in every stack.
  if (typeof tick === "function") found.push({ run: tick.bind(process), passesErrors: true });
  if (typeof bun === "function") found.push({ run: bun.bind(undefined), passesErrors: false });
  if (typeof deno === "function") found.push({ run: deno.bind(undefined), passesErrors: false });
  return found;
}

function drainOfBun(): unknown {
  if (!("Bun" in globalThis)) return undefined;
  const builtin = (process as { getBuiltinModule?: (name: string) => unknown }).getBuiltinModule;
  return (builtin?.("bun:jsc") as { drainMicrotasks?: unknown } | undefined)?.drainMicrotasks;
}

function drainOfDeno(): unknown {
  const { Deno } = globalThis as { readonly Deno?: { readonly internal?: symbol } };
  if (Deno?.internal === undefined) return undefined;
  const internals = (Deno as Readonly<Record<symbol, { readonly core?: { runMicrotasks?: unknown } } | undefined>>)[
    Deno.internal
  ];
  return internals?.core?.runMicrotasks;
}

/** Drains, and tells whether a chain of promises came to its end. */
function works(drain: Drain): boolean {
  let links = 0;
  const link = (): void => void links++;
  void Promise.resolve().then(link).then(link).then(link);
  try {
    drain.run();
  } catch (error) {
    if (drain.passesErrors) throw error;
    return false;
  }
  return links === 3;
}
