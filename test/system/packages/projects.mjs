/**
 * Projects of users: what they are made of, the commands that build and run them, and what they must print.
 *
 * A project is a folder beside the others, below the one in which the packed library and all tools are installed. A command
 * is a list of words: `node` is this Node.js, other first words are programs of the tools.
 *
 * @module
 */

import {
  BROWSER,
  BROWSER_PRINTS,
  COPIES,
  COPIES_PRINT,
  COPIES_STRAY,
  COPY,
  CORE_TYPES,
  EXECUTORS,
  EXECUTORS_PRINT,
  EXECUTORS_WORK,
  NODE,
  NODE_PRINTS,
  QUEUE,
  QUEUE_PRINTS,
  QUEUE_TYPES,
  tests,
  TYPES,
} from "./programs.mjs";

/** What is installed beside the library, once, with what wants each. */
export const TOOLS = {
  "@babel/preset-env": "8.0.7",
  "@rollup/plugin-node-resolve": "16.0.3",
  "@types/node": "20.19.43",
  bullmq: "6.7.0",
  bun: "1.4.5",
  esbuild: "0.28.2",
  ioredis: "6.0.0",
  jest: "30.5.2",
  "jest-environment-jsdom": "30.5.2",
  mocha: "11.7.5",
  rollup: "4.68.8",
  typescript: "7.0.2",
  "typescript-5": "npm:typescript@5.9.3",
  vite: "7.3.1",
  vitest: "4.1.12",
  webpack: "5.113.0",
  "webpack-cli": "7.3.1",
};

const bundled = (run) => ({ files: { "app.mjs": NODE }, run, prints: NODE_PRINTS });
const inBrowser = (run) => ({ files: { "app.mjs": BROWSER }, run, prints: BROWSER_PRINTS });
const out = ["node", "out.mjs"];

const webpack = (target, minimize) => ({
  "webpack.config.mjs": `export default {
    entry: "./app.mjs", mode: "production", target: "${target}", optimization: { minimize: ${minimize} },
    experiments: { outputModule: true },
    output: { path: import.meta.dirname, filename: "out.mjs", module: true, chunkFormat: "module", library: { type: "module" } },
  };`,
});

const vite = (ssr, minify) => ({
  "vite.config.mjs": `export default {
    logLevel: "error", ssr: { noExternal: true },
    build: {
      ${ssr ? `ssr: "app.mjs",` : `lib: { entry: "app.mjs", formats: ["es"], fileName: () => "out.mjs" },`}
      minify: ${minify}, outDir: ".", emptyOutDir: false, rollupOptions: { output: { entryFileNames: "out.mjs" } },
    },
  };`,
});

const compiled = (options, source = TYPES) => ({
  files: {
    "app.ts": source,
    "package.json": JSON.stringify({ type: "module" }),
    "tsconfig.json": JSON.stringify({
      compilerOptions: {
        target: "es2022",
        lib: ["es2023", "dom"],
        types: ["node"],
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        skipLibCheck: false,
        noEmit: true,
        ...options,
      },
      files: ["app.ts"],
    }),
  },
});

const nodenext = { module: "nodenext" };
const bundler = { module: "esnext", moduleResolution: "bundler" };
const preserve = { module: "preserve" };
const inCore = { ...bundler, types: [], lib: ["es2023", "dom"] };
const tsc5 = [["node", "../node_modules/typescript-5/bin/tsc", "-p", "."]];
const tsc7 = [["tsc", "-p", "."]];

const jest = (environment, more = {}) => ({ testEnvironment: environment, ...more });
const jestCommonJs = {
  transformIgnorePatterns: [],
  transform: { "\\.[mc]?js$": ["babel-jest", { presets: [["@babel/preset-env", { targets: { node: "20" } }]] }] },
};

/** @type {Record<string, { files: Record<string, string>, run: string[][], prints?: string, isQuick?: boolean }>} */
export const PROJECTS = {
  "node: named imports": { ...bundled([["node", "app.mjs"]]), isQuick: true },
  "node: require()": {
    files: { "app.cjs": NODE.replaceAll(/import (\{[^}]*\}) from ("asyncio-ts");/g, "const $1 = require($2);") },
    run: [["node", "--no-warnings", "app.cjs"]],
    prints: NODE_PRINTS,
    isQuick: true,
  },
  "node: --frozen-intrinsics": {
    ...bundled([["node", "--no-warnings", "--frozen-intrinsics", "app.mjs"]]),
    isQuick: true,
  },
  "node: executors": {
    files: { "app.mjs": EXECUTORS, "work.mjs": EXECUTORS_WORK },
    run: [["node", "app.mjs"]],
    prints: EXECUTORS_PRINT,
    isQuick: true,
  },
  "esbuild, around executors": {
    files: { "app.mjs": EXECUTORS, "work.mjs": EXECUTORS_WORK },
    run: [
      [
        "esbuild",
        "app.mjs",
        "--bundle",
        "--external:asyncio-ts",
        "--platform=node",
        "--format=esm",
        "--outfile=out.mjs",
        "--log-level=error",
      ],
      out,
    ],
    prints: EXECUTORS_PRINT,
    isQuick: true,
  },
  "npx asyncio-ts": {
    files: {},
    run: [["asyncio-ts", "--help"]],
    isQuick: true,
  },
  "node: a queue of machines": {
    files: { "app.mjs": QUEUE },
    run: [["node", "app.mjs"]],
    prints: QUEUE_PRINTS,
    isQuick: true,
  },
  "node: two copies": {
    files: { "app.mjs": COPIES },
    run: [
      ["node", "-e", COPY],
      ["node", "app.mjs"],
    ],
    prints: COPIES_PRINT,
    isQuick: true,
  },
  "node: two copies, a stray rejection": {
    files: { "app.mjs": COPIES_STRAY },
    run: [
      ["node", "-e", COPY],
      ["node", "app.mjs"],
    ],
    prints: "uncaught stray",
    isQuick: true,
  },
  "node: --test": {
    files: { "app.test.mjs": `import test from "node:test";\n${tests("test")}` },
    run: [["node", "--test", "app.test.mjs"]],
    isQuick: true,
  },
  esbuild: bundled([
    ["esbuild", "app.mjs", "--bundle", "--platform=node", "--format=esm", "--outfile=out.mjs", "--log-level=error"],
    out,
  ]),
  "esbuild, minified": {
    ...bundled([
      [
        "esbuild",
        "app.mjs",
        "--bundle",
        "--minify",
        "--platform=node",
        "--format=esm",
        "--outfile=out.mjs",
        "--log-level=error",
      ],
      out,
    ]),
    isQuick: true,
  },
  "esbuild, for browsers, minified": {
    ...inBrowser([
      ["esbuild", "app.mjs", "--bundle", "--minify", "--format=esm", "--outfile=out.mjs", "--log-level=error"],
      out,
    ]),
    isQuick: true,
  },
  rollup: bundled([
    ["rollup", "app.mjs", "-p", "node-resolve={exportConditions:['node']}", "-f", "es", "-o", "out.mjs", "--silent"],
    out,
  ]),
  "rollup, for browsers": inBrowser([
    ["rollup", "app.mjs", "-p", "node-resolve={browser:true}", "-f", "es", "-o", "out.mjs", "--silent"],
    out,
  ]),
  webpack: project(bundled([["webpack-cli"], out]), webpack("node20", false)),
  "webpack, minified": { ...project(bundled([["webpack-cli"], out]), webpack("node20", true)), isQuick: true },
  "webpack, for browsers, minified": project(inBrowser([["webpack-cli"], out]), webpack("web", true)),
  "vite, ssr": project(bundled([["vite", "build"], out]), vite(true, false)),
  "vite, ssr, minified": project(bundled([["vite", "build"], out]), vite(true, true)),
  "vite, for browsers": project(inBrowser([["vite", "build"], out]), vite(false, true)),
  "bun build": bundled([["bun", "build", "app.mjs", "--target=node", "--outfile=out.mjs"], out]),
  "bun build, minified": bundled([["bun", "build", "app.mjs", "--minify", "--target=node", "--outfile=out.mjs"], out]),
  "bun build, for browsers": inBrowser([
    ["bun", "build", "app.mjs", "--minify", "--target=browser", "--outfile=out.mjs"],
    out,
  ]),
  "tsc 5.9, nodenext": { ...compiled(nodenext), run: tsc5, isQuick: true },
  "tsc 5.9, bundler": { ...compiled(bundler), run: tsc5, isQuick: true },
  "tsc 7, nodenext": { ...compiled(nodenext), run: tsc7, isQuick: true },
  "tsc 7, bundler": { ...compiled(bundler), run: tsc7, isQuick: true },
  "tsc 5.9, a queue of machines": { ...compiled(nodenext, QUEUE_TYPES), run: tsc5 },
  "tsc 7, a queue of machines": { ...compiled(nodenext, QUEUE_TYPES), run: tsc7, isQuick: true },
  "tsc 7, preserve": { ...compiled(preserve), run: tsc7 },
  "tsc 7, esnext.disposable": { ...compiled({ ...nodenext, lib: ["es2023", "esnext.disposable", "dom"] }), run: tsc7 },
  "tsc 5.9, without Node's types": { ...compiled(inCore, CORE_TYPES), run: tsc5 },
  "tsc 7, without Node's types": { ...compiled(inCore, CORE_TYPES), run: tsc7, isQuick: true },
  "Jest, modules": {
    files: {
      "app.test.mjs": tests("test"),
      "jest.config.json": json(jest("node", { testMatch: ["**/*.mjs"] })),
    },
    run: [["node", "--no-warnings", "--experimental-vm-modules", "../node_modules/jest/bin/jest.js"]],
    isQuick: true,
  },
  "Jest, modules, jsdom": {
    files: {
      "app.test.mjs": tests("test"),
      "jest.config.json": json(jest("jsdom", { testMatch: ["**/*.mjs"] })),
    },
    run: [["node", "--no-warnings", "--experimental-vm-modules", "../node_modules/jest/bin/jest.js"]],
  },
  "Jest, CommonJS by Babel": {
    files: {
      "app.test.js": tests("test"),
      "jest.config.json": json(jest("node", jestCommonJs)),
    },
    run: [["node", "../node_modules/jest/bin/jest.js"]],
    isQuick: true,
  },
  "Jest, CommonJS by Babel, jsdom": {
    files: {
      "app.test.js": tests("test"),
      "jest.config.json": json(jest("jsdom", jestCommonJs)),
    },
    run: [["node", "../node_modules/jest/bin/jest.js"]],
  },
  Mocha: { files: { "app.test.mjs": tests("it") }, run: [["mocha", "app.test.mjs"]] },
  Vitest: {
    files: { "app.test.mjs": `import { test } from "vitest";\n${tests("test")}` },
    run: [["vitest", "run", "--root", "."]],
  },
};

function project(base, files) {
  return { ...base, files: { ...base.files, ...files } };
}

function json(value) {
  return JSON.stringify(value);
}
