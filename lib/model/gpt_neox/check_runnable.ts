import { checkConfig, type ModelConfig } from "../config.ts";

/** Throws unless the kernels can run the model: GPT-NeoX, with widths that are whole vectors of four values. */
export function checkRunnable(config: ModelConfig, task: string): void {
  checkConfig(config);
  if (config.family !== "gpt_neox" || config.activation === "silu" || config.tiedEmbeddings) {
    throw new Error(
      `${task}: it must be of the family gpt_neox, with gelu or gelu_tanh and embeddings that are not tied: ` +
        `got ${config.family}, ${config.activation}, tiedEmbeddings ${config.tiedEmbeddings}`,
    );
  }
  for (const name of ["width", "headWidth", "innerWidth", "vocabulary"] as const) {
    if (config[name] % 4 !== 0) {
      throw new RangeError(`${task}: ${name} must be a multiple of 4: got ${config[name]}`);
    }
  }
}
