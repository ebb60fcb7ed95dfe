// Embeddings, biases and their gradients: plain passes over the rows of a matrix.

/** Row `ids[i]` of the table to row i of `out`. */
export function gatherRows(table: usize, ids: usize, rows: i32, width: i32, out: usize): void {
  const row = <usize> width * 4;
  for (let r = 0; r < rows; r++) {
    memory.copy(out, table + <usize> load<i32>(ids) * row, row);
    ids += 4;
    out += row;
  }
}

/** Adds row i of `from` to row `ids[i]` of the table. */
export function scatterRows(table: usize, ids: usize, rows: i32, width: i32, from: usize): void {
  const row = <usize> width * 4;
  for (let r = 0; r < rows; r++) {
    const to = table + <usize> load<i32>(ids) * row;
    for (let i: usize = 0; i < row; i += 16) {
      v128.store(to + i, f32x4.add(v128.load(to + i), v128.load(from + i)));
    }
    ids += 4;
    from += row;
  }
}

/** out = x + bias + bias2 in every row; either bias may be 0. */
export function addBiases(
  x: usize,
  bias: usize,
  bias2: usize,
  rows: i32,
  width: i32,
  out: usize,
): void {
  const row = <usize> width * 4;
  for (let r = 0; r < rows; r++) {
    for (let i: usize = 0; i < row; i += 16) {
      let y = v128.load(x + i);
      if (bias) y = f32x4.add(y, v128.load(bias + i));
      if (bias2) y = f32x4.add(y, v128.load(bias2 + i));
      v128.store(out + i, y);
    }
    x += row;
    out += row;
  }
}

/** Adds the sum of each column of x to `sums`. */
export function addColumnSums(x: usize, rows: i32, width: i32, sums: usize): void {
  const row = <usize> width * 4;
  while (rows >= 4) {
    for (let i: usize = 0; i < row; i += 16) {
      const a = f32x4.add(v128.load(x + i), v128.load(x + row + i));
      const b = f32x4.add(v128.load(x + 2 * row + i), v128.load(x + 3 * row + i));
      v128.store(sums + i, f32x4.add(v128.load(sums + i), f32x4.add(a, b)));
    }
    x += 4 * row;
    rows -= 4;
  }
  while (rows) {
    for (let i: usize = 0; i < row; i += 16) {
      v128.store(sums + i, f32x4.add(v128.load(sums + i), v128.load(x + i)));
    }
    x += row;
    rows--;
  }
}
