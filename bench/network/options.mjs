/** The command line of `npm run bench:network`. @module */

import { parseArgs } from "node:util";

const USAGE = `Usage: npm run bench:network -- [options]

  --quick            one size, 10 connections, no TLS, short samples: a minute, and the numbers rough
  --only NAME        subjects that have NAME in their name, and node:net; may be repeated
  --sizes LIST       bytes of a message: 1024,10240,102400 by default
  --connections LIST 10,500 by default
  --no-tls           leaves TLS out
  --samples COUNT    3 by default
  --json FILE        write the results to FILE
  --node PATH        the Node.js that runs the JavaScript servers; this one by default
  --help             print this`;

/**
 * @typedef {object} Options
 * @property {readonly string[]} only parts of names; none for all subjects.
 * @property {readonly number[]} sizes
 * @property {readonly number[]} connections
 * @property {boolean} tls
 * @property {number} samples
 * @property {number} warmUp milliseconds.
 * @property {number} measure milliseconds.
 * @property {string | null} json
 * @property {string} node
 */

/**
 * Reads the arguments. Ends the process with status 2 after saying what is wrong with them.
 *
 * @param {readonly string[]} args
 * @returns {Options}
 */
export function readOptions(args) {
  const values = parse(args);
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const { quick } = values;
  return {
    only: values.only ?? [],
    sizes: readNumbers("--sizes", values.sizes ?? (quick ? "1024" : "1024,10240,102400")),
    connections: readNumbers("--connections", values.connections ?? (quick ? "10" : "10,500")),
    tls: !quick && !values["no-tls"],
    samples: readNumbers("--samples", values.samples ?? (quick ? "2" : "3"))[0],
    warmUp: quick ? 500 : 1000,
    measure: quick ? 1000 : 2000,
    json: values.json ?? null,
    node: values.node ?? process.execPath,
  };
}

function parse(args) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        quick: { type: "boolean", default: false },
        only: { type: "string", multiple: true },
        sizes: { type: "string" },
        connections: { type: "string" },
        "no-tls": { type: "boolean", default: false },
        samples: { type: "string" },
        json: { type: "string" },
        node: { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
    return values;
  } catch (error) {
    return refuse(error.message);
  }
}

function readNumbers(option, list) {
  const numbers = list.split(",").map(Number);
  if (!numbers.every((number) => Number.isInteger(number) && number > 0)) {
    refuse(`${option}: expected whole numbers above zero, received '${list}'`);
  }
  return numbers;
}

/** @returns {never} */
function refuse(what) {
  console.error(`${what}\n\n${USAGE}`);
  process.exit(2);
}
