/** How a block is calibrated and quantized, by what the method needs to see. */
import type { Block, LinearInput, ModelConfig, ModuleName } from "../model/mod.ts";
import {
  awqMappings,
  awqOnBlock,
  formatSpec,
  HessianAccumulator,
  type Inputs,
  type Matrix,
  quantize,
  type Spec,
  storedBits,
} from "../quantize/mod.ts";

/**
 * Quantizes a block's linear maps and turns the calibration's hidden states [sequences, length, width] into those that
 * the next block is calibrated on. Returns the bits per weight of each map.
 */
export type QuantizeBlock = (
  block: Block,
  hidden: Float32Array,
  length: number,
) => ReadonlyMap<string, number>;

/** The way in which a method quantizes a block. Throws when it has none for this family. */
export function quantizerOf(spec: Spec, config: ModelConfig): QuantizeBlock {
  switch (spec.method.needs) {
    case "nothing":
      return (block) => mapLinears(block, (name) => replace(block, name, spec));
    case "hessian":
      return (block, hidden, length) => quantizeSequentially(block, hidden, { spec, length });
    case "activations":
      return awqQuantizer(spec, config);
  }
}

function mapLinears(block: Block, work: (name: string) => number): Map<string, number> {
  return new Map(block.linears.map((name) => [name, work(name)]));
}

function replace(block: Block, name: string, spec: Spec, inputs: Inputs = {}): number {
  const layer = `${block.prefix}${name}`;
  const result = quantize(block.weights(name), formatSpec(spec), { ...inputs, name: layer });
  block.setWeights(name, result.weights);
  return result.bitsPerWeight;
}

/** Each map sees inputs that went through the quantized maps before it; those with one input share a Hessian. */
function quantizeSequentially(
  block: Block,
  hidden: Float32Array,
  { spec, length }: { spec: Spec; length: number },
): Map<string, number> {
  const bits = new Map<string, number>();
  for (const group of block.groups) {
    const first = group[0]!;
    const hessian = new HessianAccumulator(block.weights(first).columns);
    const input = (seen: LinearInput) => hessian.add(seen, seen.sequences);
    block.inputsOf(first, hidden, { length, input });
    for (const name of group) bits.set(name, replace(block, name, spec, { hessian }));
  }
  block.run(hidden, { length });
  return bits;
}

/** All scales of a block are searched on the block as it was, and the next block sees what that one gives. */
function awqQuantizer({ method, options }: Spec, config: ModelConfig): QuantizeBlock {
  const { family, heads, keyValueHeads } = config;
  if (method.name !== "awq") {
    throw new Error(`Cannot quantize a model with ${method.name}: only layers on their own`);
  }
  const known = Object.hasOwn(awqMappings, family)
    ? awqMappings[family as keyof typeof awqMappings]
    : undefined;
  if (!known) {
    const names = Object.keys(awqMappings).join(", ");
    throw new Error(`Cannot quantize a ${family} model with awq: needs one of ${names}`);
  }
  // Values that several heads share cannot take the scales of what comes after them.
  const shared = keyValueHeads < heads;
  const mappings = known.filter(({ previous }) => !(shared && previous === "self_attn.v_proj"));
  const { bits, group, scales, duo, clip } = options as unknown as AwqValues;
  if (group === "row") {
    throw new Error("Cannot quantize a model with awq:group=row: give a whole number for group");
  }
  return (block, hidden, length) => {
    const activations = runAndKeepInputs(block, hidden, length);
    const weights = Object.fromEntries(block.linears.map((name) => [name, block.weights(name)]));
    const moduleOf = (name: ModuleName, first: string) => {
      const input = activations[first]!;
      return (weights: Readonly<Record<string, Matrix>>) =>
        block.module(name, input, { length, weights });
    };
    const firstOf = (name: ModuleName) =>
      mappings.find(({ inspect }) => inspect === name)!.linears[0]!;
    const modules = {
      attention: moduleOf("attention", firstOf("attention")),
      mlp: moduleOf("mlp", firstOf("mlp")),
    };
    const how = { bits, group, scales, duo, clip, mappings };
    const encoded = awqOnBlock({ weights, activations, modules }, how);
    return mapLinears(block, (name) => {
      const { weights, storage } = encoded[name]!;
      block.setWeights(name, weights);
      return storedBits(storage) / weights.length;
    });
  };
}

interface AwqValues {
  readonly bits: number;
  readonly group: number | "row";
  readonly scales: "f16" | "f32";
  readonly duo: boolean;
  readonly clip: boolean;
}

/** The inputs [tokens, in] of each linear map, all tokens together. */
function runAndKeepInputs(
  block: Block,
  hidden: Float32Array,
  length: number,
): Record<string, Matrix> {
  const parts: Record<string, Float32Array[]> = {};
  const input = ({ name, data }: LinearInput) => (parts[name] ??= []).push(data.slice());
  block.run(hidden, { length, input });
  return Object.fromEntries(block.linears.map((name) => {
    const { columns } = block.weights(name);
    const all = new Float32Array(parts[name]!.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts[name]!) {
      all.set(part, at);
      at += part.length;
    }
    return [name, { rows: all.length / columns, columns, data: all }];
  }));
}
