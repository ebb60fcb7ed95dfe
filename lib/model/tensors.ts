/** Values with a shape, row-major. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Where tensors come from: a file, some files, or memory. */
export interface TensorSource {
  readonly names: readonly string[];
  /** Throws when there is no tensor of this name. */
  tensor(name: string): Tensor | Promise<Tensor>;
}

/** A tensor's name and shape, and where it lies in a flat array of all of them. */
export interface TensorSlot {
  readonly name: string;
  readonly shape: readonly number[];
  /** Index of its first value. */
  readonly offset: number;
  /** How many values it has. */
  readonly length: number;
}

/** A tensor's name and shape. */
export type NamedShape = readonly [name: string, shape: number[]];
