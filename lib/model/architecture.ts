import { checkConfig, type ModelConfig } from "./config.ts";
import { checkRunnable } from "./gpt_neox/check_runnable.ts";
import { gptNeoXBlock } from "./gpt_neox/pass.ts";
import type { BlockKind } from "./inference_block.ts";
import { llamaBlock } from "./llama/pass.ts";

/** Where a family keeps what, and how its blocks run. */
export interface Architecture {
  readonly block: BlockKind;
  /** What the names of a block's tensors start with. */
  prefix(index: number): string;
  /** The table of the input. */
  readonly input: string;
  /** The table of the output, which may be that of the input. */
  readonly output: string;
  /** The weight of the last norm, and its bias if it has one. */
  readonly finalNorm: readonly string[];
}

/** The architecture of a model. Throws when the kernels cannot run it. */
export function architectureOf(config: ModelConfig): Architecture {
  if (config.family === "gpt_neox") {
    checkRunnable(config, "Cannot run the model");
    return {
      block: gptNeoXBlock,
      prefix: (index) => `gpt_neox.layers.${index}.`,
      input: "gpt_neox.embed_in.weight",
      output: "embed_out.weight",
      finalNorm: ["gpt_neox.final_layer_norm.weight", "gpt_neox.final_layer_norm.bias"],
    };
  }
  checkConfig(config);
  if (config.activation !== "silu" || config.rotary.width !== config.headWidth) {
    throw new Error(
      `Cannot run the model: a ${config.family} model must have the activation silu and positions on whole ` +
        `heads: got ${config.activation} and ${config.rotary.width} of ${config.headWidth} values`,
    );
  }
  for (const name of ["width", "headWidth", "innerWidth", "vocabulary"] as const) {
    if (config[name] % 4 !== 0) {
      throw new RangeError(
        `Cannot run the model: ${name} must be a multiple of 4: got ${config[name]}`,
      );
    }
  }
  return {
    block: llamaBlock,
    prefix: (index) => `model.layers.${index}.`,
    input: "model.embed_tokens.weight",
    output: config.tiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight",
    finalNorm: ["model.norm.weight"],
  };
}
