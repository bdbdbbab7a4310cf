/**
 * `npm test`: everything that must hold. Builds, checks types, lints, checks the format, runs every test, and ends with
 * a line `N passed, N failed`, in which each check counts as one.
 *
 * @module
 */

import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ensureInstalled, may, root, tool } from "./setup.mjs";

ensureInstalled();

const report = join(root, "node_modules", ".cache", "asyncio-ts-tests.json");
rmSync(report, { force: true });

let passed = 0;
let failed = 0;

function check(name, command, args) {
  const start = Date.now();
  const ok = may(command, args) === 0;
  console.log(`${ok ? "ok    " : "FAILED"} ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  if (ok) passed++;
  else failed++;
}

check("build", tool("tsc"), ["-b"]);
check("examples extracted", process.execPath, ["scripts/extract-examples.mjs"]);
check("types", tool("tsc"), ["-p", "tsconfig.test.json"]);
check("lint", tool("oxlint"), ["--type-aware", "--deny-warnings"]);
check("format", tool("oxfmt"), ["--check", "."]);

may(tool("vitest"), ["run", "--reporter=dot", "--reporter=json", `--outputFile=${report}`, ...process.argv.slice(2)]);
if (existsSync(report)) {
  const results = JSON.parse(readFileSync(report, "utf8"));
  passed += results.numPassedTests;
  failed += results.numFailedTests + (results.success || results.numFailedTests > 0 ? 0 : 1);
} else {
  failed++;
}

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
