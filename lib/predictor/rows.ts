/** Checkpoints in a format: what is known before the quantized model is run, and the loss that it then has. */
import pl from "nodejs-polars";
import { describeFormat, noiseWhere } from "../measure/mod.ts";
import { loadLandscape, loadLandscapeFeatures } from "../suite_landscape.ts";
import { suiteFolder } from "../suite_tables.ts";

/** What is measured of the landscape around a checkpoint, on one text. Rises and curvatures in nats per token. */
export interface Landscape {
  /** Noise levels, dB, falling, and the mean rise of the loss at each. */
  readonly noiseLevels: readonly number[];
  readonly rises: readonly number[];
  /** Standard deviation of the rise over directions, at each. */
  readonly spreads: readonly number[];
  /** Noise level, dB, of the first step. */
  readonly firstStep: number;
  /** d^T H d along a direction as long as the weights. */
  readonly secondDerivative: number;
  /** tr(H) over the linear maps of the blocks, and by layer. */
  readonly trace: number;
  readonly layerTraces: ReadonlyMap<string, number>;
}

/** One checkpoint by one method, on one text. */
export interface PredictorRow {
  readonly model: string;
  readonly revision: string;
  readonly size: number;
  readonly tokens: number;
  readonly method: string;
  readonly algorithm: "rtn" | "gptq";
  readonly format: string;
  readonly title: string;
  readonly elementBits: number;
  readonly exponentBits: number;
  readonly block: number;
  readonly powerOfTwo: boolean;
  readonly bitsPerWeight: number;
  /** SQNR of rounding to nearest, dB: of the model, and of its worst layer. */
  readonly sqnr: number;
  readonly worstSqnr: number;
  /** Half of the sum over layers of the mean curvature times the squared error of rounding to nearest, nats per token. */
  readonly secondOrder: number;
  readonly landscape: Landscape;
  readonly loss16: number;
  readonly lossQuantized: number;
  readonly qid: number;
  readonly qidError: number;
}

/** Which rows. */
export interface PredictorQuery {
  /** Test text; "in_domain" if left out. */
  readonly test?: string;
  /** Folder of the tables; that of this repository if left out. */
  readonly folder?: string;
}

/**
 * All measured rows with their features, by size, tokens and method. Checkpoints whose landscape is not measured yet are
 * left out.
 */
export function predictorRows(query: PredictorQuery = {}): PredictorRow[] {
  const { test = "in_domain", folder = suiteFolder } = query;
  const features = Map.groupBy(
    loadLandscapeFeatures(folder).filter(
      pl.col("test_set").eq(pl.lit(test)).or(pl.col("test_set").eq(pl.lit(""))),
    ).toRecords() as unknown as FeatureRow[],
    checkpointOf,
  );
  const known = new Map(
    [...features].map(([checkpoint, rows]) => [checkpoint, readFeatures(rows)]),
  );
  const grid = loadLandscape(folder).filter(pl.col("test_set").eq(pl.lit(test)))
    .toRecords() as unknown as GridRow[];
  return grid.flatMap((row): PredictorRow[] => {
    const found = known.get(checkpointOf(row));
    if (found === undefined) return [];
    const { model, revision, size, tokens, method } = row;
    const description = describeFormat(method);
    const sqnrs = found.sqnrs.get(description.format);
    if (sqnrs === undefined) return [];
    return [{
      ...{ model, revision, size, tokens, method, ...description },
      algorithm: row.method_name === "gptq" ? "gptq" : "rtn",
      bitsPerWeight: row.bits_per_weight,
      ...sqnrs,
      landscape: found.landscape,
      loss16: row.loss16,
      lossQuantized: row.loss_quantized,
      qid: row.qid,
      qidError: row.qid_se,
    }];
  });
}

/** The landscape of each checkpoint that has one, by size and tokens. */
export function landscapes(
  query: PredictorQuery = {},
): (Pick<PredictorRow, "model" | "revision" | "size" | "tokens"> & { landscape: Landscape })[] {
  const { test = "in_domain", folder = suiteFolder } = query;
  const rows = loadLandscapeFeatures(folder).filter(pl.col("test_set").eq(pl.lit(test)))
    .sort(["size", "tokens"]).toRecords() as unknown as FeatureRow[];
  return [...Map.groupBy(rows, checkpointOf).values()].map((rows) => {
    const { model, revision, size, tokens } = rows[0]!;
    return { model, revision, size, tokens, landscape: readFeatures(rows).landscape };
  });
}

/**
 * The rise of the loss at a noise level, dB: the profile read between its levels, log rise being linear in dB, and
 * beyond them along its first or last two.
 */
export function riseAt({ noiseLevels, rises }: Landscape, noise: number): number {
  let at = noiseLevels.findIndex((level) => level <= noise);
  if (at < 0) at = noiseLevels.length - 1;
  at = Math.max(1, at);
  const [high, low] = [noiseLevels[at - 1]!, noiseLevels[at]!];
  const [first, last] = [rises[at - 1]!, rises[at]!].map((rise) => Math.log(Math.max(rise, tiny)));
  return Math.exp(first! + (last! - first!) * (high - noise) / (high - low));
}

/** The noise level, dB, at which the loss has risen by so many nats per token. */
export function noiseAt({ noiseLevels, rises }: Landscape, rise: number): number {
  return noiseWhere(rises, noiseLevels, rise);
}

/** A rise that is none, so that it has a logarithm. */
const tiny = 1e-6;

interface FeatureRow {
  readonly model: string;
  readonly revision: string;
  readonly size: number;
  readonly tokens: number;
  readonly feature: string;
  readonly format: string;
  readonly layer: string;
  readonly noise_db: number | null;
  readonly value: number;
  readonly weights: number | null;
  readonly energy: number | null;
}

interface GridRow {
  readonly model: string;
  readonly revision: string;
  readonly size: number;
  readonly tokens: number;
  readonly method: string;
  readonly method_name: string;
  readonly bits_per_weight: number;
  readonly loss16: number;
  readonly loss_quantized: number;
  readonly qid: number;
  readonly qid_se: number;
}

function checkpointOf({ model, revision }: { model: string; revision: string }): string {
  return `${model} ${revision}`;
}

function readFeatures(rows: readonly FeatureRow[]) {
  const of = (feature: string) => rows.filter((row) => row.feature === feature);
  const one = (feature: string) => of(feature).find(({ layer }) => layer === "model")?.value ?? NaN;
  const levels = (feature: string) => of(feature).sort((a, b) => b.noise_db! - a.noise_db!);
  const layerTraces = new Map(
    of("trace").filter(({ layer }) => layer !== "model").map(({ layer, value }) => [layer, value]),
  );
  const landscape: Landscape = {
    noiseLevels: levels("profile").map(({ noise_db }) => noise_db!),
    rises: levels("profile").map(({ value }) => value),
    spreads: levels("profile_spread").map(({ value }) => value),
    firstStep: one("first_step"),
    secondDerivative: one("second_derivative"),
    trace: one("trace"),
    layerTraces,
  };
  const sqnrs = new Map([...Map.groupBy(of("sqnr"), ({ format }) => format)].map(
    ([format, layers]) => {
      const inner = layers.filter(({ layer }) => layer !== "model");
      const secondOrder = inner.reduce((sum, { layer, value, weights, energy }) => {
        const noise = energy! * 10 ** (-value / 10);
        return sum + layerTraces.get(layer)! / weights! * noise / 2;
      }, 0);
      const worstSqnr = Math.min(...inner.map(({ value }) => value));
      const sqnr = layers.find(({ layer }) => layer === "model")!.value;
      return [format, { sqnr, worstSqnr, secondOrder }] as const;
    },
  ));
  return { landscape, sqnrs };
}
