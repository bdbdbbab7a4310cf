import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { asyncTwins } from "./test/conformance/traces/async-twins.ts";

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^asyncio-ts$/, replacement: source("node/index.ts") },
      { find: /^asyncio-ts\/structured$/, replacement: source("structured/index.ts") },
      { find: /^asyncio-ts\/bullmq$/, replacement: source("bullmq/index.ts") },
      { find: /^asyncio-ts\/testing$/, replacement: source("testing/index.ts") },
    ],
  },
  test: {
    // No test is measured by its time: the limit only ends what hangs, however busy the machine is.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Vitest keeps a core for itself otherwise, and half of the time goes by.
    maxWorkers: availableParallelism(),
    // Some tests ask the garbage collector what the library keeps alive.
    execArgv: ["--expose-gc"],
    provide: { syntax: "generators" },
    projects: [
      { extends: true, test: { name: "asyncio-ts", include: ["test/**/*.test.ts"] } },
      {
        extends: true,
        plugins: [asyncTwins()],
        test: {
          name: "async twins",
          include: ["test/conformance/traces/*.test.ts"],
          exclude: ["**/recorded.test.ts"],
          provide: { syntax: "async functions" },
          typecheck: { enabled: false },
        },
      },
    ],
    typecheck: { enabled: true, include: ["test/unit/types/**/*.test-d.ts"], tsconfig: "tsconfig.test.json" },
    coverage: {
      provider: "v8",
      include: ["src/core/**"],
      reporter: ["text"],
      thresholds: { branches: 95 },
    },
  },
});
