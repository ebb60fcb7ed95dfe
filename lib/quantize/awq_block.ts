/**
 * AWQ over a transformer block: which layers share channel scales, and what output their error is
 * measured on. Source: mit-han-lab/llm-awq auto_scale.py, auto_clip.py.
 */
import { awqWithScales } from "./awq.ts";
import { type AwqOptions, searchScales } from "./awq_search.ts";
import type { Encoded, Matrix } from "./method.ts";

/** Layers that share an input, whose channel scales fold into what comes before them. */
export interface AwqMapping {
  /** What divides its output by the scales: a norm, or the activation function. */
  readonly previous: string;
  readonly linears: readonly string[];
  /** The module whose output counts; the layers' own outputs when absent. */
  readonly inspect?: string;
}

/** The Llama family's. Values scale what comes after them where each head has its own. */
const llamaMappings: readonly AwqMapping[] = [
  {
    previous: "input_layernorm",
    linears: ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
    inspect: "attention",
  },
  { previous: "self_attn.v_proj", linears: ["self_attn.o_proj"] },
  {
    previous: "post_attention_layernorm",
    linears: ["mlp.gate_proj", "mlp.up_proj"],
    inspect: "mlp",
  },
  { previous: "mlp.up_proj", linears: ["mlp.down_proj"] },
];

/** The mappings of each model family. A layer in none of them is clipped and not scaled. */
export const awqMappings: Readonly<
  Record<"gpt_neox" | "llama" | "mistral" | "qwen2", readonly AwqMapping[]>
> = {
  gpt_neox: [
    {
      previous: "input_layernorm",
      linears: ["attention.query_key_value"],
      inspect: "attention",
    },
    {
      previous: "post_attention_layernorm",
      linears: ["mlp.dense_h_to_4h"],
      inspect: "mlp",
    },
    { previous: "mlp.act", linears: ["mlp.dense_4h_to_h"] },
  ],
  llama: llamaMappings,
  mistral: llamaMappings,
  qwen2: llamaMappings,
};

/** A module's output on its calibration inputs, given the weights of its layers by name. */
export type ModuleOutput = (weights: Readonly<Record<string, Matrix>>) => Float32Array;

/** One transformer block and its calibration. */
export interface AwqBlock {
  /** Weights [out, in] by layer name, such as "attention.dense". */
  readonly weights: Readonly<Record<string, Matrix>>;
  /** Inputs [tokens, in] by layer name, all from the block before quantization. */
  readonly activations: Readonly<Record<string, Matrix>>;
  /** Outputs by module name; a mapping whose module has none here uses its layers' own outputs. */
  readonly modules?: Readonly<Record<string, ModuleOutput>>;
}

/**
 * Quantizes the layers of a block: channel scales by mapping, all searched on the block as it was,
 * then each layer is clipped and rounded. Throws when a layer or its input is missing.
 */
export function awqOnBlock(
  block: AwqBlock,
  { mappings, ...options }: AwqOptions & { readonly mappings: readonly AwqMapping[] },
): Record<string, Encoded> {
  const found = new Map(mappings.flatMap(({ linears, inspect }) => {
    const activations = required(block.activations, linears[0]!, "input");
    const module = inspect === undefined ? undefined : block.modules?.[inspect];
    const scales = searchScales({
      weights: linears.map((name) => required(block.weights, name, "weights")),
      activations,
      inspect: module && ((after) => {
        const changed = linears.map((name, i) => [name, after[i]!] as const);
        return module({ ...block.weights, ...Object.fromEntries(changed) });
      }),
    }, options);
    return linears.map((name) => [name, scales] as const);
  }));
  return Object.fromEntries(
    Object.entries(block.weights).map(([name, weights]) => {
      const activations = required(block.activations, name, "input");
      return [
        name,
        awqWithScales(weights, { ...options, activations, name, found: found.get(name) }),
      ];
    }),
  );
}

function required(
  matrices: Readonly<Record<string, Matrix>>,
  name: string,
  what: string,
): Matrix {
  const matrix = matrices[name];
  if (!matrix) {
    const known = Object.keys(matrices).join(", ");
    throw new Error(
      `Cannot quantize the block: needs the ${what} of ${name}: got those of ${known}`,
    );
  }
  return matrix;
}
