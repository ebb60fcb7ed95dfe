import { requireSizes, requireValues } from "./check.ts";
import type { Machine } from "./machine.ts";
import { type LocalGrid, localGrid } from "./round.ts";
import type { FindGrid, GptqOptions, GptqResult } from "./types.ts";

/** Rows of a strip: the lanes of two vectors. */
const lanes = 8;

/** Columns of a slice: strips have room for a whole number of them. */
const slice = 5;

const task = "Cannot run the column loop of GPTQ";

/**
 * Quantizes the columns one after the other, each with the errors of all earlier ones taken out of
 * it. The weights are held as strips of 8 rows stored column after column (see assembly/gptq.ts), a
 * block of columns at a time through every strip.
 */
export function gptq(machine: Machine, options: GptqOptions): GptqResult {
  const { columns, find, block = 128 } = options;
  const group = options.group ?? columns;
  checkShapes(options, group, block);
  const { arena, wasm } = machine;
  return arena.scope(() => {
    const grid = localGrid(arena, task, options.grid);
    const layer = new StripedLayer(machine, options, group);
    const factor = arena.float32(padTo(slice, columns) * columns);
    arena.scope(() => {
      const upper = arena.bring(options.factor);
      wasm.packFactor(upper.byteOffset, columns, factor.byteOffset);
    });
    const errors = arena.float32(Math.min(block, columns) * lanes);
    let loss = 0;
    for (let start = 0; start < columns; start += block) {
      const end = Math.min(columns, start + block);
      if (find) {
        for (let g = Math.ceil(start / group); g * group < end; g++) layer.find(g, find);
      }
      loss += layer.quantize(grid, factor, errors, start, end);
    }
    layer.write();
    return { loss };
  });
}

/** A layer's weights, codes and grids in the kernel's memory, in strips of 8 rows. */
class StripedLayer {
  readonly #machine: Machine;
  readonly #options: GptqOptions;
  readonly #group: number;
  readonly #groups: number;
  /** Values of one strip. */
  readonly #stride: number;
  /** f32 [strips][columns, padded to whole slices][8] */
  readonly #weights: Float32Array;
  /** u8 [strips][columns][8] */
  readonly #codes: Uint8Array;
  /** f32 [strips][groups][8] */
  readonly #scale: Float32Array;
  readonly #zero: Float32Array;
  /** i32 [columns] */
  readonly #groupOf: Int32Array;

  constructor(machine: Machine, options: GptqOptions, group: number) {
    const { arena, wasm } = machine;
    const { rows, columns, weights, scale, zero, groupOf, find } = options;
    const padded = padTo(lanes, rows);
    this.#machine = machine;
    this.#options = options;
    this.#group = group;
    this.#groups = columns / group;
    this.#stride = padTo(slice, columns) * lanes;
    this.#weights = arena.float32(padded / lanes * this.#stride);
    this.#codes = arena.uint8(padded * columns);
    this.#scale = arena.float32(padded * this.#groups).fill(1);
    this.#zero = arena.float32(padded * this.#groups);
    this.#groupOf = arena.int32(columns);
    this.#groupOf.set(groupOf ?? this.#groupOf.map((_, column) => Math.floor(column / group)));
    this.#eachStrip((strip, row, count) => {
      const local = arena.bring(weights.subarray(row * columns, (row + count) * columns));
      wasm.packStrip(local.byteOffset, columns, count, strip);
    });
    if (find) return;
    for (let row = 0; row < rows; row++) {
      for (let g = 0; g < this.#groups; g++) {
        this.#setGrid(row, g, scale[row * this.#groups + g], zero?.[row * this.#groups + g] ?? 0);
      }
    }
  }

  /** Has the grid of one group found from its current weights. */
  find(g: number, find: FindGrid): void {
    const { arena, wasm } = this.#machine;
    const { rows, scale, zero } = this.#options;
    const width = this.#group;
    arena.scope(() => {
      const values = arena.float32(rows * width);
      this.#eachStrip((strip, row, count) => {
        const to = values.byteOffset + row * width * 4;
        wasm.unpackStrip(strip, g * width, width, count, to, width);
      });
      const [scales, zeros] = [arena.float32(rows), arena.float32(rows)];
      find(values, width, scales, zeros);
      for (let row = 0; row < rows; row++) {
        const [s, z] = [scales[row] ?? NaN, zeros[row] ?? NaN];
        this.#setGrid(row, g, s, z);
        scale[row * this.#groups + g] = s;
        if (zero) zero[row * this.#groups + g] = z;
      }
    });
  }

  /**
   * Quantizes a block of columns in every strip and updates the columns after it; returns the
   * block's loss.
   */
  quantize(
    grid: LocalGrid,
    factor: Float32Array,
    errors: Float32Array,
    start: number,
    end: number,
  ): number {
    const { columns } = this.#options;
    const { maxq, levels, thresholds, count, names } = grid;
    let loss = 0;
    this.#eachStrip((strip, row, rows) => {
      const grids = row * this.#groups * 4;
      loss += this.#machine.wasm.gptqBlock(
        ...[strip, rows, columns, factor.byteOffset, start, end] as const,
        ...[this.#groupOf.byteOffset, this.#scale.byteOffset + grids] as const,
        ...[this.#zero.byteOffset + grids, maxq, levels, thresholds, count, names] as const,
        ...[this.#codes.byteOffset + row * columns, errors.byteOffset] as const,
      );
    });
    return loss;
  }

  /** Writes the dequantized weights and the codes back as rows. */
  write(): void {
    const { arena, wasm } = this.#machine;
    const { weights, codes, columns } = this.#options;
    this.#eachStrip((strip, row, count) => {
      const [from, to] = [row * columns, (row + count) * columns];
      const inside = arena.holds(weights);
      const local = inside ? weights.subarray(from, to) : arena.float32(to - from);
      wasm.unpackStrip(strip, 0, columns, count, local.byteOffset, columns);
      if (!inside) weights.set(local, from);
      if (!codes) return;
      const here = arena.holds(codes) ? codes.subarray(from, to) : arena.uint8(to - from);
      wasm.unpackCodes(this.#codes.byteOffset + from, columns, count, here.byteOffset);
      if (!arena.holds(codes)) codes.set(here, from);
    });
  }

  #setGrid(row: number, g: number, scale: number | undefined, zero: number): void {
    const at = (Math.floor(row / lanes) * this.#groups + g) * lanes + row % lanes;
    this.#scale[at] = scale ?? NaN;
    this.#zero[at] = zero;
  }

  /** Calls `body` with each strip's address, its first row and how many rows it has. */
  #eachStrip(body: (strip: number, row: number, count: number) => void): void {
    const { rows } = this.#options;
    for (let row = 0; row < rows; row += lanes) {
      const strip = this.#weights.byteOffset + row / lanes * this.#stride * 4;
      this.#machine.arena.scope(() => body(strip, row, Math.min(lanes, rows - row)));
    }
  }
}

/** The least multiple of `step` that is not below `count`. */
function padTo(step: number, count: number): number {
  return Math.ceil(count / step) * step;
}

/** Checks every shape before any work. */
function checkShapes(options: GptqOptions, group: number, block: number): void {
  const { rows, columns, weights, factor, scale, zero, groupOf, find, codes } = options;
  requireSizes(task, { rows, columns, group, block }, 1);
  if (columns % group !== 0) {
    throw new RangeError(`${task}: the group must divide the ${columns} columns: got ${group}`);
  }
  const groups = columns / group;
  const shape = `[${rows}, ${columns}]`;
  requireValues(task, `weights ${shape}`, weights, rows * columns);
  requireValues(task, `factor [${columns}, ${columns}]`, factor, columns * columns);
  requireValues(task, `scale [${rows}, ${groups}]`, scale, rows * groups);
  if (zero) requireValues(task, `zero [${rows}, ${groups}]`, zero, rows * groups);
  if (codes) requireValues(task, `codes ${shape}`, codes, rows * columns);
  if (!groupOf) return;
  if (find) {
    throw new TypeError(`${task}: groupOf needs grids that are known: do not give find too`);
  }
  requireValues(task, `groupOf [${columns}]`, groupOf, columns);
  const wrong = groupOf.findIndex((g) => g < 0 || g >= groups);
  if (wrong >= 0) {
    throw new RangeError(
      `${task}: groupOf must hold groups from 0 to ${groups - 1}: got ${
        groupOf[wrong]
      } for column ${wrong}`,
    );
  }
}
