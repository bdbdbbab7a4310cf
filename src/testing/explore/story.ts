/** A failing schedule in words: where it differs from first come, first served, and who ran when. @module */

import { formatError } from "../../core/base/format.ts";
import type { Choice, Course, Step } from "./course.ts";

/** How many lines of each kind a story has at most. */
const MOST_LINES = 40;

/** Where the run differs from the one that every ordinary test sees, a line for each. */
export function tellDifferences({ choices }: Course): string[] {
  const lines: string[] = [];
  for (let at = 0; at < choices.length;) {
    const choice = choices[at]!;
    const count = choice.pick === 0 ? 1 : countOfRow(choices, at);
    if (choice.pick !== 0) lines.push(tell(choice, count));
    at += count;
  }
  return shortened(lines);
}

/** How many choices in a row let the same one go before the same other. */
function countOfRow(choices: readonly Choice[], start: number): number {
  const { site, chosen, first } = choices[start]!;
  let end = start + 1;
  for (; end < choices.length; end++) {
    const next = choices[end]!;
    if (next.pick === 0 || next.site !== site || next.chosen !== chosen || next.first !== first) break;
  }
  return end - start;
}

function tell({ site, step, first, chosen }: Choice, count: number): string {
  const at = `step ${step}: `;
  if (site === "cancel") return `${at}${chosen} was cancelled`;
  if (site === "chance" || site === "fault") return `${at}${chosen}`;
  if (site === "arrival") return `${at}${chosen} came before ${first}`;
  return `${at}${chosen} ran ${count === 1 ? "" : `${count} times in a row `}before ${first}`;
}

/** Each step on a line: its number, the time, who took it. */
export function drawTimeline({ steps }: Course): string {
  const lines: string[] = [];
  for (let at = 0; at < steps.length;) {
    const count = countOfSteps(steps, at);
    const { actor, time } = steps[at]!;
    const number = count === 1 ? `${at}` : `${at}-${at + count - 1}`;
    lines.push(`${number.padStart(9)}  ${time.toFixed(3).padStart(8)} s  ${actor.label}`);
    at += count;
  }
  return shortened(lines).join("\n");
}

function countOfSteps(steps: readonly Step[], start: number): number {
  let end = start + 1;
  while (end < steps.length && steps[end]!.actor === steps[start]!.actor && steps[end]!.time === steps[start]!.time)
    end++;
  return end - start;
}

/** The last lines, which are nearest to the failure. */
function shortened(lines: string[]): string[] {
  if (lines.length <= MOST_LINES) return lines;
  return [`(${lines.length - MOST_LINES + 1} more before)`, ...lines.slice(1 - MOST_LINES)];
}

/** The error of a run, indented. */
export function tellError(error: unknown): string {
  return formatError(error)
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}
