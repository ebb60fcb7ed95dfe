import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { quantize } from "../../lib/quantize/mod.ts";
import { type LayerShape, makeLayer } from "./reference.ts";

interface Vector {
  layer: LayerShape;
  spec: string;
  /** Rows of codes, two hexadecimal digits each. */
  codes: string[];
  mse: number;
  /** trace(E H E^T). */
  trace?: number;
  /** AWQ: the exponent, and the output errors of all exponents. */
  ratio?: number;
  losses?: number[];
  /** HQQ: solver steps. */
  steps?: number;
}

const { vectors } = JSON.parse(
  readFileSync(new URL("./vectors/methods.json", import.meta.url), "utf8"),
) as { vectors: Vector[] };

describe("methods against PyTorch (vectors/make.py)", () => {
  it.each(vectors)("$spec, seed $layer.seed", (vector) => {
    const { weights, activations } = makeLayer(vector.layer);
    const result = quantize(weights, `${vector.spec},scales=f32`, { activations });
    const codes = Array.from(result.codes, (code) => code.toString(16).padStart(2, "0")).join("");
    expect(codes).toBe(vector.codes.join(""));
    expect(result.error.mse / vector.mse).toBeCloseTo(1, 5);
    if (vector.trace) expect(result.error.hessian! / vector.trace).toBeCloseTo(1, 5);
    if (vector.steps) expect(result.report.steps).toBe(vector.steps);
    if (vector.ratio) expect(result.report.ratio).toBe(vector.ratio);
  });
});
