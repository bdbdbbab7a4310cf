/**
 * Measures echo servers: asyncio-ts, plain `node:net`, CPython's asyncio, uvloop and Go.
 *
 * Each sample is a server process of its own, on one core, and a load generator on another. The samples are
 * interleaved, so that a slow minute of the machine falls on all subjects alike, and the median is what counts.
 *
 * @module
 */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { readOptions } from "./options.mjs";
import { BASELINE, buildLoad, canPin, findCertificate, findSubjects } from "./subjects.mjs";
import { drawTables } from "./table.mjs";

/** A load that was busy for more than this share of the time was perhaps what limited the server. */
const BUSY_SHARE = 0.95;

/**
 * What the samples of a subject say in one case.
 *
 * @typedef {object} Measurement
 * @property {string} subject
 * @property {number} size bytes of a message.
 * @property {number} connections
 * @property {boolean} tls
 * @property {number} value the median of the requests in a second.
 * @property {number} least
 * @property {number} most
 * @property {number} serverMicroseconds processor time of the server for each request; the median.
 * @property {number} loadShare how busy the load generator was; the most.
 */

const options = readOptions(process.argv.slice(2));
const load = buildLoad();
if (load === null) {
  console.error(
    "The benchmark needs a C compiler for its load generator: no 'cc' in the path (Debian: apt install gcc)",
  );
  process.exit(1);
}
const isPinned = canPin();
const { subjects, leftOut, versions } = findSubjects(options.node);
const certificate = options.tls ? findCertificate() : null;
const canTls = options.tls && load.speaksTls && certificate !== null;
console.log(`${versions.join(", ")}; ${options.samples} samples each of ${options.measure / 1000} s`);
for (const what of leftOut) console.error(`Left out: ${what}`);
if (!isPinned)
  console.error("No taskset, or only one core: the processes are not pinned, and the numbers compare worse");
if (options.tls && !load.speaksTls) console.error("Left out: TLS, for want of OpenSSL's headers (Debian: libssl-dev)");
if (options.tls && certificate === null) console.error("Left out: TLS, for want of the program openssl");

const isWanted = ({ name }) => name === BASELINE || options.only.some((part) => name.includes(part));
const wanted = options.only.length === 0 ? subjects : subjects.filter(isWanted);
const measurements = [];
for (const tls of canTls ? [false, true] : [false]) {
  for (const connections of options.connections) {
    for (const size of options.sizes) measurements.push(...(await measure({ tls, connections, size })));
  }
}
console.log(`\n${drawTables(measurements)}`);
const busy = measurements.filter(({ loadShare }) => loadShare > BUSY_SHARE);
if (busy.length > 0) {
  const names = [...new Set(busy.map(({ subject }) => subject))];
  console.log(`\nThe load generator was busy all the time, and these may be faster still: ${names.join("; ")}`);
}
if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(measurements, null, 2)}\n`);

/** @returns {Promise<Measurement[]>} */
async function measure(one) {
  const samples = new Map(wanted.map((subject) => [subject, []]));
  for (let i = 0; i < options.samples; i++) {
    for (const [subject, taken] of samples) {
      const result = await sample(subject, one);
      if (result !== null) taken.push(result);
    }
  }
  console.error(`  ${one.connections} connections, ${one.size} bytes${one.tls ? ", TLS" : ""}`);
  return [...samples].filter(([, taken]) => taken.length > 0).map(([subject, taken]) => summarize(subject, one, taken));
}

/** One server, and one load on it; `null` if that failed, which is said aloud. */
async function sample(subject, { tls, connections, size }) {
  const server = start([...subject.command, ...(tls ? certificate : [])]);
  try {
    const port = await portOf(server);
    const numbers = [port, server.pid, connections, size, options.warmUp, options.measure].map(String);
    const args = [load.program, ...numbers, tls ? "tls" : "plain"];
    const [command, ...rest] = isPinned ? ["taskset", "-c", "1", ...args] : args;
    const result = spawnSync(command, rest, { encoding: "utf8", timeout: 60_000 });
    if (result.status === 0) return JSON.parse(result.stdout);
    throw new Error(result.error?.message ?? result.stderr.trim());
  } catch (error) {
    console.error(`  ${subject.name} failed: ${error.message}`);
    return null;
  } finally {
    server.kill("SIGKILL");
  }
}

/** Debug mode, which the environment may switch on, is not what is measured; nor is what a server says at its end. */
function start(command) {
  const [program, ...args] = isPinned ? ["taskset", "-c", "0", ...command] : command;
  const env = { ...process.env, ASYNCIO_DEBUG: "", PYTHONASYNCIODEBUG: "" };
  return spawn(program, args, { env, stdio: ["ignore", "pipe", "ignore"] });
}

async function portOf(server) {
  const ended = once(server, "exit").then(() => {
    throw new Error("the server ended before it listened");
  });
  const [line] = await Promise.race([once(server.stdout, "data"), ended]);
  ended.catch(() => {});
  return Number.parseInt(String(line), 10);
}

/** @returns {Measurement} */
function summarize(subject, one, samples) {
  const values = samples.map(({ requestsPerSecond }) => requestsPerSecond);
  return {
    subject: subject.name,
    ...one,
    value: median(values),
    least: Math.min(...values),
    most: Math.max(...values),
    serverMicroseconds: median(samples.map(({ serverMicrosecondsPerRequest }) => serverMicrosecondsPerRequest)),
    loadShare: Math.max(...samples.map(({ loadShare }) => loadShare)),
  };
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}
