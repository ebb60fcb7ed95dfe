import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // The native modules (Polars, ZeroMQ) do not load in vitest's thread and vm pools.
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
