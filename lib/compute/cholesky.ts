import { requireSizes, requireValues } from "./check.ts";
import { gemm } from "./gemm.ts";
import type { Machine } from "./machine.ts";
import type { Arena } from "./memory.ts";
import type { PivotFailure, Square } from "./types.ts";

/** Columns that are factored or inverted without products. */
const block = 64;

/** Columns of one product: wide enough to be fast, narrow enough to waste little beyond the triangle. */
const strip = 192;

/** A step over a square matrix that lies in the kernel's memory. */
type Step = (machine: Machine, a: Float64Array, n: number) => PivotFailure | undefined;

/** A = L L^T in place. */
export function cholesky(machine: Machine, square: Square): PivotFailure | undefined {
  return inPlace(machine, "Cannot factor the matrix", square, factor);
}

/** The inverse of a lower triangle in place. */
export function invertLower(machine: Machine, square: Square): PivotFailure | undefined {
  return inPlace(machine, "Cannot invert the triangle", square, invert);
}

/**
 * U with U^T U = H^-1 in place, without forming H^-1. Turned by half a turn, which reverses the array, H is L L^T; turned
 * back that is H = R R^T with an upper R, and so H^-1 = R^-T R^-1: U is the inverse of R, L^-1 turned back.
 */
export function inverseFactor(machine: Machine, square: Square): PivotFailure | undefined {
  return inPlace(machine, "Cannot factor the inverse Hessian", square, (_, a, n) => {
    a.reverse();
    const failure = factor(machine, a, n) ?? invert(machine, a, n);
    if (failure) return { ...failure, column: n - 1 - failure.column };
    a.reverse();
    return undefined;
  });
}

function inPlace(
  machine: Machine,
  task: string,
  { a, n }: Square,
  step: Step,
): PivotFailure | undefined {
  requireSizes(task, { n }, 0);
  requireValues(task, `A [${n}, ${n}]`, a, n * n);
  return machine.arena.scope(() => {
    const whole = a.subarray(0, n * n);
    const local = machine.arena.bring(whole);
    const failure = step(machine, local, n);
    if (local !== whole) whole.set(local);
    return failure;
  });
}

/** Right-looking: a block of columns, what lies below it, then its products taken from all that lies to the right. */
const factor: Step = (machine, a, n) => {
  const { arena, wasm } = machine;
  const inverse = arena.float64(block * block);
  const panel = arena.float64(n * block);
  for (let k = 0; k < n; k += block) {
    const width = Math.min(block, n - k);
    const corner = a.byteOffset + (k * n + k) * 8;
    const failed = wasm.choleskyBlock(corner, n, width);
    if (failed >= 0) return { column: k + failed, pivot: a[(k + failed) * (n + 1)] ?? NaN };
    const next = k + width;
    const m = n - next;
    wasm.invertBlock(corner, n, width, inverse.byteOffset);
    copyRows(arena, a, next * n + k, n, panel, 0, width, m, width);
    gemm(machine, {
      ...{ a: panel, b: inverse, c: a.subarray(next * n + k) },
      ...{ m, n: width, k: width, ldc: n, transposeB: true },
    });
    for (let j = next; j < n; j += strip) {
      const rows = a.subarray(j * n + k);
      gemm(machine, {
        ...{ a: rows, b: rows, c: a.subarray(j * n + j), lda: n, ldb: n, ldc: n },
        ...{ m: n - j, n: Math.min(strip, n - j), k: width },
        ...{ transposeB: true, alpha: -1, beta: 1 },
      });
    }
  }
  clearUpper(a, n);
  return undefined;
};

/**
 * The last block of columns first. With the triangle split as [[D, 0], [P, T]], T inverted already, the inverse's lower left
 * part is -T^-1 P D^-1.
 */
const invert: Step = (machine, a, n) => {
  const { arena, wasm } = machine;
  for (let j = 0; j < n; j++) {
    const pivot = a[j * n + j] ?? NaN;
    if (pivot === 0 || !Number.isFinite(pivot)) return { column: j, pivot };
  }
  clearUpper(a, n);
  const inverse = arena.float64(block * block);
  const panel = arena.float64(n * block);
  const last = Math.ceil(n / block) * block - block;
  for (let k = last; k >= 0; k -= block) {
    const width = Math.min(block, n - k);
    const next = k + width;
    const m = n - next;
    wasm.invertBlock(a.byteOffset + (k * n + k) * 8, n, width, inverse.byteOffset);
    gemm(machine, {
      ...{ a: a.subarray(next * n + k), b: inverse, c: panel },
      ...{ m, n: width, k: width, lda: n, ldb: width },
    });
    for (let i = 0; i < m; i += strip) {
      const rows = Math.min(strip, m - i);
      gemm(machine, {
        ...{ a: a.subarray((next + i) * n + next), b: panel, c: a.subarray((next + i) * n + k) },
        ...{ m: rows, n: width, k: i + rows, lda: n, ldc: n, alpha: -1 },
      });
    }
    copyRows(arena, inverse, 0, width, a, k * n + k, n, width, width);
  }
  return undefined;
};

/** Copies a rows x columns part of one matrix in the kernel's memory to another. */
function copyRows(
  arena: Arena,
  from: Float64Array,
  start: number,
  stride: number,
  to: Float64Array,
  toStart: number,
  toStride: number,
  rows: number,
  columns: number,
): void {
  for (let i = 0; i < rows; i++) {
    const [target, source] = [toStart + i * toStride, start + i * stride];
    arena.copy(to.byteOffset + target * 8, from.byteOffset + source * 8, columns * 8);
  }
}

function clearUpper(a: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) a.fill(0, i * n + i + 1, (i + 1) * n);
}
