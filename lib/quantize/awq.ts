/**
 * AWQ: activation-aware weight quantization. Channels with large inputs are scaled up before
 * rounding and down after it, and each group's range is clipped where that lowers the output error.
 * Source: arXiv 2306.00978, mit-han-lab/llm-awq.
 */
import {
  awqGrid,
  type AwqLinears,
  type AwqOptions,
  type AwqScales,
  searchClip,
  searchScales,
} from "./awq_search.ts";
import { clampGroups, scaleColumns, unscaleColumns } from "./columns.ts";
import { roundToFloat16 } from "./grid.ts";
import { integerOptions } from "./integer_options.ts";
import { defineMethod, type Encoded, type Matrix } from "./method.ts";
import { roundToGrid } from "./rtn.ts";
import { checkGroup, keepWeights } from "./store.ts";

/** Layers whose range is not clipped, because a product of two of them decides attention. */
const unclippedNames = ["q_", "k_", "query", "key", "Wqkv"];

/** Quantizes layers that share an input, with one search of channel scales for all of them. */
export function awqOnLinears(
  linears: AwqLinears,
  options: AwqOptions & { readonly names?: readonly (string | undefined)[] },
): Encoded[] {
  const found = searchScales(linears, options);
  return linears.weights.map((weights, index) =>
    awqWithScales(weights, {
      ...options,
      activations: linears.activations,
      name: options.names?.[index],
      found,
    })
  );
}

/** What is known of a layer when its scales have been searched. */
export interface AwqLayer extends AwqOptions {
  /** [tokens, in]. */
  readonly activations: Matrix;
  /** Queries and keys are not clipped. */
  readonly name?: string;
  /** No channel is scaled unless given. */
  readonly found?: AwqScales;
}

/** Clips and rounds one layer whose channel scales are known. */
export function awqWithScales(weights: Matrix, layer: AwqLayer): Encoded {
  checkGroup(weights.columns, layer.group);
  const keep = layer.scales === "f16" ? roundToFloat16 : (values: Float32Array) => values;
  const channels = layer.found && keep(layer.found.scales);
  let work = channels ? scaleColumns(weights, channels) : weights;
  const clip = layer.clip && !unclippedNames.some((part) => layer.name?.includes(part));
  if (clip) {
    const activations = channels ? unscaleColumns(layer.activations, channels) : layer.activations;
    work = clampGroups(work, searchClip(work, { ...layer, activations }));
  }
  const encoded = roundToGrid(work, awqGrid(layer));
  const report = { ratio: layer.found?.ratio ?? 0, clipped: clip };
  if (!channels) return { ...encoded, report };
  const bits = layer.scales === "f16" ? 16 : 32;
  return {
    ...encoded,
    weights: unscaleColumns({ ...weights, data: encoded.weights }, channels).data,
    storage: [...encoded.storage, { name: "channel_scales", values: channels, bits }],
    report,
  };
}

/** AWQ of one layer on its own. A model's layers in their mappings: `awqOnBlock`. */
export const awq = defineMethod({
  name: "awq",
  title: "Activation-aware weight quantization",
  source: "arXiv 2306.00978, mit-han-lab/llm-awq",
  needs: "activations",
  options: {
    bits: integerOptions.bits,
    group: { ...integerOptions.group, default: 128 },
    scales: integerOptions.scales,
    duo: {
      kind: "flag",
      default: false,
      meaning: "channel scales from inputs and weights (AutoAWQ's duo_scaling)",
    },
    clip: { kind: "flag", default: true, meaning: "search the range of each group" },
  },
  presets: {},
  run(weights, { bits, group, ...options }, { activations, name }) {
    if (bits === 16) return keepWeights(weights);
    const width = group === "row" ? weights.columns : group;
    const linears = { weights: [weights], activations: activations! };
    return awqOnLinears(linears, { bits, group: width, ...options, names: [name] })[0]!;
  },
});
