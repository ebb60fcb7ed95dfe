/** What a decoder-only transformer is made of, in one form for all families. */

/**
 * The families whose checkpoints can be read; each is the `model_type` of its Hugging Face
 * config.json.
 */
export const families = ["gpt_neox", "llama", "mistral", "qwen2", "olmo2"] as const;

/** One of {@linkcode families}. */
export type Family = typeof families[number];

/** GELU by the error function, its approximation by tanh, or x sigmoid(x). */
export type Activation = "gelu" | "gelu_tanh" | "silu";

/** Longer contexts by slower turning, as Llama 3.1 has it. */
export interface Llama3Scaling {
  readonly factor: number;
  readonly lowFrequencyFactor: number;
  readonly highFrequencyFactor: number;
  /** Positions that the model was first trained on. */
  readonly originalContext: number;
}

/** Rotary positions: pair i of a head turns by position / base^(2 i / width). */
export interface Rotary {
  /** How many values of each query and key are turned, counted from the first; even. */
  readonly width: number;
  readonly base: number;
  readonly scaling?: Llama3Scaling;
}

/** BitNet with weights of -1, 0 and 1, or of signs alone. */
export type BitLinear = "b1.58" | "b1";

/** The shape of a model. Sizes count values; `width` is d, `layers` is L. */
export interface ModelConfig {
  readonly family: Family;
  /** Entries of the vocabulary. */
  readonly vocabulary: number;
  /** Positions at most. */
  readonly context: number;
  /** Values of a token's hidden state. */
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Heads of keys and values, each shared by heads / keyValueHeads queries. */
  readonly keyValueHeads: number;
  readonly headWidth: number;
  /** Width inside the feed-forward part. */
  readonly innerWidth: number;
  readonly activation: Activation;
  /** Added to the variance in a normalisation. */
  readonly normEpsilon: number;
  readonly rotary: Rotary;
  /** Whether queries, keys and values have biases. */
  readonly attentionBias: boolean;
  /** Whether the map after attention has a bias. */
  readonly outputBias: boolean;
  /** Whether the maps of the feed-forward part have biases. */
  readonly mlpBias: boolean;
  /**
   * Attention and feed-forward part side by side on the same input, rather than one after the other
   * (GPT-NeoX).
   */
  readonly parallelResidual: boolean;
  /** Whether the output uses the table of the input embedding. */
  readonly tiedEmbeddings: boolean;
  /** How many positions back, itself included, a query sees; all of them when left out. */
  readonly slidingWindow?: number;
  /** Linear maps inside the blocks are BitNet's (GPT-NeoX only). */
  readonly bitLinear?: BitLinear;
}

/** Throws a RangeError when the sizes do not fit each other. */
export function checkConfig(config: ModelConfig): void {
  const task = `Cannot make a ${config.family} model`;
  const { vocabulary, context, width, layers, heads, keyValueHeads, headWidth, innerWidth } =
    config;
  const sizes = { vocabulary, context, width, layers, heads, keyValueHeads, headWidth, innerWidth };
  for (const [name, size] of Object.entries(sizes)) {
    if (!(Number.isInteger(size) && size >= 1)) {
      throw new RangeError(`${task}: ${name} must be a whole number of at least 1: got ${size}`);
    }
  }
  if (heads % keyValueHeads !== 0) {
    throw new RangeError(
      `${task}: keyValueHeads must divide heads: got ${keyValueHeads} and ${heads}`,
    );
  }
  const turned = config.rotary.width;
  if (!(Number.isInteger(turned) && turned % 2 === 0 && turned >= 2 && turned <= headWidth)) {
    throw new RangeError(
      `${task}: rotary.width must be even, from 2 to headWidth ${headWidth}: got ${turned}`,
    );
  }
  for (
    const [name, value] of [["normEpsilon", config.normEpsilon], [
      "rotary.base",
      config.rotary.base,
    ]] as const
  ) {
    if (!(value > 0 && value < Infinity)) {
      throw new RangeError(`${task}: ${name} must be a number above 0: got ${value}`);
    }
  }
}
