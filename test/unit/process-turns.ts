/** The turns of the process itself, for what happens outside of a loop of ours. */

const TURNS = 10;

/** Lets everything in the process go on that needs no time: ticks, promises, and what they make ready. */
export async function letProcessGoOn(): Promise<void> {
  for (let i = 0; i < TURNS; i++) await new Promise<void>((resolve) => void setImmediate(resolve));
}
