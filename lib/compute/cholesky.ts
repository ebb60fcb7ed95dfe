import { requireSizes, requireValues } from "./check.ts";
import { gemm } from "./gemm.ts";
import type { Machine } from "./machine.ts";
import type { Arena } from "./memory.ts";
import type { PivotFailure, Square } from "./types.ts";

/** Columns that are factored or inverted without products of matrices. */
const block = 64;

/**
 * Columns of one product: wide enough to be fast, narrow enough to waste little beyond the
 * triangle.
 */
const strip = 96;

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
 * U with U^T U = H^-1 in place, without forming H^-1. Turned by half a turn, which reverses the
 * array, H is L L^T; turned back that is H = R R^T with an upper R, and so H^-1 = R^-T R^-1: U is
 * the inverse of R, L^-1 turned back.
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

/**
 * Halves until a block is left, so that most of the work is in products as deep as they are wide.
 */
const factor: Step = (machine, a, n) => {
  const { arena, wasm } = machine;
  const inverse = arena.float64(block * block);
  const panel = arena.float64(n * block);

  /** Columns from .. to, down to the last row; what lies to the left has been taken out of them. */
  function columns(from: number, to: number): PivotFailure | undefined {
    const width = to - from;
    if (width <= block) return blockColumns(from, width);
    const middle = from + half(width);
    const failure = columns(from, middle);
    if (failure) return failure;
    for (let j = middle; j < to; j += strip) {
      const rows = a.subarray(j * n + from);
      gemm(machine, {
        ...{ a: rows, b: rows, c: a.subarray(j * n + j), lda: n, ldb: n, ldc: n },
        ...{ m: n - j, n: Math.min(strip, to - j), k: middle - from },
        ...{ transposeB: true, alpha: -1, beta: 1 },
      });
    }
    return columns(middle, to);
  }

  /** One block on the diagonal, D = L L^T, and the panel P below it, which becomes P L^-T. */
  function blockColumns(from: number, width: number): PivotFailure | undefined {
    const corner = a.byteOffset + (from * n + from) * 8;
    const failed = wasm.choleskyBlock(corner, n, width);
    if (failed >= 0) return { column: from + failed, pivot: a[(from + failed) * (n + 1)] ?? NaN };
    const below = (from + width) * n + from;
    const m = n - from - width;
    wasm.invertBlock(corner, n, width, inverse.byteOffset);
    copyRows(
      arena,
      { a, start: below, stride: n },
      { a: panel, start: 0, stride: width },
      m,
      width,
    );
    gemm(machine, {
      ...{ a: panel, b: inverse, c: a.subarray(below), ldc: n },
      ...{ m, n: width, k: width, transposeB: true },
    });
    return undefined;
  }

  const failure = columns(0, n);
  clearUpper(a, n);
  return failure;
};

/**
 * With the triangle split as [[S, 0], [P, T]] and S and T inverted, what is left is -T^-1 P S^-1.
 */
const invert: Step = (machine, a, n) => {
  const { arena, wasm } = machine;
  for (let j = 0; j < n; j++) {
    const pivot = a[j * n + j] ?? NaN;
    if (pivot === 0 || !Number.isFinite(pivot)) return { column: j, pivot };
  }
  clearUpper(a, n);
  const inverse = arena.float64(block * block);
  const product = arena.float64(half(n) ** 2);

  /** Rows and columns from .. to. */
  function triangle(from: number, to: number): void {
    const width = to - from;
    if (width <= block) {
      const corner = from * n + from;
      wasm.invertBlock(a.byteOffset + corner * 8, n, width, inverse.byteOffset);
      const [source, target] = [{ a: inverse, start: 0, stride: width }, {
        a,
        start: corner,
        stride: n,
      }];
      return copyRows(arena, source, target, width, width);
    }
    const k = half(width);
    const middle = from + k;
    const m = to - middle;
    triangle(from, middle);
    triangle(middle, to);
    // P S^-1, from the row on where a strip of columns of S^-1 begins.
    for (let j = 0; j < k; j += strip) {
      gemm(machine, {
        ...{ a: a.subarray(middle * n + from + j), b: a.subarray((from + j) * (n + 1)) },
        ...{ c: product.subarray(j), lda: n, ldb: n, ldc: k },
        ...{ m, n: Math.min(strip, k - j), k: k - j },
      });
    }
    // -T^-1 times that, up to the column where a strip of rows of T^-1 ends.
    for (let i = 0; i < m; i += strip) {
      const rows = Math.min(strip, m - i);
      gemm(machine, {
        ...{ a: a.subarray((middle + i) * n + middle), b: product },
        ...{ c: a.subarray((middle + i) * n + from), lda: n, ldb: k, ldc: n },
        ...{ m: rows, n: k, k: i + rows, alpha: -1 },
      });
    }
  }

  triangle(0, n);
  return undefined;
};

/** Where to split `width` columns: in the middle, at a whole number of blocks. */
function half(width: number): number {
  return Math.ceil(width / block / 2) * block;
}

/**
 * Part of a matrix in the kernel's memory: its first value, and values from one row to the next.
 */
interface Part {
  a: Float64Array;
  start: number;
  stride: number;
}

function copyRows(arena: Arena, from: Part, to: Part, rows: number, columns: number): void {
  const source = from.a.byteOffset + from.start * 8;
  const target = to.a.byteOffset + to.start * 8;
  for (let i = 0; i < rows; i++) {
    arena.copy(target + i * to.stride * 8, source + i * from.stride * 8, columns * 8);
  }
}

function clearUpper(a: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) a.fill(0, i * n + i + 1, (i + 1) * n);
}
