import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // The native module of Polars does not load in vitest's thread and vm pools.
    pool: "forks",
    // Left to itself vitest runs one file at a time on two cores.
    maxWorkers: Math.max(2, navigator.hardwareConcurrency),
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
