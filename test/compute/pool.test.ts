import { describe, expect, it } from "vitest";
import { loadKernel, mapPool, PoolError } from "../../lib/compute/mod.ts";
import { normals } from "./reference.ts";

const task = (name: string) => new URL(`./tasks/${name}.ts`, import.meta.url);

describe("mapPool", () => {
  it.each([1, 2, 5])("keeps the order of the items: %i workers", async (workers) => {
    const items = [0, 1, 2, 3, 4, 5, 6, 7];
    const results = await mapPool(items, task("square"), { workers, context: { offset: 100 } });
    expect(results).toEqual(items.map((item) => item * item + 100));
  });

  it("has nothing to do for no items", async () => {
    expect(await mapPool([], task("square"))).toEqual([]);
  });

  it("rounds layers side by side, copying values and no memory around them", async () => {
    const kernel = loadKernel();
    const layers = [1, 2, 3].map((seed) => {
      const weights = kernel.float32(100 * seed);
      weights.set(normals(seed, weights.length));
      return { weights };
    });
    type Result = { output: Float32Array; bytes: number };
    const results = await mapPool<Result>(layers, task("round_layer"), { workers: 2 });
    results.forEach(({ output, bytes }, at) => {
      const values = layers[at]!.weights;
      const expected = new Float32Array(values.length);
      const scale = Float32Array.of(0.25);
      kernel.round({ values, width: values.length, grid: { maxq: 7 }, scale, output: expected });
      expect(output).toEqual(expected);
      expect([bytes, output.buffer.byteLength]).toEqual([values.byteLength, values.byteLength]);
    });
  });

  it("stops at the first failure and says which item it was", async () => {
    const items = [{ name: "quick" }, { name: "slow" }, { name: "bad" }];
    const error = await mapPool(items, task("fail"), { workers: 2 }).catch((error) => error);
    expect(error).toBeInstanceOf(PoolError);
    expect(error).toMatchObject({
      message: "Item 2 failed: no such layer",
      index: 2,
      item: { name: "bad" },
      cause: { name: "RangeError", message: "no such layer" },
    });
    expect(error.cause.stack).toContain("tasks/fail.ts");
  });

  it("also reports what is thrown outside the call", async () => {
    const error = await mapPool([{ name: "late" }], task("fail")).catch((error) => error);
    expect(error).toBeInstanceOf(PoolError);
    expect(error.message).toContain("thrown outside the call");
  });

  it("reports a module that is not there, or that exports no task", async () => {
    await expect(mapPool([1], task("missing"))).rejects.toThrow(/Item 0 failed: .*missing/);
    const empty = "data:text/javascript,export const x = 1";
    await expect(mapPool([1], empty)).rejects.toThrow("its default export must be a function");
  });

  it("can be cancelled, before and during the work", async () => {
    const controller = new AbortController();
    const running = mapPool([{ name: "slow" }], task("fail"), { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 50);
    await expect(running).rejects.toThrow("enough");
    await expect(mapPool([], task("fail"), { signal: controller.signal })).rejects.toThrow(
      "enough",
    );
  });

  it.each([0, -1, 1.5, NaN])("refuses %s workers", async (workers) => {
    await expect(mapPool([1], task("square"), { workers })).rejects.toThrow(
      `Cannot start a pool: workers must be a whole number of at least 1: got ${workers}`,
    );
  });
});
