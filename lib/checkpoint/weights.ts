/** Tensors by name on a disk, whether in one file or in many. */
import type { TensorInfo } from "./header.ts";

/** A tensor in memory: data is row-major. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Tensors by name. The headers have been read and checked; data is read when asked for. */
export interface Weights extends Disposable {
  /** Name, type and shape of each; `start` and `end` count within the file that it lies in. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** The tensors' names, sorted. */
  readonly names: readonly string[];
  /** A tensor of F64, F32, F16 or BF16 as float32. F64 is rounded. */
  tensor(name: string): Tensor;
  /** A tensor's data as it lies in the file. */
  bytes(name: string): Uint8Array;
  /** A tensor's data, 8 MiB at a time, in memory that the next piece overwrites. */
  chunks(name: string): Iterable<Uint8Array>;
  close(): void;
}
