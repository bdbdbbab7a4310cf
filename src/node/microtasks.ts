/**
 * Letting promises go on in the middle of a turn. JavaScript has no public way to do so; Node and Bun have private
 * ones. They are tried before they are trusted, and without them the loop returns to its host instead: the same order,
 * at two to three times the price.
 *
 * This is the one file that uses a private API.
 *
 * @module
 */

type Drain = () => void;

let drain: Drain | null | undefined;

/** Runs all microtasks, and those they make. `false` if the platform cannot. Must be called from a macrotask. */
export function drainMicrotasks(): boolean {
  if (drain === undefined) drain = candidates().find(works) ?? null;
  if (drain === null) return false;
  drain();
  return true;
}

function candidates(): Drain[] {
  const { _tickCallback: tick } = process as { _tickCallback?: unknown };
  const builtin = (process as { getBuiltinModule?: (name: string) => unknown }).getBuiltinModule;
  const jsc = "Bun" in globalThis ? (builtin?.("bun:jsc") as { drainMicrotasks?: unknown } | undefined) : undefined;
  const found: Drain[] = [];
  if (typeof tick === "function") found.push(() => tick.call(process));
  if (typeof jsc?.drainMicrotasks === "function") found.push(jsc.drainMicrotasks as Drain);
  return found;
}

/** Whether a chain of promises has come to its end when `candidate` returns. */
function works(candidate: Drain): boolean {
  let links = 0;
  const link = (): void => void links++;
  void Promise.resolve().then(link).then(link).then(link);
  try {
    candidate();
  } catch {
    return false;
  }
  return links === 3;
}
