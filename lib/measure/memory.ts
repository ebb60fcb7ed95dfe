/** How much memory a process needs at most, from the sizes of a model and of what is measured. */
import { layoutOf, type ModelConfig, sequencesAtOnce } from "../model/mod.ts";
import { methods, parseSpec } from "../quantize/mod.ts";
import type { Plan } from "./plan.ts";

/** Bytes of the runtime, its libraries and what is not yet collected. */
const baseBytes = 4e8;
/** Reserved for the kernel; what is not touched costs nothing. */
export const kernelMemory = 65535 * 65536;

/** With this flag of Deno a process lets go of a block before it reads the next: the bound rests on it. */
export const collecting = "--v8-flags=--expose-gc";

/** What a model is measured with. */
export interface MemoryOptions {
  /** Positions in a sequence. */
  readonly length: number;
  /** Test sequences of all texts together. */
  readonly sequences: number;
  /** Calibration sequences. */
  readonly calibration: number;
  /** What the methods look at. */
  readonly needs: ReadonlySet<"nothing" | "hessian" | "activations">;
}

/**
 * Bytes that a process needs at most to measure a model: the largest block's weights a few times, a table of the vocabulary,
 * the hidden states, and a Hessian of the widest map for methods that want one. The depth of a model does not matter.
 */
export function memoryOf(config: ModelConfig, options: MemoryOptions): number {
  const { width, innerWidth, vocabulary, heads, headWidth } = config;
  const { length, sequences, calibration, needs } = options;
  const slots = layoutOf(config).filter(({ name }) => /\.layers\.0\./.test(name));
  const block = slots.reduce((sum, slot) => sum + slot.length, 0);
  const largest = Math.max(...slots.map((slot) => slot.length));
  const widest = Math.max(...slots.map(({ shape }) => shape.length > 1 ? shape[1]! : 0));
  const rows = sequencesAtOnce(length) * length;
  const table = vocabulary * width;
  const [hessian, activations] = [needs.has("hessian"), needs.has("activations")];
  const calibrated = hessian ? calibration : activations ? Math.min(32, calibration) : 0;
  const seen = activations ? Math.min(32, calibration) * length : 0;
  const pass = block + rows * (6 * width + 5 * heads * headWidth + 3 * innerWidth);
  const kernel = Math.max(
    4 * pass,
    4 * (table + 512 * (2 * width + vocabulary)),
    hessian ? 12 * widest ** 2 + 16 * largest : 16 * largest,
    activations ? 4 * (pass + 2 * seen * innerWidth) : 0,
  );
  const heap = Math.max(4 * (4 * block + 2 * largest), 12 * table) +
    4 * (sequences + calibrated) * length * width + (hessian ? 16 * widest ** 2 : 0) +
    8 * seen * (3 * width + innerWidth);
  return baseBytes + 1.1 * (kernel + heap);
}

/** Bytes that a process of a plan needs at most; undefined where no checkpoint could be read. */
export function memoryOfPlan(plan: Plan): number | undefined {
  const { tests, calibration, checkpoints, items } = plan;
  const options: MemoryOptions = {
    length: tests[0]!.length,
    sequences: tests.reduce((sum, test) => sum + test.sequences, 0),
    calibration: calibration?.sequences ?? 0,
    needs: new Set(items.map(({ method }) => parseSpec(method, methods).method.needs)),
  };
  const configs = checkpoints.flatMap(({ config }) => config ? [config] : []);
  if (configs.length === 0) return undefined;
  return Math.max(...configs.map((config) => memoryOf(config, options)));
}

/** How many processes a plan may have at a time: one a core, as far as the free memory goes, and at least one. */
export function processesFor(plan: Plan): number {
  const fits = Math.floor(0.9 * Deno.systemMemoryInfo().available / (memoryOfPlan(plan) ?? 1));
  return Math.max(1, Math.min(navigator.hardwareConcurrency, fits));
}
