/** The view for files, pipes and terminals that cannot move their cursor: one line after the other. @module */

import { stamp } from "./paint.mjs";

/** @typedef {import("./paint.mjs").Paint} Paint */

export class LinesView {
  #out;
  #paint;

  /** @param {NodeJS.WriteStream} out @param {Paint} paint */
  constructor(out, paint) {
    this.#out = out;
    this.#paint = paint;
  }

  begin() {}

  /** @param {number} time @param {string} text */
  said(time, text) {
    this.#out.write(`${this.#paint.dim(stamp(time))} ${text}\n`);
  }

  end() {}
}
