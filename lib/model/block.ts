/** What inference asks of a transformer block, whatever its family. */

/** Rows of values, [rows, columns], row-major. */
export interface Rows {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/** What a linear map is about to be applied to, some sequences at a time; the memory is used again after the call. */
export interface LinearInput extends Rows {
  /** The map by its name within the block: "attention.dense". */
  readonly name: string;
  readonly sequences: number;
}

/** How {@linkcode Block} reads hidden states. */
export interface BlockOptions {
  /** Positions in a sequence. */
  readonly length: number;
  /** Sees the input of each linear map, in the order in which they run. */
  readonly input?: (input: LinearInput) => void;
}

/** The parts of a block whose output AWQ looks at. */
export type ModuleName = "attention" | "mlp";

/** One transformer block with its weights in memory. */
export interface Block {
  /** What the names of its tensors start with: "gpt_neox.layers.0.". */
  readonly prefix: string;
  /** Its linear maps by name within the block, in the order in which they run. */
  readonly linears: readonly string[];
  /** The same, those that see the same input together. */
  readonly groups: readonly (readonly string[])[];
  /** The weights [out, in] of a linear map. */
  weights(linear: string): Rows;
  /** Replaces the weights of a linear map, [out, in], from now on. */
  setWeights(linear: string, data: Float32Array): void;
  /** Turns the hidden states [sequences, length, width] into those after the block. */
  run(hidden: Float32Array, options: BlockOptions): void;
  /** Shows the inputs of one linear map and leaves the hidden states as they are. */
  inputsOf(linear: string, hidden: Float32Array, options: Required<BlockOptions>): void;
  /** What a module gives for its input [rows, width], with some weights in place of the block's own. */
  module(name: ModuleName, input: Rows, options: ModuleOptions): Float32Array;
}

/** How a module is run on its own. */
export interface ModuleOptions {
  /** Positions in a sequence. */
  readonly length: number;
  /** Weights by the linear maps' names. */
  readonly weights: Readonly<Record<string, Rows>>;
}
