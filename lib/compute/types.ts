import type { NetworkKernel } from "./network_types.ts";

/** Where matrix products are computed: WebAssembly, or the BLAS library of the system. */
export type Backend = "wasm" | "blas";

/** What {@linkcode loadKernel} takes. */
export interface KernelOptions {
  /** Default `"wasm"`, which needs nothing installed. */
  backend?: Backend;
  /**
   * Bytes of memory to reserve, 4 MiB to just below 4 GiB; pages cost nothing until they are used.
   * Default: 1 GiB.
   */
  memory?: number;
  /**
   * Name or path of the BLAS library; default: the names under which systems install OpenBLAS,
   * Accelerate and others.
   */
  library?: string;
}

/** C = alpha op(A) op(B) + beta C for row-major matrices, all of them f32 or all of them f64. */
export interface Product<A extends Float32Array | Float64Array> {
  /** op(A) is [m, k]: A is stored [m, k], or [k, m] with `transposeA`. */
  a: A;
  /** op(B) is [k, n]: B is stored [k, n], or [n, k] with `transposeB`. */
  b: A;
  /** [m, n]; overwritten. With `beta` 0 its old values are not read. It must not overlap A or B. */
  c: A;
  m: number;
  n: number;
  k: number;
  transposeA?: boolean;
  transposeB?: boolean;
  /** Default 1. */
  alpha?: number;
  /** Default 0. */
  beta?: number;
  /** Elements from one stored row to the next; default: the row's length. */
  lda?: number;
  ldb?: number;
  ldc?: number;
}

/** H = beta H + scale X^T X. */
export interface HessianOptions {
  /** X, f32 [rows, columns]: one token's activations a row. */
  inputs: Float32Array;
  rows: number;
  columns: number;
  /** H, f64 [columns, columns], both triangles. */
  hessian: Float64Array;
  /** Default 1. */
  scale?: number;
  /** Default 1; with 0 the old values are not read. */
  beta?: number;
}

/** A square row-major matrix, worked on in place. */
export interface Square {
  /** f64 [n, n]. */
  a: Float64Array;
  n: number;
}

/**
 * Why a factorisation stopped: the matrix is not positive definite (or, for a triangle, singular)
 * at this column.
 */
export interface PivotFailure {
  /** Column (from 0) of the matrix as given. */
  column: number;
  /** The value that should have been positive and finite. */
  pivot: number;
}

/**
 * code = clamp(nearest(x / scale) + zero, 0, maxq) with ties to even; value = scale (code - zero).
 */
export interface UniformGrid {
  /** The largest code: 2^bits - 1, at most 255. */
  maxq: number;
}

/**
 * level = how many thresholds lie below x / scale; value = scale levels[level]. At a tie the lower
 * level wins.
 */
export interface LevelGrid {
  /** Ascending, 2 to 256 of them. */
  levels: Float32Array;
  /** Ascending, one fewer. For a tie that goes up, give the f32 just below the midpoint. */
  thresholds: Float32Array;
  /** The code of each level, no two the same. Default: its index. */
  codes?: Uint8Array;
}

/** To what values a group is rounded, up to its scale and zero point. */
export type Grid = UniformGrid | LevelGrid;

/**
 * Fills `scale` (and `zero`, for a uniform grid) of some groups: group i holds `values[i * width]`
 * to `values[(i + 1) * width - 1]`. `zero` holds 0 at the call. A scale must not be 0; for a group
 * of zeros give 1. Keep no array beyond the call.
 */
export type FindGrid = (
  values: Float32Array,
  width: number,
  scale: Float32Array,
  zero: Float32Array,
) => void;

/** The smallest and the largest value of each group. */
export interface RangesOptions {
  /** f32 [groups, width]. */
  values: Float32Array;
  width: number;
  /** f32 [groups], overwritten. */
  minimum: Float32Array;
  /** f32 [groups], overwritten. */
  maximum: Float32Array;
}

/** Round-to-nearest of consecutive groups of values. */
export interface RoundOptions {
  /** f32 [groups, width]. */
  values: Float32Array;
  width: number;
  grid: Grid;
  /** f32 [groups]; read, or written when `find` is given. */
  scale: Float32Array;
  /** f32 [groups]; read, or written when `find` is given. Without it the zero points are 0. */
  zero?: Float32Array;
  /** Finds the grids of a few groups at a time, while they are in the cache. */
  find?: FindGrid;
  /**
   * From a group's scale to what its values are multiplied by, rounded to f32, where they would be
   * divided by the scale. Where that is beyond f32, 2^64 of it are multiplied first.
   */
  multiplier?: (scale: number) => number;
  /** u8 [groups, width], written. */
  codes?: Uint8Array;
  /** f32 [groups, width], the dequantized values, written; may be `values`. */
  output?: Float32Array;
}

/** Values of codes in consecutive groups. */
export interface DecodeOptions {
  /** u8 [groups, width]. */
  codes: Uint8Array;
  width: number;
  grid: Grid;
  /** f32 [groups]. */
  scale: Float32Array;
  /** f32 [groups]. Without it the zero points are 0. */
  zero?: Float32Array;
  /** What values on a uniform grid are multiplied by at last. Default 1. */
  unit?: number;
  /** f32 [groups, width], written. */
  output: Float32Array;
}

/** Sums over values, in f64. */
export interface Sums {
  sum: number;
  /** Sum of |x|: finite if and only if all values are. */
  size: number;
}

/** Sums over pairs of values, in f64. */
export interface Squares {
  /** Sum of x^2. */
  signal: number;
  /** Sum of (x - y)^2. */
  noise: number;
}

/** The column loop of GPTQ. */
export interface GptqOptions {
  /** f32 [rows, columns]; overwritten with the dequantized weights. */
  weights: Float32Array;
  rows: number;
  columns: number;
  /**
   * f64 [columns, columns], the upper Cholesky factor of the inverse Hessian; it is rounded to f32.
   */
  factor: Float64Array;
  grid: Grid;
  /** Columns in a group; divides `columns`. Default: `columns`, one group a row. */
  group?: number;
  /** f32 [rows, groups], groups = columns / group; read, or written when `find` is given. */
  scale: Float32Array;
  /** f32 [rows, groups]; as `scale`. Without it the zero points are 0. */
  zero?: Float32Array;
  /**
   * The group of each column, for columns that were permuted after their groups were fixed. Not
   * with `find`.
   */
  groupOf?: Int32Array;
  /**
   * Finds the grid of a group from its current weights [rows, group], when the loop reaches the
   * block it starts in.
   */
  find?: FindGrid;
  /** Columns between two updates of what `find` sees; changes nothing else. Default 128. */
  block?: number;
  /** u8 [rows, columns], written. */
  codes?: Uint8Array;
}

/** What the column loop reports. */
export interface GptqResult {
  /**
   * Sum over all weights of (w - q)^2 / (2 d^2), d the diagonal of the factor: the loss GPTQ
   * minimises.
   */
  loss: number;
}

/**
 * Matrix kernels over one block of memory. Arrays from {@linkcode MatrixKernel.float32} and its
 * siblings lie in that memory and are used where they are; any other typed array works too and is
 * copied in and out.
 *
 * Every call is synchronous. Shapes are checked before any work, and errors say what was given and
 * what is allowed. The same call on the same machine gives the same bytes. Between machines and
 * backends, `gemm`, `hessian` and the factorisations agree within rounding (a relaxed multiply-add
 * may round once or twice): each value of a product of depth k is within k + 4 roundings of the sum
 * of its absolute terms. `ranges`, `round`, `decode`, `gptq`, `sums` and `squares` use plain
 * operations in a fixed order and give the same bytes everywhere.
 */
export interface MatrixKernel {
  readonly backend: Backend;
  /** What computes matrix products: `"WebAssembly"`, or the name of the BLAS library. */
  readonly library: string;

  /**
   * An array of zeros in the kernel's memory, aligned to 64 bytes. Throws when the memory is full.
   */
  float32(length: number): Float32Array<ArrayBuffer>;
  /** As `float32`. */
  float64(length: number): Float64Array<ArrayBuffer>;
  /** As `float32`. */
  uint8(length: number): Uint8Array<ArrayBuffer>;
  /** As `float32`. */
  int32(length: number): Int32Array<ArrayBuffer>;
  /**
   * Runs `body` and then frees every array made inside it; its result must not be one of them.
   * Scopes may nest.
   */
  scope<Result>(body: () => Result): Result;

  /** C = alpha op(A) op(B) + beta C. */
  gemm(product: Product<Float32Array> | Product<Float64Array>): void;
  /**
   * H = beta H + scale X^T X. Products are summed in f32 over at most 512 rows and across those in
   * f64.
   */
  hessian(options: HessianOptions): void;
  /**
   * A = L L^T: L replaces A, zeros above the diagonal. Only the lower triangle is read. After a
   * failure A is destroyed.
   */
  cholesky(square: Square): PivotFailure | undefined;
  /** The inverse of a lower triangle replaces it; zeros above the diagonal. */
  invertLower(square: Square): PivotFailure | undefined;
  /**
   * The upper triangular U with U^T U = H^-1 replaces the symmetric H. Only the upper triangle is
   * read. After a failure H is destroyed.
   */
  inverseFactor(square: Square): PivotFailure | undefined;

  ranges(options: RangesOptions): void;
  round(options: RoundOptions): void;
  decode(options: DecodeOptions): void;
  sums(values: Float32Array): Sums;
  /** x and y must have equal lengths. */
  squares(x: Float32Array, y: Float32Array): Squares;
  gptq(options: GptqOptions): GptqResult;

  /** The operations of a transformer. */
  readonly network: NetworkKernel;
}

/** What {@linkcode mapPool} takes beside the items and the task. */
export interface PoolOptions {
  /** Default: one for each core, and no more than there are items. */
  workers?: number;
  /** Copied once to every worker and given to every call of the task. */
  context?: unknown;
  /** Stops the work: the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** The default export of a task's module. */
export type PoolTask<Item, Result, Context = undefined> = (
  item: Item,
  context: Context,
) => Result | Promise<Result>;
