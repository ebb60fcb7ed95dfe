/** Decoder-only transformers: configuration, forward and backward. */
export * from "./config.ts";
export type { Tensor, TensorSlot, TensorSource } from "./tensors.ts";
export { openTokenizer, type Tokenizer } from "./tokenizer.ts";
export { splitTokens, type Tokens } from "./tokens.ts";
export { readConfig } from "./read_config.ts";
export { gptNeoXConfig, type GptNeoXOptions, writeConfig } from "./gpt_neox/config.ts";
export { countParameters, layoutOf, type ParameterCount } from "./layout.ts";
export type { Quantizers } from "./gpt_neox/reference/bit_linear.ts";
export {
  type ReferenceOptions,
  type ReferenceResult,
  runReference,
} from "./gpt_neox/reference/model.ts";
export { createModel, type Model, type ModelOptions, type RunOptions } from "./gpt_neox/model.ts";
export type { Block, BlockOptions, LinearInput, ModuleName, ModuleOptions, Rows } from "./block.ts";
export {
  type Inference,
  inferLogits,
  inferLosses,
  type LanguageModel,
  openModel,
  type PassOptions,
  runBlocks,
  sequenceLosses,
} from "./forward.ts";
export { sequencesAtOnce } from "./inference_block.ts";
export { type AdamW, type AdamWSettings, type AdamWState, createAdamW } from "./adamw.ts";
