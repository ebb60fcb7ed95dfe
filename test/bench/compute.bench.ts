/**
 * The kernels on one thread, with each backend that is there, beside plain NumPy
 * (compute_reference.py) on the same input: products in GF/s, Hessian, factorisations, the column
 * loop of GPTQ on the four matrices of a Pythia-160M block, rounding.
 *
 * GB/s counts 9 bytes a weight: 4 read, and 4 and a code written.
 */
import { type FindGrid, type Grid, loadKernel, type MatrixKernel } from "../../lib/compute/mod.ts";
import { type BenchRow, runPython, timeIt } from "./bench.ts";

/** What is timed: kind and sizes, as compute_reference.py takes them. */
type Task =
  | ["gemm", form: string, m: number, n: number, k: number, kind: "f32" | "f64"]
  | ["hessian", rows: number, columns: number]
  | ["cholesky" | "inverse_factor", n: number]
  | ["gptq", rows: number, columns: number, group: number, maxq: number]
  | ["rtn" | "nf4", rows: number, columns: number, width: number];

const tasks: readonly Task[] = [
  ["gemm", "NN", 8192, 64, 64, "f32"],
  ["gemm", "NN", 8192, 256, 256, "f32"],
  ["gemm", "NT", 8192, 256, 256, "f32"],
  ["gemm", "TN", 256, 256, 8192, "f32"],
  ["gemm", "NN", 8192, 384, 384, "f32"],
  ["gemm", "NN", 768, 768, 768, "f32"],
  ["gemm", "NN", 768, 768, 768, "f64"],
  ["hessian", 4096, 768],
  ["cholesky", 768],
  ["inverse_factor", 768],
  ["inverse_factor", 3072],
  ["gptq", 768, 768, 128, 15],
  ["gptq", 2304, 768, 128, 15],
  ["gptq", 3072, 768, 128, 15],
  ["gptq", 768, 3072, 128, 15],
  ["rtn", 4096, 4096, 128],
  ["nf4", 4096, 4096, 64],
];

/** A run to time, its result, and how much it does. */
interface Work {
  readonly run: () => void;
  readonly result: Float32Array | Float64Array;
  /** Floating-point operations, or bytes read and written. */
  readonly amount: number;
  readonly unit: "GF/s" | "GB/s";
}

export default async function computeBenchmark(): Promise<BenchRow[]> {
  type Answers = { library: string; answers: { milliseconds: number; check: number }[] };
  const peers = await runPython<Answers>("compute_reference.py", tasks, { modules: ["numpy"] });
  const rows: BenchRow[] = [];
  for (const kernel of backends()) {
    for (const [at, task] of tasks.entries()) {
      const [kind] = task;
      // These do without products: the backend makes no difference.
      if (kernel.backend === "blas" && (kind === "rtn" || kind === "nf4" || kind === "gptq")) {
        continue;
      }
      const work = prepare(kernel, task);
      const ours = await timeIt(work.run);
      const answer = peers?.answers[at];
      if (answer) checkAgreement(task.join(" "), work.result, answer.check);
      rows.push({
        name: `${kernel.backend} ${task.join(" ")}`,
        ours,
        ...(peers && answer &&
          { peer: { name: peers.library, milliseconds: answer.milliseconds } }),
        note: `${(work.amount / ours / 1e6).toPrecision(3)} ${work.unit}`,
      });
    }
  }
  return rows;
}

/** WebAssembly, and the system's BLAS where there is one that computes right. */
function* backends(): Generator<MatrixKernel> {
  yield loadKernel();
  try {
    yield loadKernel({ backend: "blas" });
  } catch {
    // No library: its rows are left out.
  }
}

function prepare(kernel: MatrixKernel, task: Task): Work {
  switch (task[0]) {
    case "gemm": {
      const [, form, m, n, k, kind] = task;
      const [transposeA, transposeB] = [form[0] === "T", form[1] === "T"];
      const sizes = { m, n, k, transposeA, transposeB };
      const product = kind === "f32"
        ? { a: bell(m * k, 1), b: bell(k * n, 2), c: new Float32Array(m * n) }
        : {
          ...{ a: Float64Array.from(bell(m * k, 1)), b: Float64Array.from(bell(k * n, 2)) },
          c: new Float64Array(m * n),
        };
      const run = () => kernel.gemm({ ...product, ...sizes } as Parameters<typeof kernel.gemm>[0]);
      return { run, result: product.c, amount: 2 * m * n * k, unit: "GF/s" };
    }
    case "hessian": {
      const [, rows, columns] = task;
      const inputs = bell(rows * columns, 1);
      const result = new Float64Array(columns * columns);
      const run = () => dampedHessian(kernel, inputs, columns, result);
      return { run, result, amount: rows * columns * columns, unit: "GF/s" };
    }
    case "cholesky":
    case "inverse_factor": {
      const [kind, n] = task;
      const hessian = new Float64Array(n * n);
      dampedHessian(kernel, bell(2 * n * n, 1), n, hessian);
      const a = new Float64Array(n * n);
      const step = kind === "cholesky" ? kernel.cholesky : kernel.inverseFactor;
      const run = () => {
        a.set(hessian);
        if (step({ a, n })) throw new Error(`${kind} failed`);
      };
      return { run, result: a, amount: n ** 3 / 3 * (kind === "cholesky" ? 1 : 2), unit: "GF/s" };
    }
    case "gptq":
      return gptqWork(kernel, task);
    case "rtn":
    case "nf4": {
      const [kind, rows, columns, width] = task;
      const values = bell(rows * columns, 1);
      const [codes, output] = [new Uint8Array(values.length), new Float32Array(values.length)];
      const scale = new Float32Array(values.length / width);
      const zero = scale.slice();
      const [grid, find] = kind === "rtn"
        ? [{ maxq: 15 }, symmetricGrid(kernel, 15)]
        : [nf4, symmetricGrid(kernel, 2)];
      const options = { values, width, grid, find, scale, zero, codes, output };
      const run = () => kernel.round(options);
      return { run, result: output, amount: 9 * values.length, unit: "GB/s" };
    }
  }
}

function gptqWork(kernel: MatrixKernel, task: Task & ["gptq", ...unknown[]]): Work {
  const [, rows, columns, group, maxq] = task;
  const factor = new Float64Array(columns * columns);
  dampedHessian(kernel, bell(2 * columns * columns, 1), columns, factor);
  if (kernel.inverseFactor({ a: factor, n: columns })) throw new Error("The Hessian is singular");
  const original = bell(rows * columns, 2);
  const weights = original.slice();
  const scale = new Float32Array(weights.length / group);
  const zero = scale.slice();
  const codes = new Uint8Array(weights.length);
  const shared = { weights, rows, columns, factor, group, scale, zero, codes };
  const run = () => {
    weights.set(original);
    kernel.gptq({ ...shared, grid: { maxq }, find: symmetricGrid(kernel, maxq) });
  };
  // Every column is subtracted from every later one.
  return { run, result: weights, amount: rows * columns * columns, unit: "GF/s" };
}

/** H = 2/n X^T X + 0.1 mean(diag). */
function dampedHessian(
  kernel: MatrixKernel,
  inputs: Float32Array,
  columns: number,
  hessian: Float64Array,
): void {
  const rows = inputs.length / columns;
  kernel.hessian({ inputs, rows, columns, hessian, scale: 2 / rows, beta: 0 });
  let trace = 0;
  for (let i = 0; i < columns; i++) trace += hessian[i * (columns + 1)]!;
  for (let i = 0; i < columns; i++) hessian[i * (columns + 1)]! += 0.1 * trace / columns;
}

/** scale = 2 max|w| / maxq, zero = (maxq + 1) / 2. */
function symmetricGrid(kernel: MatrixKernel, maxq: number): FindGrid {
  return (values, width, scale, zero) =>
    kernel.scope(() => {
      const minimum = kernel.float32(scale.length);
      const maximum = kernel.float32(scale.length);
      kernel.ranges({ values, width, minimum, maximum });
      for (let g = 0; g < scale.length; g++) {
        scale[g] = Math.max(-minimum[g]!, maximum[g]!, 1e-10) * Math.fround(2 / maxq);
      }
      zero.fill((maxq + 1) / 2);
    });
}

const levels = Float32Array.of(
  ...[-1, -0.6961928, -0.52507305, -0.39491749, -0.28444138, -0.18477343, -0.09105004, 0],
  ...[0.0795803, 0.1609302, 0.2461123, 0.33791524, 0.44070983, 0.562617, 0.72295684, 1],
);
const nf4: Grid = { levels, thresholds: levels.slice(1).map((x, i) => (x + levels[i]!) / 2) };

/** Throws unless the root mean squares of both results are the same to a thousandth. */
function checkAgreement(name: string, result: Float32Array | Float64Array, check: number): void {
  let sum = 0;
  for (const value of result) sum += value * value;
  const ours = Math.sqrt(sum / result.length);
  if (!(Math.abs(ours / check - 1) < 1e-3)) {
    throw new Error(`${name} disagrees with NumPy: root mean square ${ours}, ${check}`);
  }
}

/** Sums of the four bytes of a hash of each index: nearly normal. */
function bell(length: number, seed: number): Float32Array {
  const data = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    let x = i + seed * 1000003;
    x = Math.imul(x ^ (x >>> 16), 73244475);
    x = Math.imul(x ^ (x >>> 16), 73244475);
    x ^= x >>> 16;
    data[i] = ((x & 255) + (x >>> 8 & 255) + (x >>> 16 & 255) + (x >>> 24) - 510) / 128;
  }
  return data;
}
