/** Row-major matrices with their columns scaled, clamped, cut out, padded or moved. */
import type { Matrix } from "./method.ts";

/** A matrix of numbers or codes. */
export interface Columns<T extends Float32Array | Float64Array | Uint8Array> {
  readonly rows: number;
  readonly columns: number;
  readonly data: T;
}

/** Each column times its scale. */
export function scaleColumns({ rows, columns, data }: Matrix, scales: Float32Array): Matrix {
  const scaled = new Float32Array(data.length);
  for (let row = 0; row < data.length; row += columns) {
    for (let i = 0; i < columns; i++) scaled[row + i] = data[row + i]! * scales[i]!;
  }
  return { rows, columns, data: scaled };
}

/** Each column over its scale. */
export function unscaleColumns({ rows, columns, data }: Matrix, scales: Float32Array): Matrix {
  const scaled = new Float32Array(data.length);
  for (let row = 0; row < data.length; row += columns) {
    for (let i = 0; i < columns; i++) scaled[row + i] = data[row + i]! / scales[i]!;
  }
  return { rows, columns, data: scaled };
}

/** Every weight brought to between -limit and limit of its group, groups in order. */
export function clampGroups({ rows, columns, data }: Matrix, limits: Float32Array): Matrix {
  const width = data.length / limits.length;
  const clamped = new Float32Array(data.length);
  for (const [group, limit] of limits.entries()) {
    for (let i = group * width; i < (group + 1) * width; i++) {
      clamped[i] = Math.min(Math.max(data[i]!, -limit), limit);
    }
  }
  return { rows, columns, data: clamped };
}

/** `width` columns from `from` on; columns beyond the last are 0. */
export function columnsOf<T extends Float32Array | Float64Array | Uint8Array>(
  matrix: Columns<T>,
  { from = 0, width }: { from?: number; width: number },
): Columns<T> {
  const { rows, columns, data } = matrix;
  if (from === 0 && width === columns) return matrix;
  const part = new (data.constructor as new (length: number) => T)(rows * width);
  for (let row = 0; row < rows; row++) {
    const end = Math.min(from + width, columns);
    part.set(data.subarray(row * columns + from, row * columns + end), row * width);
  }
  return { rows, columns: width, data: part };
}

/** Column i of the result is column order[i] of the matrix. */
export function permuteColumns<T extends Float32Array | Uint8Array>(
  { rows, columns, data }: Columns<T>,
  order: Int32Array,
): Columns<T> {
  const moved = data.slice() as T;
  for (let row = 0; row < data.length; row += columns) {
    for (let i = 0; i < columns; i++) moved[row + i] = data[row + order[i]!]!;
  }
  return { rows, columns, data: moved };
}
