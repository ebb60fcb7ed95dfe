// Every family is quantized map by map, by methods of each kind.
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openWeights } from "../../lib/checkpoint/mod.ts";
import { loadKernel } from "../../lib/compute/mod.ts";
import { baseLosses, compareLosses, evaluateQuantized } from "../../lib/measure/mod.ts";
import { inferLosses, openModel } from "../../lib/model/mod.ts";
import { loadFixture, withTargets } from "../model/fixtures.ts";

const kernel = loadKernel();

function open(name: string) {
  const folder = fileURLToPath(new URL(`../model/fixtures/${name}`, import.meta.url));
  const { config, ids } = loadFixture(name);
  const source = openWeights(folder);
  const test = { tokens: withTargets(ids), length: 40 };
  return { model: { config, source }, source, test };
}

describe.each(["llama", "llama3_rope", "mistral", "qwen2", "olmo2"])("%s", (name) => {
  it("loses little at 8 bits and more at 2, in all seven maps of a block", async () => {
    const { model, source, test } = open(name);
    using _ = source;
    const base = await baseLosses(kernel, model, test);
    const lossOf = async (method: string) => {
      const options = { kernel, test, calibration: test };
      const { losses, layers, report } = await evaluateQuantized(model, method, options);
      expect(layers).toHaveLength(7 * model.config.layers);
      expect(new Set(layers.map(({ name }) => name)).size).toBe(layers.length);
      for (const { name } of layers) expect(source.names).toContain(name);
      return { report, change: Math.abs(compareLosses(base, losses).qid) };
    };
    for (const method of ["rtn", "gptq"]) {
      const [two, eight] = [
        await lossOf(`${method}:bits=2,group=32`),
        await lossOf(`${method}:bits=8,group=32`),
      ];
      expect(eight.report.sqnr).toBeGreaterThan(two.report.sqnr + 25);
      expect(eight.change).toBeLessThan(0.01);
    }
    if (name === "olmo2") {
      await expect(lossOf("awq:bits=4,group=32")).rejects.toThrow(
        "Cannot quantize a olmo2 model with awq",
      );
    } else expect((await lossOf("awq:bits=4,group=32")).change).toBeLessThan(0.2);
  });

  it("takes the loss on the last positions alone", async () => {
    const { model, source, test } = open(name);
    using _ = source;
    const inference = openModel(kernel, model);
    const [all, half] = await Promise.all(
      [40, 20].map((counted) => inferLosses(inference, test.tokens, { length: 40, counted })),
    );
    // The first half alone is the loss of shorter sequences: together they are the whole.
    const first = Int32Array.from([
      ...test.tokens.subarray(0, 21),
      ...test.tokens.subarray(41, 62),
    ]);
    const before = await inferLosses(inference, first, { length: 20 });
    all!.forEach((loss, row) => expect((before[row]! + half![row]!) / 2).toBeCloseTo(loss, 5));
  });
});
