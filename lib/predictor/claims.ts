/** The second paper's claims, as far as they are known, held against what is measured here. */
import { mean, median } from "simple-statistics";
import { featureForests, paperForest, predictors } from "./predictors.ts";
import { gptqGains } from "./gains.ts";
import type { HeldOutRow } from "./hold_out.ts";
import { landscapes, type PredictorRow } from "./rows.ts";
import { type Scores, scoresOf } from "./score.ts";

/** A claim with what was found. */
export interface Claim {
  readonly claim: string;
  /** In words and numbers. */
  readonly found: string;
  /** By the rule that `found` names. */
  readonly holds: boolean;
}

/** What the claims are held against. */
export interface Evidence {
  readonly checkpoints: ReturnType<typeof landscapes>;
  readonly rows: readonly PredictorRow[];
  /** Predictions of sizes held out. */
  readonly predictions: readonly HeldOutRow[];
}

/** The scores of one predictor's held-out predictions. */
export function heldOutScores(rows: readonly HeldOutRow[], resamples?: number): Scores {
  return scoresOf(
    rows.map(({ row, predicted }) => ({
      cluster: `${row.model} ${row.revision}`,
      loss16: row.loss16,
      lossQuantized: row.lossQuantized,
      predicted,
    })),
    { resamples },
  );
}

/**
 * The claims of Xu et al. (2024) that summaries of the paper report, each with the numbers found here and whether it holds
 * by a rule that is said. The body of the paper was not at hand.
 */
export function claims({ checkpoints, rows, predictions }: Evidence): Claim[] {
  const scores = (name: string) =>
    heldOutScores(predictions.filter(({ predictor }) => predictor === name));
  const has = (name: string) => predictions.some(({ predictor }) => predictor === name);
  return [
    stepLike(checkpoints),
    flatter(checkpoints),
    nonMonotonic(rows),
    beatsAll(scores, predictors.map(({ name }) => name).filter(has)),
    worth("The landscape adds to what format and noise tell", {
      ...{ scores, without: featureForests[1]!.name, with: featureForests[0]!.name },
    }),
    worth("The token count, which the paper leaves out, would add to its features", {
      ...{ scores, without: featureForests[0]!.name, with: featureForests[3]!.name },
    }),
  ];
}

/** The exponent of the rise in the radius: 2 for a parabola, more for a step. */
export function riseExponent(
  { noiseLevels, rises }: { noiseLevels: readonly number[]; rises: readonly number[] },
): number {
  const used = rises.flatMap((rise, i) => rise > 0 ? [[noiseLevels[i]!, rise] as const] : []);
  const [from, to] = [used[0]!, used.at(-1)!];
  return Math.log(to[1] / from[1]) / ((from[0] - to[0]) / 20 * Math.LN10);
}

function stepLike(checkpoints: Evidence["checkpoints"]): Claim {
  const exponent = median(checkpoints.map(({ landscape }) => riseExponent(landscape)));
  return {
    claim: "The radial profile is flat, and then rises sharply, like a step",
    found:
      `The rise goes as the radius to the power of ${
        exponent.toFixed(2)
      } (median over checkpoints); ` +
      "a parabola has 2, and 3 would count as a step",
    holds: exponent >= 3,
  };
}

function flatter(checkpoints: Evidence["checkpoints"]): Claim {
  const pairs = checkpoints.flatMap((small) =>
    checkpoints.filter((large) => large.tokens === small.tokens && large.size > small.size)
      .map((large) => large.landscape.firstStep < small.landscape.firstStep)
  );
  const yes = pairs.filter((flat) => flat).length;
  return {
    claim: "Larger models are flatter",
    found:
      `In ${yes} of ${pairs.length} pairs of sizes at one token count the larger one stands more noise before its ` +
      "loss rises by 0.05; nine in ten would do",
    holds: yes >= 0.9 * pairs.length,
  };
}

function nonMonotonic(rows: readonly PredictorRow[]): Claim {
  const gains = gptqGains(rows).filter(({ rtn }) =>
    rtn.title.startsWith("MXINT") && rtn.block === 128
  );
  const shares = [2, 3, 4, 6].map((bits) => {
    const own = gains.filter(({ rtn }) => rtn.elementBits === bits).map(({ share }) => share);
    return own.length === 0 ? NaN : mean(own);
  });
  const [two, three, four, six] = shares as [number, number, number, number];
  const percent = (share: number) => Number.isNaN(share) ? "none" : (100 * share).toFixed(0);
  return {
    claim: "GPTQ helps much at 3 bits (MXINT, blocks of 128), and little at 2, 4 and 6",
    found:
      `It takes away ${percent(two)}, ${percent(three)}, ${percent(four)} and ${
        percent(six)
      } % of QiD ` +
      "at 2, 3, 4 and 6 bits; twice as much at 3 as at the others would do",
    holds: three >= 2 * Math.max(two, four, Number.isNaN(six) ? 0 : six),
  };
}

function beatsAll(scores: (name: string) => Scores, names: readonly string[]): Claim {
  const { rSquared, mae } = scores(paperForest.name);
  const others = names.filter((name) => name !== paperForest.name)
    .map((name) => ({ name, mae: scores(name).mae.value }));
  const best = others.reduce((a, b) => b.mae < a.mae ? b : a);
  return {
    claim: "A random forest predicts the loss after quantization of models it never saw",
    found:
      `R squared ${rSquared.value.toFixed(2)} (${rSquared.lower.toFixed(2)} to ${
        rSquared.upper.toFixed(2)
      }), off by ${mae.value.toFixed(3)} nats; the best of the others, "${best.name}", by ${
        best.mae.toFixed(3)
      }; ` +
      "it must be the best",
    holds: mae.value <= best.mae,
  };
}

function worth(
  claim: string,
  { scores, without, with: added }: {
    scores: (name: string) => Scores;
    without: string;
    with: string;
  },
): Claim {
  const [before, after] = [scores(without).mae.value, scores(added).mae.value];
  return {
    claim,
    found:
      `The forest of QiD is off by ${before.toFixed(3)} nats without and ${
        after.toFixed(3)
      } with; ` +
      "a tenth less would do",
    holds: after <= 0.9 * before,
  };
}
