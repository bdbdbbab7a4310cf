/** The subjects: echo servers, and what each needs to run. Those whose program is not there are left out. @module */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const servers = fileURLToPath(new URL("servers", import.meta.url));
const pythonProgram = join(servers, "python.py");

/** What is compiled lies here, and the key and certificate for TLS. */
export const cache = fileURLToPath(new URL("../../node_modules/.cache/bench-network", import.meta.url));
mkdirSync(cache, { recursive: true });

/** What the others are compared with. */
export const BASELINE = "node:net";

/**
 * An echo server.
 *
 * @typedef {object} Subject
 * @property {string} name
 * @property {readonly string[]} command prints the port; takes the paths of key and certificate as last arguments.
 */

/**
 * The subjects that can run here, in the order of the table's rows, and what was left out and why.
 *
 * @param {string} node the Node.js that runs the JavaScript servers.
 * @returns {{ subjects: Subject[]; leftOut: string[]; versions: string[] }}
 */
export function findSubjects(node) {
  const subjects = [
    script(node, "asyncio-ts streams", "asyncio-ts-streams.mjs"),
    script(node, "asyncio-ts streams, generators", "asyncio-ts-streams-generators.mjs"),
    script(node, "asyncio-ts Protocol", "asyncio-ts-protocol.mjs"),
    script(node, "asyncio-ts BufferedProtocol", "asyncio-ts-buffered.mjs"),
    script(node, BASELINE, "node-net.mjs"),
    script(node, "node:net pipe", "node-net-pipe.mjs"),
  ];
  const leftOut = [];
  const versions = [`Node.js ${firstLine([node, "--version"])}`];
  const pythons = ["python3", "/usr/bin/python3", "/usr/bin/python3.11"];
  for (const [loop, title] of [
    ["asyncio", "CPython"],
    ["uvloop", "uvloop"],
  ]) {
    const code = `import ${loop}, ssl, platform; print(platform.python_version(), getattr(${loop}, "__version__", ""))`;
    const python = pythons.find((candidate) => firstLine([candidate, "-c", code]) !== null);
    if (python === undefined) {
      leftOut.push(`${title}: no python3 that can import ${loop}`);
      continue;
    }
    versions.push(`${title} ${firstLine([python, "-c", code]).trim().split(" ").toReversed().join(" on CPython ")}`);
    for (const [kind, words] of [
      ["streams", "streams"],
      ["protocol", "Protocol"],
      ["buffered", "BufferedProtocol"],
    ]) {
      subjects.push({ name: `${title} ${words}`, command: [python, "-B", pythonProgram, loop, kind] });
    }
  }
  const go = buildGo();
  if (go === null) leftOut.push("Go: no compiler, or it failed");
  else {
    versions.push(firstLine(["go", "version"]).replace(/^go version go(\S+).*/, "Go $1"));
    subjects.push({ name: "Go", command: [go] });
  }
  return { subjects, leftOut, versions };
}

/** @returns {Subject} */
function script(node, name, file) {
  return { name, command: [node, join(servers, file)] };
}

function buildGo() {
  const program = join(cache, "go-echo");
  const result = spawnSync("go", ["build", "-o", program, join(servers, "go", "main.go")], { encoding: "utf8" });
  if (result.error === undefined && result.status !== 0) console.error(result.stderr);
  return result.status === 0 ? program : null;
}

/**
 * The load generator, compiled, and whether it speaks TLS; `null` if there is no compiler.
 *
 * @returns {{ program: string; speaksTls: boolean } | null}
 */
export function buildLoad() {
  const source = fileURLToPath(new URL("load.c", import.meta.url));
  const program = join(cache, "load");
  const compile = (...args) => spawnSync("cc", ["-O2", "-o", program, source, ...args], { encoding: "utf8" });
  if (compile("-DWITH_TLS", "-lssl", "-lcrypto").status === 0) return { program, speaksTls: true };
  const plain = compile();
  if (plain.status === 0) return { program, speaksTls: false };
  if (plain.error === undefined) console.error(plain.stderr);
  return null;
}

/**
 * A key and a certificate that signs itself, made once; `null` without the program `openssl`.
 *
 * @returns {readonly string[] | null} their paths.
 */
export function findCertificate() {
  const key = join(cache, "key.pem");
  const cert = join(cache, "cert.pem");
  if (existsSync(key) && existsSync(cert)) return [key, cert];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650"];
  const args = ["req", "-x509", ...kind, "-subj", "/CN=localhost", "-keyout", key, "-out", cert];
  return spawnSync("openssl", args).status === 0 ? [key, cert] : null;
}

/** What a command prints first, or `null` if it fails. */
function firstLine([command, ...args]) {
  const result = spawnSync(command, args, { encoding: "utf8" });
  return result.status === 0 ? result.stdout.split("\n")[0] : null;
}

/** Whether processes can be pinned: the server to one core and the load to another. */
export function canPin() {
  return spawnSync("taskset", ["-c", "1", "true"]).status === 0;
}
