/**
 * The types every quantization method shares: what goes in, what comes out, and how a method
 * describes itself and its options.
 */

/** A dense matrix, row-major. Weights are [out, in]; activations are [tokens, in]. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/** A symmetric [in, in] matrix, row-major: the layer's Hessian, 2/n sum of x x^T. */
export interface Hessian {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array | Float64Array;
}

/** A whole number, or one of a few words in its place. */
export interface IntegerOption {
  readonly kind: "integer";
  readonly default: number | string;
  readonly minimum: number;
  readonly maximum: number;
  /** Further whole numbers that are allowed outside the range. */
  readonly also?: readonly number[];
  readonly words?: readonly string[];
  readonly meaning: string;
}

/** A real number in a closed range. */
export interface NumberOption {
  readonly kind: "number";
  readonly default: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly meaning: string;
}

/** One of several words. */
export interface ChoiceOption {
  readonly kind: "choice";
  readonly default: string;
  readonly allowed: readonly string[];
  readonly meaning: string;
}

/** true or false. */
export interface FlagOption {
  readonly kind: "flag";
  readonly default: boolean;
  readonly meaning: string;
}

export type Option = IntegerOption | NumberOption | ChoiceOption | FlagOption;
export type OptionValue = number | string | boolean;
export type OptionSchema = Readonly<Record<string, Option>>;

/** The type of one option's value. */
export type ValueOf<O extends Option> = O extends FlagOption ? boolean
  : O extends { kind: "choice"; allowed: readonly (infer Word)[] } ? Word
  : O extends { kind: "integer"; words: readonly (infer Word)[] } ? number | Word
  : number;

/** The values a method's `run` receives: one for every option of its schema. */
export type OptionsOf<S extends OptionSchema> = { readonly [K in keyof S]: ValueOf<S[K]> };

/** What a layer's calibration gives, beside its weights. */
export interface Inputs {
  /** The layer's Hessian, [in, in]. */
  readonly hessian?: Hessian;
  /** The layer's inputs, [tokens, in]. */
  readonly activations?: Matrix;
  /** The layer's name: it appears in errors, and AWQ's clip search skips queries and keys by it. */
  readonly name?: string;
}

/** One array as it lies on a disk: so many values of so many bits. */
export interface StoredPart {
  readonly name: string;
  readonly values: Uint8Array | Uint16Array | Uint32Array | Float32Array;
  /** Bits of one value: 1 to 8 for packed integers, 16 or 32 for floats and indices. */
  readonly bits: number;
}

/** What was done, in words and numbers, for a table or a log. */
export type Report = Readonly<Record<string, number | string | boolean>>;

/** What a method returns. */
export interface Encoded {
  /** The weights after quantization, [out, in], as the stored parts give them back. */
  readonly weights: Float32Array;
  /** One code a weight, row-major; empty when the method keeps the weights as they are. */
  readonly codes: Uint8Array;
  /** The scales, in the order of their groups. */
  readonly scales: Float32Array;
  /** The code (or, for HQQ, the real number) that stands for zero, one a scale. */
  readonly zeroPoints?: Float32Array;
  /** All that must be kept to get `weights` back: bits per weight is their sum. */
  readonly storage: readonly StoredPart[];
  readonly report: Report;
}

/** A quantization method: one file, one entry in the registry. */
export interface Method<S extends OptionSchema = OptionSchema> {
  /** The one name it has everywhere: in a table, on a command line, in a figure. */
  readonly name: string;
  readonly title: string;
  /** Paper and repository. */
  readonly source: string;
  readonly needs: "nothing" | "hessian" | "activations";
  readonly options: S;
  /** Named sets of options: `gptq:paper,bits=3` starts from the preset `paper`. */
  readonly presets: Readonly<Record<string, Readonly<Record<string, OptionValue>>>>;
  /**
   * Quantizes one layer. `quantize` has checked by then that the weights are finite and match their
   * shape, that every option is in range and that what the method needs is there.
   */
  run(weights: Matrix, options: OptionsOf<S>, inputs: Inputs): Encoded;
}

/** Declares a method, with the types of its options taken from their schema. */
export function defineMethod<const S extends OptionSchema>(method: Method<S>): Method {
  // A registry holds methods of different options. Specs are checked against the schema before
  // `run` sees them, so the wider type is safe here and nowhere else.
  return method as unknown as Method;
}
