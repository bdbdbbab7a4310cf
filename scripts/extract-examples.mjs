/**
 * Writes every TypeScript example of the doc comments and the documentation to `test/.generated/`, where the compiler
 * checks it and `test/system/examples/docs.test.ts` runs it. An example that imports nothing gets `asyncio`, `assert`, and what it
 * uses of the further entry points.
 *
 * @module
 */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./setup.mjs";

const target = join(root, "test", ".generated");

const HEADER = `import assert from "node:assert/strict";
import * as asyncio from "asyncio-ts";
void [assert, asyncio];
`;

/** The further entry points, with what each exports. */
const ENTRY_POINTS = ["structured", "testing"].map((entry) => ({
  from: `asyncio-ts/${entry}`,
  names: [...readFileSync(join(root, "src", entry, "index.ts"), "utf8").matchAll(/^export (type )?\{([^}]*)\}/gm)]
    .flatMap(([, type = "", names]) => names.split(",").map((name) => `${type}${name.trim()}`))
    .filter((name) => /\w$/.test(name) && name !== "type "),
}));

/** The imports of an example that has none of its own. */
function headerFor(code) {
  const imports = ENTRY_POINTS.map(({ from, names }) => {
    const used = names.filter((name) => new RegExp(`\\b${name.replace("type ", "")}\\b`).test(code));
    return used.length === 0 ? "" : `import { ${used.join(", ")} } from "${from}";\n`;
  });
  return HEADER + imports.join("");
}

/** The `ts` blocks of `text` with the number of their first line. Blocks marked `ts no-run` are left out. */
function* blocks(text) {
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const open = /^(\s*\*? ?)```ts$/.exec(lines[i]);
    if (open === null) continue;
    const code = [];
    const first = i + 2;
    while (!/^\s*\*? ?```$/.test(lines[++i])) code.push(lines[i].replace(/^\s*\* ?/, ""));
    yield { first, code: code.join("\n") };
  }
}

function walk(folder, ending) {
  const found = [];
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) found.push(...walk(path, ending));
    else if (entry.name.endsWith(ending)) found.push(path);
  }
  return found;
}

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
const sources = [...walk("src", ".ts"), ...walk("docs", ".md"), "README.md"];
for (const source of sources) {
  for (const { first, code } of blocks(readFileSync(join(root, source), "utf8"))) {
    const name = `${source.replaceAll("/", "-").replace(/\.\w+$/, "")}-line-${first}.ts`;
    const header = /^import /m.test(code) ? "" : headerFor(code);
    writeFileSync(join(target, name), `// ${source}:${first}\n${header}${code}\nexport {};\n`);
  }
}
