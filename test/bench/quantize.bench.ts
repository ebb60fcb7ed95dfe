/**
 * Every quantization method on a 4,096 x 4,096 layer and on the four matrices of a Pythia-160M
 * block, on one thread, beside a plain reading of it in PyTorch or NumPy (quantize_reference.py) on
 * the same weights. GPTQ is split into Hessian, factor and column loop. Ours is the whole call,
 * which also checks the weights and measures the error; "kernel" is the rounding alone.
 *
 * GB/s counts 9 bytes a weight: 4 read, and 4 and a code written; for the copy, 8.
 */
import { loadKernel, type MatrixKernel } from "../../lib/compute/mod.ts";
import {
  factorHessian,
  type Grid,
  grids,
  hessianOf,
  integerGrid,
  type Matrix,
  quantize,
  useKernel,
} from "../../lib/quantize/mod.ts";
import { type BenchRow, runPython, timeIt } from "./bench.ts";

/** [out, in]; the four of a Pythia-160M block, and a large one. */
const block = [[2304, 768], [768, 768], [3072, 768], [768, 3072]] as const;
const large = [4096, 4096] as const;
const tokens = 2048;
/** Bytes that the kernels may use: the most that WebAssembly can have. */
const memory = 65535 * 65536;

/** What the reference calls a method, and our spec of the same. */
const specs = {
  rtn: "rtn:bits=4,group=128,symmetric=true",
  nf4: "nf4",
  fp4: "fp4",
  mxint4: "mxint4",
  mxfp4: "mxfp4",
  int8: "int8",
  bitnet: "bitnet",
  hqq: "hqq:bits=4,group=64",
  awq: "awq:bits=4,group=128,clip=false",
} as const;

const gptqParts = ["gptq_hessian", "gptq_factor", "gptq_loop"];

interface Reference {
  readonly library: string;
  readonly methods: Readonly<Record<string, { milliseconds: number; mse?: number }>>;
}

interface LayerTask {
  readonly weights: Matrix;
  readonly activations: Matrix;
  readonly label: string;
  readonly reference?: Reference;
}

export default async function quantizeBenchmark(): Promise<BenchRow[]> {
  const kernels = [loadKernel({ memory }), loadBlas()].filter((kernel) => kernel !== undefined);
  const spaces = kernels.map((kernel) => kernel.float64(large[1] ** 2));
  const rows: BenchRow[] = [];
  const parts: BenchRow[] = [];
  for (const [height, columns] of [...block, large]) {
    const reference = await runPython<Reference | null>("quantize_reference.py", {
      rows: height,
      columns,
      tokens,
      threads: 1,
      methods: ["copy_weights", ...Object.keys(specs), ...gptqParts],
    });
    const layer = {
      weights: bell(height, columns, 1, 2 ** -13),
      activations: bell(tokens, columns, 2, 2 ** -7),
      label: `${height} x ${columns}`,
      ...(reference && { reference }),
    };
    for (const [index, kernel] of kernels.entries()) {
      useKernel(kernel);
      if (index === 0) {
        rows.push(await copyRow(layer), ...await methodRows(layer));
        rows.push(...await kernelRows(kernel, layer));
      }
      const own = await gptqRows(kernel, { ...layer, space: spaces[index]! });
      rows.push(...own);
      if (columns !== large[1]) parts.push(...own);
    }
  }
  return [...rows, ...blockRows(parts)];
}

/** The system's BLAS, where it has one that computes right. */
function loadBlas(): MatrixKernel | undefined {
  try {
    return loadKernel({ backend: "blas", memory });
  } catch {
    return undefined;
  }
}

async function copyRow({ weights: { data }, label, reference }: LayerTask): Promise<BenchRow> {
  const to = new Float32Array(data.length);
  return {
    name: `copy, ${label}`,
    ...await rated(data.length, 8, () => to.set(data)),
    ...(reference && { peer: peerOf(reference, "copy_weights") }),
  };
}

/** Each method by the one call, and what the reference takes for the same. */
async function methodRows(layer: LayerTask): Promise<BenchRow[]> {
  const { weights, activations, label, reference } = layer;
  const rows: BenchRow[] = [];
  for (const [method, spec] of Object.entries(specs)) {
    const inputs = method === "awq" ? { activations } : {};
    const { error } = quantize(weights, spec, inputs);
    const peer = reference?.methods[method];
    if (peer) checkAgreement(spec, error.mse, peer.mse!);
    rows.push({
      name: `${spec}, ${label}`,
      ...await rated(weights.data.length, 9, () => quantize(weights, spec, inputs)),
      ...(reference && peer && { peer: peerOf(reference, method) }),
    });
  }
  return rows;
}

/** Rounding alone, in arrays that are there already. */
async function kernelRows(kernel: MatrixKernel, layer: LayerTask): Promise<BenchRow[]> {
  const { weights: { data }, label, reference } = layer;
  const named: [string, Grid][] = [
    ["rtn", integerGrid({ bits: 4, group: 128, symmetric: true, scales: "f32" })],
    ["nf4", grids.nf4!()],
  ];
  const rows: BenchRow[] = [];
  for (const [name, { group, steps, find }] of named) {
    const scale = new Float32Array(data.length / group);
    const zero = new Float32Array(data.length / group);
    const codes = new Uint8Array(data.length);
    const output = new Float32Array(data.length);
    const options = { values: data, width: group, grid: steps, find, scale, zero, codes, output };
    const timed = await rated(data.length, 9, () => kernel.round(options));
    rows.push({
      name: `${name} kernel, ${label}`,
      ...timed,
      ...(reference && { peer: peerOf(reference, name) }),
    });
  }
  return rows;
}

/** The three parts of GPTQ with the settings of the preset `paper`, 4 bits. */
async function gptqRows(
  kernel: MatrixKernel,
  { weights, activations, label, reference, space }: LayerTask & {
    /** Where a factor goes, in the kernels' memory, as in `gptq` itself. */
    readonly space: Float64Array;
  },
): Promise<BenchRow[]> {
  const { rows, columns, data } = weights;
  const hessian = hessianOf(activations);
  const grid = integerGrid({ bits: 4, group: 128, symmetric: true, scales: "f32" });
  const codes = new Uint8Array(data.length);
  const scale = new Float32Array(data.length / 128);
  const zero = new Float32Array(data.length / 128);
  const shape = { rows, columns, group: 128, grid: grid.steps, find: grid.find };
  const upper = space.subarray(0, columns * columns);
  const factor = () => factorHessian(hessian, { damping: 0.1, upper });
  const loop = () => {
    const work = data.slice();
    kernel.gptq({ ...shape, weights: work, factor: upper, scale, zero, codes });
    return work;
  };
  factor();
  const peer = reference?.methods.gptq_loop;
  if (peer) checkAgreement("gptq", meanSquare(data, loop()), peer.mse!);
  const parts: [string, string, () => unknown][] = [
    ["Hessian", "gptq_hessian", () => hessianOf(activations)],
    ["factor", "gptq_factor", factor],
    ["loop", "gptq_loop", loop],
  ];
  const backend = kernel.backend === "blas" ? " with BLAS" : "";
  const timed: BenchRow[] = [];
  for (const [part, method, run] of parts) {
    timed.push({
      name: `gptq ${part}${backend}, ${label}`,
      ...await rated(data.length, 9, run),
      ...(reference && { peer: peerOf(reference, method) }),
    });
  }
  return timed;
}

/** GPTQ of the whole block: each part, and all of them, with each backend. */
function blockRows(parts: readonly BenchRow[]): BenchRow[] {
  const sum = (rows: readonly BenchRow[], name: string): BenchRow => {
    const peers = rows.flatMap(({ peer }) => peer ?? []);
    const milliseconds = peers.reduce((total, peer) => total + peer.milliseconds, 0);
    return {
      name,
      ours: rows.reduce((total, { ours }) => total + ours, 0),
      ...(peers[0] && { peer: { name: peers[0].name, milliseconds } }),
    };
  };
  const kinds = [...new Set(parts.map(({ name }) => name.split(",")[0]!))];
  const byKind = (kind: string) => parts.filter(({ name }) => name.startsWith(`${kind},`));
  const withBlas = (yes: boolean) => parts.filter(({ name }) => name.includes("BLAS") === yes);
  const rows = kinds.map((kind) => sum(byKind(kind), `${kind}, Pythia-160M block`));
  rows.push(sum(withBlas(false), "gptq, Pythia-160M block"));
  if (withBlas(true).length > 0) {
    rows.push(sum(withBlas(true), "gptq with BLAS, Pythia-160M block"));
  }
  return rows;
}

function peerOf({ library, methods }: Reference, method: string): BenchRow["peer"] {
  return { name: library, milliseconds: methods[method]!.milliseconds };
}

/** Times a run on so many weights; what takes more than 2 seconds is run once. */
async function rated(
  weights: number,
  bytes: number,
  run: () => unknown,
): Promise<{ ours: number; note: string }> {
  const start = performance.now();
  run();
  const once = performance.now() - start;
  const ours = once > 2000 ? once : await timeIt(run);
  const rate = (weights / ours / 1000).toPrecision(3);
  return {
    ours,
    note: `${rate} M weights/s, ${(weights * bytes / ours / 1e6).toPrecision(3)} GB/s`,
  };
}

/** Throws when our error and the reference's are not the same to a thousandth. */
function checkAgreement(what: string, ours: number, peer: number): void {
  if (!(Math.abs(ours / peer - 1) < 1e-3)) {
    throw new Error(`${what} disagrees with its reference: mean squared error ${ours}, ${peer}`);
  }
}

function meanSquare(before: Float32Array, after: Float32Array): number {
  return before.reduce((sum, value, i) => sum + (value - after[i]!) ** 2, 0) / before.length;
}

/** Sums of the four bytes of a hash of each index: whole numbers, nearly normal, times unit. */
function bell(rows: number, columns: number, seed: number, unit: number): Matrix {
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < data.length; i++) {
    let x = i + seed * 1000003;
    x = Math.imul(x ^ (x >>> 16), 73244475);
    x = Math.imul(x ^ (x >>> 16), 73244475);
    x ^= x >>> 16;
    const sum = (x & 255) + (x >>> 8 & 255) + (x >>> 16 & 255) + (x >>> 24);
    data[i] = (sum - 510) * unit;
  }
  return { rows, columns, data };
}
