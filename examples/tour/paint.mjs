/** Colours, for terminals that want them, and text that fits. @module */

/** @typedef {Record<"plain" | "bold" | "dim" | "green" | "yellow" | "red", (text: string) => string>} Paint */

/** @param {boolean} enabled @returns {Paint} */
export function newPaint(enabled) {
  const colour = (/** @type {number} */ code) => (/** @type {string} */ text) =>
    enabled && text !== "" ? `\u001b[${code}m${text}\u001b[0m` : text;
  return {
    plain: (text) => text,
    bold: colour(1),
    dim: colour(2),
    green: colour(32),
    yellow: colour(33),
    red: colour(31),
  };
}

/**
 * `text` in lines of at most `width` characters, broken between words where that is possible.
 *
 * @param {string} text
 * @param {number} width
 * @returns {string[]}
 */
export function wrap(text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Seconds as a program's line begins with them. @param {number} seconds */
export function stamp(seconds) {
  return `[${seconds.toFixed(2).padStart(5)}s]`;
}
