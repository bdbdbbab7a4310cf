/**
 * Letting promises go on in the middle of a turn. JavaScript has no public way to do so; Node, Bun and Deno have private
 * ones. Each is tested before it is used. Without one, as in browsers, the loop returns to its host instead: the order is
 * the same, and an `await` costs more.
 *
 * Only this file and `network/private-sockets` use private APIs.
 *
 * @module
 */

type Drain = () => void;

let drain: Drain | null | undefined;

/** Runs all microtasks, and those they add; `false` if the platform cannot. Call it from a macrotask. */
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
  const deno = denoCore();
  if (typeof deno?.runMicrotasks === "function") found.push(deno.runMicrotasks as Drain);
  return found;
}

function denoCore(): { readonly runMicrotasks?: unknown } | undefined {
  const { Deno } = globalThis as { readonly Deno?: { readonly internal?: symbol } };
  if (Deno?.internal === undefined) return undefined;
  const internals = (
    Deno as Readonly<Record<symbol, { readonly core?: { readonly runMicrotasks?: unknown } } | undefined>>
  )[Deno.internal];
  return internals?.core;
}

/** Whether `candidate` runs a chain of promises to its end before it returns. */
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
