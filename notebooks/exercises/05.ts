/** Exercises of notebook 05, with their hidden answers. */
import pl from "nodejs-polars";
import { loadFigure2 } from "../../lib/data.ts";
import { published, quantizedLoss } from "../../lib/laws/mod.ts";
import type { Exercise } from "../../lib/notebook/mod.ts";

export const floor: Exercise = {
  id: "5.1",
  solution: () => (published.loss16.sizeScale / 1e9) ** published.loss16.sizeExponent,
  unit: "nats per token",
  hint: "Let $D_c / D$ go to zero.",
  explanation: String.raw`$(N_c / N)^{\alpha_N}$: the outer exponent cancels.`,
};

export const lowest: Exercise = {
  id: "5.2",
  solution() {
    const laws = {
      loss16: { law: "loss16", parameters: published.loss16 },
      qid: { law: "unified", parameters: published.unified },
    };
    const grid = Array.from({ length: 7001 }, (_, i) => 10 ** (9 + i / 1000));
    const losses = grid.map((tokens) => quantizedLoss({ size: 7e9, bits: 3, tokens }, laws));
    return grid[losses.indexOf(Math.min(...losses))]!;
  },
  tolerance: 0.1,
  unit: "tokens",
  hint: "`best(7e9, 3)` searches for it.",
  explanation: "There the fall of the 16-bit loss with $D$ just cancels the growth of QiD.",
};

export const stillFalling: Exercise = {
  id: "5.3",
  solution() {
    const rows = loadFigure2().filter(pl.col("size").gt(1e10).and(pl.col("bits").eq(3)));
    const lossAt = new Map(rows.toRecords().map((row) => [row.step, row.loss_quantized!]));
    return lossAt.get(98000)! < lossAt.get(86000)!;
  },
  hint: "Filter `points` for the size and the bit width, and look at its last rows.",
  explanation: "At 3 bits the largest model is still undertrained, in the sense of the paper.",
};
