/** Claim by claim of Ouyang et al. (2024): what the paper says, and what the miniature suite shows. */
import pl, { type DataFrame } from "nodejs-polars";
import { fit, type FittedLaw, predict, published } from "../../laws/mod.ts";
import { loadSuiteQid } from "../../suite_tables.ts";
import { curvesLaw } from "../curves_law.ts";
import { distinct } from "../pythia.ts";
import { bitnetContrasts, bitnetRuns, lossGap } from "./bitnet_curves.ts";
import { movements } from "./movement.ts";
import { foretold } from "./prediction.ts";
import { scheduleLaws } from "./schedule.ts";
import { fourBitMethods, type SuiteRow, suiteRows } from "./series.ts";

/** A claim, and how it fared. */
export interface Claim {
  /** What the paper says. */
  readonly claim: string;
  readonly paper: string;
  /** What was measured. */
  readonly here: string;
  /** By the rule of the claim, which stands beside it in this file. */
  readonly held: "yes" | "partly" | "no" | "open";
}

const bitWidths = [2, 3, 4] as const;
const ofBits = (frame: DataFrame, bits: number) => frame.filter(pl.col("bits").eq(bits));
const plus = (value: number, error: number, digits = 2) =>
  `${value.toFixed(digits)} ± ${(2 * error).toFixed(digits)}`;
const list = (values: readonly (number | undefined)[], digits = 2) =>
  values.map((value) => value!.toFixed(digits)).join(", ");

/** All claims, from the tables of the suite. */
export function suiteClaims(): Claim[] {
  const rows: DataFrame = loadSuiteQid();
  return [
    tokens(rows),
    size(rows),
    bits(rows),
    unified(rows),
    turning(suiteRows(rows)),
    otherText(rows),
    otherMethods(),
    unseenSizes(),
    stillness(),
    schedule(),
    bitnet(),
  ];
}

/** Held if every curve rises, and the exponent of all is within a fifth of the paper's; partly if every curve rises. */
function tokens(rows: DataFrame): Claim {
  const law = fit(curvesLaw("tokens", rows), rows);
  const [beta, error] = [law.parameters.tokenExponent!, law.standardErrors.tokenExponent!];
  const rising = distinct(suiteRows(rows), "size").every((size) =>
    bitWidths.every((bits) =>
      fit("token", ofBits(rows, bits).filter(pl.col("size").eq(size))).parameters.tokenExponent! > 0
    )
  );
  const paper = published.token.tokenExponent;
  const near = Math.abs(beta / paper - 1) < 0.2;
  return {
    claim: "QiD grows with training tokens, as a power",
    paper: `β = ${paper}`,
    here: `β = ${plus(beta, error)} over all curves`,
    held: rising ? near ? "yes" : "partly" : "no",
  };
}

/** Held if α is above zero at every bit width and within a fifth of the paper's; partly if it is above zero. */
function size(rows: DataFrame): Claim {
  const alphas = bitWidths.map((bits) => {
    const part = ofBits(rows, bits);
    return fit(curvesLaw("size", part), part).parameters.sizeExponent!;
  });
  const paper = published.size.sizeExponent;
  const near = alphas.every((alpha) => Math.abs(alpha / paper - 1) < 0.2);
  return {
    claim: "QiD falls with size, as a power",
    paper: `α = ${paper}`,
    here: `α = ${list(alphas)} at 2, 3, 4 bits`,
    held: alphas.every((alpha) => alpha > 0) ? near ? "yes" : "partly" : "no",
  };
}

/** Held if γ is above zero and within a fifth of the paper's; partly if it is above zero. */
function bits(rows: DataFrame): Claim {
  const law = fit(curvesLaw("bits", rows), rows);
  const [gamma, error] = [law.parameters.bitExponent!, law.standardErrors.bitExponent!];
  const paper = published.bits.bitExponent;
  return {
    claim: "QiD falls with bits, as a power",
    paper: `γ = ${paper}`,
    here: `γ = ${plus(gamma, error)}`,
    held: gamma > 0 ? Math.abs(gamma / paper - 1) < 0.2 ? "yes" : "partly" : "no",
  };
}

/** Held if the unified law, fitted in log space, is within a factor of 1.5 at every bit width, partly if within 2. */
function unified(rows: DataFrame): Claim {
  const positive = rows.filter(pl.col("qid").gt(0));
  const [raw, log] = (["raw", "log"] as const).map((space) => {
    const law = fit("unified", positive, { space });
    return bitWidths.map((bits) => factorOff(law, suiteRows(ofBits(positive, bits))));
  });
  return {
    claim: "one unified law for size, tokens and bits",
    paper: "R² 0.95 at 2 bits, 0.81 at 3 bits (digitised points)",
    here: `off by a factor of ${list(raw!)} at 2, 3, 4 bits in raw space, ${
      list(log!)
    } in log space`,
    held: log!.every((miss) => miss < 1.5)
      ? "yes"
      : log!.every((miss) => miss < 2)
      ? "partly"
      : "no",
  };
}

/** Held if at 2 bits the quantized loss of the smallest size ends above its minimum by more than 0.05 nats. */
function turning(rows: readonly SuiteRow[]): Claim {
  const smallest = Math.min(...rows.map((row) => row.size));
  const own = rows.filter((row) => row.size === smallest && row.bits === 2);
  const least = own.reduce((a, b) => (b.loss_quantized < a.loss_quantized ? b : a));
  const rise = own.at(-1)!.loss_quantized - least.loss_quantized;
  return {
    claim: "longer training can make the quantized model worse",
    paper: "160M at 2 bits (Figure 2)",
    here: `${own[0]!.label} at 2 bits: ${rise.toFixed(2)} nats above its best, at ${
      (least.tokens / 1e6).toFixed(0)
    }M bytes`,
    held: rise > 0.05 ? "yes" : "no",
  };
}

/** Held if the exponent on the other text is within a fifth of that on the first. */
function otherText(rows: DataFrame): Claim {
  const other: DataFrame = loadSuiteQid({ test: "out_of_domain" });
  const [a, b] = [rows, other].map((part) =>
    fit(curvesLaw("tokens", part), part).parameters.tokenExponent!
  );
  return {
    claim: "the test text does not matter much",
    paper: "RefinedWeb and WikiText-2 (Figure 8)",
    here: `β = ${list([a, b])} on text of the same kind and on novels`,
    held: Math.abs(b! / a! - 1) < 0.2 ? "yes" : "no",
  };
}

/** Held if β is above zero for every method at 4 bits. */
function otherMethods(): Claim {
  const exponents = fourBitMethods.flatMap((method) => {
    const part: DataFrame = loadSuiteQid({ method, bits: [4] });
    if (part.height === 0) return [];
    return [{ method, beta: fit(curvesLaw("tokens", part), part).parameters.tokenExponent! }];
  });
  return {
    claim: "it holds for every method of quantization",
    paper: "GPTQ, AWQ and bitsandbytes at 4 bits (Figure 9)",
    here: exponents.map(({ method, beta }) => `${method} ${beta.toFixed(2)}`).join(", "),
    held: exponents.every(({ beta }) => beta > 0) ? "yes" : "no",
  };
}

/** Held if the law of the bit width finds unseen sizes, from 2 MiB on, within a factor of 1.5, partly if within 2. */
function unseenSizes(): Claim {
  const rows = foretold("size").filter(({ law, space, tokens, measured }) =>
    law === "per-bit-width" && space === "raw" && tokens >= 2 ** 21 && measured !== undefined &&
    measured > 0
  );
  if (rows.length === 0) {
    const claim = "the law predicts larger models";
    return { claim, paper: "405B, not checked (Figure 1)", here: "not measured yet", held: "open" };
  }
  const logs = rows.map(({ predicted, measured }) => Math.log(predicted / measured!));
  const factor = Math.exp(Math.sqrt(logs.reduce((sum, log) => sum + log ** 2, 0) / logs.length));
  return {
    claim: "the law predicts larger models",
    paper: "405B, not checked (Figure 1)",
    here: `${
      distinct(rows, "label").join(", ")
    } from smaller sizes, written down before: off by a factor of ${factor.toFixed(2)}`,
    held: factor < 1.5 ? "yes" : factor < 2 ? "partly" : "no",
  };
}

/** Held if the weights of every size move less in the last half million bytes than in the first pair of checkpoints. */
function stillness(): Claim {
  const main = movements().filter(({ series }) => series === "main");
  const ratios = distinct(main, "run").map((run) => {
    const own = main.filter((row) => row.run === run);
    return own[0]!.all.rms / own.at(-1)!.all.rms;
  });
  return {
    claim: "weights move much early and little late",
    paper: "box plots of adjacent checkpoints (Figure 12)",
    here: `early over late change: ${list(ratios, 1)} for the sizes in order`,
    held: ratios.every((ratio) => ratio > 1) ? "yes" : "no",
  };
}

/** Whether tokens alone do it: held if the decay of the rate has no effect beyond two standard errors, no if its effect is larger than that of tokens. */
function schedule(): Claim {
  const laws = scheduleLaws();
  const clear =
    laws.filter(({ both }) => both.exponents.decay!.value > 2 * both.exponents.decay!.standardError)
      .length;
  const larger = laws.filter(({ growth }) => growth.decay > growth.tokens).length;
  return {
    claim: "tokens drive QiD (objection: it is the decay of the learning rate)",
    paper: "one schedule only",
    here: laws.map(({ bits, growth }) =>
      `${bits} bits: tokens × ${growth.tokens.toFixed(1)}, decay × ${growth.decay.toFixed(1)}`
    ).join("; "),
    held: clear === 0 ? "yes" : larger > 0 ? "no" : "partly",
  };
}

/** Held if BitNet b1.58 at equal rates is ahead of full precision anywhere in the first tenth of training. */
function bitnet(): Claim {
  const gaps = bitnetContrasts(bitnetRuns()).filter(({ heading }) => heading === "equal rates")
    .flatMap(({ full, binary }) => {
      const own = binary.find(({ weights }) => weights === "b1.58");
      return own === undefined ? [] : [lossGap(own.training, full.training)];
    });
  const end = gaps.map((gap) => gap.at(-1)!.loss);
  const early = gaps.map((gap) =>
    Math.min(
      ...gap.filter(({ tokens }) => tokens < 0.1 * gap.at(-1)!.tokens).map(({ loss }) => loss),
    )
  );
  return {
    claim: "BitNet is ahead early in training and falls behind",
    paper: "120M and 1.2B, at a higher learning rate (Figure 14)",
    here: gaps.length === 0
      ? "not measured yet"
      : `b1.58 at equal rates: at best ${list(early, 3)} nats early, ${list(end, 3)} at the end`,
    held: gaps.length === 0
      ? "open"
      : early.every((gap) => gap < 0)
      ? "yes"
      : early.some((gap) => gap < 0)
      ? "partly"
      : "no",
  };
}

/** The root of the mean squared logarithm of prediction over measurement, as a factor. */
function factorOff(law: FittedLaw, rows: readonly SuiteRow[]): number {
  const logs = rows.filter(({ qid }) => qid > 0)
    .map((row) => Math.log(predict(law.law, law.parameters, row) / row.qid));
  return Math.exp(Math.sqrt(logs.reduce((sum, log) => sum + log ** 2, 0) / logs.length));
}
