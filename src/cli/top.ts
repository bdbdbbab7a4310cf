/** The live table: a look every so often, and keys between them. @module */

import { emitKeypressEvents } from "node:readline";
import { sleep } from "../core/coordination/sleep.ts";
import { waitFor } from "../core/coordination/wait-for.ts";
import { Event } from "../core/coordination/locks/event.ts";
import { TimeoutError } from "../core/base/exceptions.ts";
import type { LoopSnapshot } from "../inspection/snapshots.ts";
import type { SortKey } from "./top-table.ts";
import { SORT_KEYS, topTable } from "./top-table.ts";

const ENTER_SCREEN = "\u001b[?1049h\u001b[?25l";
const LEAVE_SCREEN = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H\u001b[J";

interface TopOptions {
  readonly seconds: number;
  readonly sort: SortKey;
  readonly once: boolean;
}

/** Shows what `look` finds until `q` is pressed; a single time if asked for, or where there is no terminal. */
export async function showTop(look: () => Promise<readonly LoopSnapshot[]>, options: TopOptions): Promise<void> {
  if (!options.once && process.stdout.isTTY && process.stdin.isTTY) {
    await new Screen(look, options).show();
    return;
  }
  await sleep(options.seconds);
  console.log(topTable(await look(), { ...options, filter: "", rows: Infinity, columns: Infinity }).join("\n"));
}

interface Key {
  readonly name?: string;
  readonly ctrl?: boolean;
}

class Screen {
  readonly #look: () => Promise<readonly LoopSnapshot[]>;
  readonly #seconds: number;
  readonly #changed: Event = new Event();
  #sort: SortKey;
  #filter: string = "";
  #isTyping: boolean = false;
  #isOver: boolean = false;

  constructor(look: () => Promise<readonly LoopSnapshot[]>, { seconds, sort }: TopOptions) {
    this.#look = look;
    this.#seconds = seconds;
    this.#sort = sort;
  }

  async show(): Promise<void> {
    const { stdin, stdout } = process;
    emitKeypressEvents(stdin);
    stdin.setRawMode(true).on("keypress", this.#press).resume();
    stdout.write(ENTER_SCREEN);
    try {
      let loops = await this.#look();
      while (!this.#isOver) {
        this.#draw(loops);
        // oxlint-disable-next-line no-await-in-loop -- until a key is pressed, or it is time
        if (!(await this.#hasChanged())) loops = await this.#look();
      }
    } finally {
      stdout.write(LEAVE_SCREEN);
      stdin.setRawMode(false).off("keypress", this.#press).pause();
    }
  }

  async #hasChanged(): Promise<boolean> {
    this.#changed.clear();
    try {
      await waitFor(this.#changed.wait(), this.#seconds);
      return true;
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      return false;
    }
  }

  #draw(loops: readonly LoopSnapshot[]): void {
    const { rows, columns } = process.stdout;
    const view = { sort: this.#sort, filter: this.#filter, rows: rows - 1, columns };
    const help = this.#isTyping
      ? `filter: ${this.#filter}_`
      : `sorted by ${this.#sort} · s sort · / filter${this.#filter === "" ? "" : ` (${this.#filter})`} · q quit`;
    process.stdout.write(HOME + [...topTable(loops, view), help.slice(0, columns)].join("\r\n"));
  }

  readonly #press = (text: string | undefined, { name, ctrl = false }: Key): void => {
    if (ctrl && name === "c") this.#isOver = true;
    else if (this.#isTyping) this.#type(text, name);
    else if (name === "q") this.#isOver = true;
    else if (name === "s") this.#sort = SORT_KEYS[(SORT_KEYS.indexOf(this.#sort) + 1) % SORT_KEYS.length]!;
    else if (text === "/") {
      this.#isTyping = true;
      this.#filter = "";
    }
    this.#changed.set();
  };

  #type(text: string | undefined, name: string | undefined): void {
    if (name === "return" || name === "escape") this.#isTyping = false;
    if (name === "escape") this.#filter = "";
    else if (name === "backspace") this.#filter = this.#filter.slice(0, -1);
    else if (name !== "return" && text !== undefined && text >= " ") this.#filter += text;
  }
}
