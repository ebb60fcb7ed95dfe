import pl from "nodejs-polars";
import { describe, expect, it } from "vitest";
import { loadFigure2 } from "../../lib/data.ts";
import { compare, predict, published } from "../../lib/laws/mod.ts";

/** The unified law at the published constants, without noise, at three bit widths. */
const exact = pl.DataFrame(
  [8.5e7, 8.1e8, 2.5e9, 1.1e10].flatMap((size) =>
    [1e9, 1e10, 4e10, 1e11, 2e11].flatMap((tokens) =>
      [2, 3, 4].map((bits) => ({
        size,
        tokens,
        bits,
        qid: predict("unified", published.unified, { size, tokens, bits }),
      }))
    )
  ),
);

const heldOut = [
  "rmse_largest_size",
  "rmse_each_size",
  "rmse_late_checkpoints",
  "rmse_each_bit_width",
];

describe("compare", () => {
  const positive = loadFigure2().filter(pl.col("qid").gt(0));

  it("agrees with NumPy on the digitised Figure 2", () => {
    // numpy.linalg.lstsq of ln QiD on 1, ln D, -ln N and -ln P, on the rows with QiD > 0.
    const { table, splits } = compare(["unified"], positive, { space: "log" });
    const [row] = table.toRecords() as Record<string, number>[];
    const expected = {
      rows_fitted: 100,
      parameters: 4,
      aicc: -298.5945116937501,
      bic: -286.2069586361501,
      rmse: 0.32797092245020115,
      mae: 0.16186203124620785,
      rmse_log: 0.2130637104655256,
      rmse_largest_size: 0.39106947394065933,
      rmse_each_size: 0.3415424161713538,
      rmse_late_checkpoints: 0.5226200628784391,
    };
    for (const [name, value] of Object.entries(expected)) {
      expect(row![name]! / value, name).toBeCloseTo(1, 6);
    }
    expect(row!.rmse_each_bit_width).toBeNull();
    const late = splits.filter(pl.col("kind").eq(pl.lit("late checkpoints"))).toRecords()[0]!;
    expect(late).toMatchObject({
      law: "unified",
      rows_fitted: 70,
      rows_held_out: 30,
      rows_log: 30,
    });
    expect((late.mae as number) / 0.3323690820455893).toBeCloseTo(1, 6);
    expect((late.rmse_log as number) / 0.4033034099020452).toBeCloseTo(1, 6);
  });

  it("predicts held-out rows without error where the law is true, and not where it is wrong", () => {
    const { table, notes } = compare(["unified", "token", "per-bit-width"], exact);
    const [unified, token, perBitWidth] = table.toRecords() as Record<string, number | null>[];
    for (const name of heldOut) {
      expect(unified![name], name).toBeLessThan(1e-6);
      expect(token![name], name).toBeGreaterThan(0.1);
    }
    expect(unified!.aicc).toBeLessThan(token!.aicc!);
    expect(unified!.bic).toBeLessThan(perBitWidth!.bic!);
    expect(perBitWidth!.rmse_largest_size).toBeLessThan(1e-6);
    expect(perBitWidth!.rmse_each_bit_width).toBeNull();
    expect(notes).toEqual(
      [2, 3, 4].map((bits) =>
        `per-bit-width, bits ${bits} held out: it has no parameters for ${bits} bits without rows at them`
      ),
    );
  });

  it("says why a law has no number, and goes on", () => {
    const { table, splits, notes } = compare(["bits", "token"], exact.filter(pl.col("bits").eq(3)));
    const [bits, token] = table.toRecords() as Record<string, number | null>[];
    expect(bits).toMatchObject({ parameters: null, aicc: null, rmse: null, rmse_each_size: null });
    expect(token!.rmse).toBeGreaterThan(0);
    expect(notes[0]).toBe("No held-out bit widths: all rows have bits 3");
    expect(notes).toContainEqual(
      expect.stringContaining("bits, all rows: Cannot fit the bits law"),
    );
    // The largest size, four sizes and the late checkpoints, for each of the two laws.
    expect(splits.height).toBe(12);
  });

  it("gives no information criteria for the Huber loss", () => {
    const { table, notes } = compare(["unified"], positive, { loss: "huber" });
    expect(table.toRecords()[0]).toMatchObject({ aicc: null, bic: null });
    expect(notes).toContain('AICc and BIC need the loss "squares"');
  });

  it("is the same from run to run, and shows itself", () => {
    const [first, second] = [0, 1].map(() => compare(["unified", "precision"], positive));
    expect(first!.table.toRecords()).toEqual(second!.table.toRecords());
    expect(String(first)).toBe(String(second));
    expect(String(first)).toContain("rmse_late_checkpoints");
  });

  it("rejects what it cannot compare", () => {
    expect(() => compare([], exact)).toThrow("Cannot compare laws: needs at least 1 law: got none");
    expect(() => compare(["unified", "loss16"], exact)).toThrow(
      "Cannot compare laws of qid and loss16: all must predict one of them: got unified (qid), loss16 (loss16)",
    );
    expect(() => compare(["unified"], exact.drop("tokens"))).toThrow('no column "tokens"');
    expect(() => compare(["unified"], loadFigure2(), { space: "log" })).toThrow(
      "qid is not positive in 1 row",
    );
  });
});
