import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { hasRedis } from "./program.ts";

/** What the programs print, in virtual time or not. */
const EXPECTED = {
  hello: ["Hello", "World"],
  sleep: ["sleeper: good night", "counter: 1", "counter: 2", "counter: 3", "sleeper: good morning"],
  workers: [
    "Task 1 started",
    "Task 2 started",
    "Task 3 started",
    "Task 3 finished",
    "Task 2 finished",
    "Task 1 finished",
  ],
  errors: ["Task 1 started", "Task 2 started", "Task 1 caught: no connection", "Task 1 finished", "Task 2 finished"],
} as const;

const TITLES = [
  "1  Hello, World",
  "2  Who sleeps lets others run",
  "3  Three workers at once",
  "4  An error stays where it is caught",
  "5  Cancellation cleans up",
  "6  A deadline for what would hang",
  "7  Ten thousand at once",
  "What ran when",
];

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Runs a program of the project and gives its lines; a program that fails, or writes to stderr, fails the test. */
async function run(...args: string[]): Promise<string[]> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: root });
  expect(stderr).toBe("");
  return stdout.trimEnd().split("\n");
}

/** The part of the tour's output from the title that begins with `start` to the next title. */
function sectionOf(lines: readonly string[], start: string): string[] {
  const begin = lines.findIndex((line) => line.startsWith(start) && TITLES.includes(line));
  const end = lines.findIndex((line, i) => i > begin && TITLES.includes(line));
  return lines.slice(begin, end === -1 ? undefined : end);
}

/** What the program of a section printed, without the time before it. */
function printedIn(section: readonly string[]): string[] {
  return section.flatMap((line) => /^\[ *[\d.]+s\] (.*)$/.exec(line)?.[1] ?? []);
}

beforeAll(async () => {
  if (!existsSync(`${root}/dist/node/index.js`)) await run("scripts/build.mjs");
});

const programs = Object.entries(EXPECTED).flatMap(([name, lines]) => [
  { file: `${name}.async.mjs`, lines },
  { file: `${name}.generator.mjs`, lines },
]);

test.concurrent.each(programs)("examples/$file prints its lines in order", async ({ file, lines }) => {
  expect(await run("--import", "./examples/virtual-clock.mjs", `examples/${file}`)).toEqual(lines);
});

test("the tour without a terminal shows every section, and no control characters", async () => {
  const lines = await run("examples/tour/main.mjs", "--fast");
  expect(lines.filter((line) => TITLES.includes(line))).toEqual(TITLES);
  expect(lines.join("")).not.toMatch(/\p{Cc}/u);
  expect(lines.at(-1)).toBe("The programs are in examples/ and examples/tour/sections/.");

  for (const [index, expected] of Object.values(EXPECTED).entries()) {
    expect(printedIn(sectionOf(lines, `${index + 1} `))).toEqual(expected);
  }
  expect(sectionOf(lines, "3 ")).toContain("[ 5.00s] Task 1 finished");
  expect(printedIn(sectionOf(lines, "5 "))).toEqual([
    "download: this will take an hour",
    "main: cancel it",
    "download: cleaning up",
    "download: cleaned up",
    "main: it is cancelled",
  ]);
  expect(printedIn(sectionOf(lines, "6 ")).at(-1)).toBe("main: no answer, going on without");
  expect(printedIn(sectionOf(lines, "7 "))).toHaveLength(2);

  const timeline = sectionOf(lines, "What");
  expect(timeline.find((line) => line.startsWith("5 download"))).toMatch(/█─+█~+x$/);
  expect(timeline.find((line) => line.startsWith("6 question"))).toMatch(/█─+x$/);
});

test.skipIf(process.platform === "win32")("Ctrl-C ends the tour with 130, after its tasks", async () => {
  const tour = spawn(process.execPath, ["examples/tour/main.mjs"], { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  tour.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (!output.includes("] Hello\n") && (output + text).includes("] Hello\n")) tour.kill("SIGINT");
    output += text;
  });
  expect(await once(tour, "close")).toEqual([130, null]);
  expect(output).toMatch(/Interrupted\. .*\n$/);
});

interface Terminal {
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
}
interface Tour {
  play(section: unknown, view: unknown, options: { readonly fast: boolean }): Promise<unknown>;
  LiveView: new (out: Terminal, paint: unknown) => unknown;
  newPaint(enabled: boolean): unknown;
  workers: unknown;
}

/** The tour's modules are JavaScript: their types are named here. */
async function importTour(): Promise<Tour> {
  const files = ["stage", "view-live", "paint", "sections/workers"];
  const urls = files.map((file) => new URL(`../../../examples/tour/${file}.mjs`, import.meta.url).href);
  const modules = await Promise.all(urls.map(async (url) => (await import(/* @vite-ignore */ url)) as object));
  return Object.assign({}, ...modules) as Tour;
}

/** What moves the cursor, hides it, or erases. */
const CONTROL = /\p{Cc}\[[?\d]*[a-zA-Z]|\r/gu;
const CURSOR_UP = /\p{Cc}\[(\d+)A/gu;

/** What the live view writes while the workers work, in virtual time. */
async function showWorkers(columns: number, rows: number): Promise<string> {
  const { play, LiveView, newPaint, workers } = await importTour();
  let output = "";
  const out = { columns, rows, write: (text: string) => void (output += text) };
  await play(workers, new LiveView(out, newPaint(false)), { fast: true });
  return output;
}

/** The lanes among the lines of `output`. */
function lanesOf(output: string): string[] {
  const lines = output.replaceAll(CONTROL, "").split("\n");
  return lines.filter((line) => line !== "" && !line.startsWith("["));
}

test("the live view shows a lane for each task", async () => {
  expect(lanesOf(await showWorkers(60, 24)).slice(-4)).toEqual([
    "main    █─────────────────────────────█  done at 5.0 s",
    "Task 1  █─────────────────────────────█  done at 5.0 s",
    "Task 2  █─────────────────█              done at 3.0 s",
    "Task 3  █─────█                          done at 1.0 s",
  ]);
});

test.each([0, 1, 7, 20, 31, 36, 50, 200])("the live view fits into %d columns", async (columns) => {
  const output = await showWorkers(columns, 24);
  const longest = Math.max(0, ...lanesOf(output).map((line) => line.length));
  expect(longest).toBeLessThanOrEqual(Math.max(0, columns - 1));
});

test.each([0, 1, 4, 5])("the live view never moves the cursor out of %d rows", async (rows) => {
  const output = await showWorkers(80, rows);
  const moves = [...output.matchAll(CURSOR_UP)].map(([, lines]) => Number(lines));
  expect(Math.max(0, ...moves)).toBeLessThan(Math.max(1, rows));
});

test("the live view hides the cursor and brings it back", async () => {
  const output = await showWorkers(80, 24);
  expect(output.startsWith("\u001b[?25l")).toBe(true);
  expect(output.endsWith("\u001b[?25h")).toBe(true);
});

test("hashing.mjs hashes files in threads, in order", async () => {
  const lines = await run("examples/hashing.mjs", "LICENSE", "package.json");
  expect(lines.map((line) => line.slice(18))).toEqual(["LICENSE", "package.json"]);
  expect(lines.every((line) => /^[0-9a-f]{16}  /.test(line))).toBe(true);
});

test("crawler.mjs reads the pages of a site in processes; one that fails fails alone", async () => {
  const lines = await run("examples/crawler.mjs");
  expect(lines.map((line) => line.split(/ {2,}/).filter((word) => word !== ""))).toEqual([
    ["200", "9 words", "/", "Page /"],
    ["200", "9 words", "/a", "Page /a"],
    ["200", "7 words", "/b", "Page /b"],
    ["fetch failed", "0 words", "/broken"],
    ["200", "7 words", "/c", "Page /c"],
  ]);
});

// Left out where there is no Redis; `npm run cluster` fails then.
test.runIf(hasRedis)("cluster.mjs: three workers, one of which is killed, do all of the pages", async () => {
  const lines = await run("examples/cluster.mjs");
  expect(lines[0]).toBe("25 pages are done, and worker 1 is killed");
  expect(lines.at(-1)).toBe("100 of 100 pages are done");
  const answers = lines.slice(1, 4).map((line) => Number(/with (\d+) pages/.exec(line)?.[1]));
  expect(answers.reduce((sum, n) => sum + n)).toBe(100);
});
