import { addresses } from "./address.ts";
import { attention, attentionBackward, probabilitiesLength } from "./attention.ts";
import { linear, linearBackward } from "./linear.ts";
import type { Machine } from "./machine.ts";
import type {
  CrossEntropyOptions,
  NetworkKernel,
  NormGradient,
  NormOutput,
  RotaryOptions,
} from "./network_types.ts";

/**
 * The operations of a transformer over the kernel's memory: each looks its arrays up and calls its
 * kernel.
 */
export function networkKernel(machine: Machine): NetworkKernel {
  const { arena, wasm } = machine;
  return {
    gatherRows(options) {
      const { rows, width } = options;
      const at = addresses(arena, options);
      wasm.gatherRows(at("table", width), at("ids", rows), rows, width, at("values", rows * width));
    },
    scatterRows(options) {
      const { rows, width } = options;
      const at = addresses(arena, options);
      const values = at("values", rows * width);
      wasm.scatterRows(at("table", width), at("ids", rows), rows, width, values);
    },
    linear: (options) => linear(machine, options),
    linearBackward: (options) => linearBackward(machine, options),
    addBiases(options) {
      const { rows, width } = options;
      const at = addresses(arena, options);
      const [x, output] = [at("x", rows * width), at("output", rows * width)];
      wasm.addBiases(x, at("bias", width), at("bias2", width), rows, width, output);
    },
    addColumnSums(options) {
      const { rows, width } = options;
      const at = addresses(arena, options);
      wasm.addColumnSums(at("x", rows * width), rows, width, at("sums", width));
    },
    layerNorm(options) {
      const { rows, width, epsilon } = options;
      const at = addresses(arena, options);
      const a = addresses(arena, options.first);
      const b = addresses<Partial<NormOutput>>(arena, options.second ?? {});
      wasm.layerNormForward(
        ...[at("x", rows * width), rows, width, epsilon, at("moments", 2 * rows)] as const,
        ...[a("weight", width), a("bias", width), a("output", rows * width)] as const,
        ...[b("weight", width), b("bias", width), b("output", rows * width)] as const,
      );
    },
    layerNormBackward(options) {
      const { rows, width } = options;
      const at = addresses(arena, options);
      const a = addresses(arena, options.first);
      const b = addresses<Partial<NormGradient>>(arena, options.second ?? {});
      wasm.layerNormBackward(
        ...[at("x", rows * width), rows, width, at("moments", 2 * rows)] as const,
        ...[a("weight", width), a("gradient", rows * width)] as const,
        ...[a("weightGradient", width), a("biasGradient", width)] as const,
        ...[b("weight", width), b("gradient", rows * width)] as const,
        ...[b("weightGradient", width), b("biasGradient", width)] as const,
        at("xGradient", rows * width),
      );
    },
    rmsNorm(options) {
      const { rows, width, epsilon } = options;
      const at = addresses(arena, options);
      wasm.rmsNormForward(
        ...[at("x", rows * width), rows, width, epsilon, at("inverses", rows)] as const,
        ...[at("weight", width), at("output", rows * width)] as const,
      );
    },
    rmsNormBackward(options) {
      const { rows, width } = options;
      const at = addresses(arena, options);
      wasm.rmsNormBackward(
        ...[at("x", rows * width), rows, width, at("inverses", rows), at("weight", width)] as const,
        ...[at("gradient", rows * width), at("weightGradient", width)] as const,
      );
    },
    rotary: (options) => rotary(machine, wasm.rotaryForward, options),
    rotaryBackward: (options) => rotary(machine, wasm.rotaryBackward, options),
    attention: (options) => attention(machine, options),
    attentionBackward: (options) => attentionBackward(machine, options),
    probabilitiesLength,
    gelu(options) {
      const { rows, width, kind, keep = true } = options;
      const at = addresses(arena, options);
      const gelu = kind === "gelu" ? wasm.geluForward : wasm.geluTanhForward;
      const [x, output] = [at("x", rows * width), at("output", rows * width)];
      gelu(x, at("bias", width), output, rows, width, Number(keep));
    },
    geluBackward(options) {
      const { rows, width } = options;
      const at = addresses(arena, options);
      const [gradient, slope] = [at("gradient", rows * width), at("slope", rows * width)];
      wasm.geluBackward(gradient, slope, at("biasGradient", width), rows, width);
    },
    siluGate(options) {
      const length = options.rows * options.width;
      const at = addresses(arena, options);
      wasm.siluGate(at("gate", length), at("up", length), length, at("output", length));
    },
    joinHeads(options) {
      const { rows, heads, keyValueHeads, headWidth } = options;
      const at = addresses(arena, options);
      const [all, shared] = [rows * heads * headWidth, rows * keyValueHeads * headWidth];
      wasm.joinHeads(
        ...[at("query", all), at("key", shared), at("value", shared), rows] as const,
        ...[heads, keyValueHeads, headWidth, at("output", 3 * all)] as const,
      );
    },
    crossEntropy: (options) => crossEntropy(machine, options),
    roundWeights(variant, weights, output) {
      const at = addresses(arena, { weights, output });
      const round = variant === "b1" ? wasm.signWeights : wasm.ternaryWeights;
      round(at("weights", 0), weights.length, at("output", weights.length));
    },
    roundActivations(x, { rows, width }) {
      wasm.roundActivations(addresses(arena, { x })("x", rows * width), rows, width);
    },
    sumOfSquares(x) {
      return wasm.sumOfSquares(addresses(arena, { x })("x", 0), x.length);
    },
    adamW(options) {
      const { parameters: { length }, step, learningRate, epsilon, weightDecay, factor = 1 } =
        options;
      const at = addresses(arena, options);
      const [beta1, beta2] = options.betas;
      const [rate, root] = [learningRate / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step)];
      wasm.adamW(
        ...[at("parameters", length), at("gradients", length)] as const,
        ...[at("first", length), at("second", length), length, factor, beta1, beta2] as const,
        ...[learningRate * weightDecay, rate, root, epsilon] as const,
      );
    },
  };
}

function rotary(
  { arena }: Machine,
  turn: Machine["wasm"]["rotaryForward"],
  options: RotaryOptions,
): void {
  const { sequences, length, heads, headWidth, turned } = options;
  const [rows, width] = [sequences * length, heads * 3 * headWidth];
  const at = addresses(arena, options);
  const [x, bias, angles] = [
    at("x", rows * width),
    at("bias", width),
    at("angles", length * turned),
  ];
  turn(x, bias, angles, rows, length, heads, headWidth, turned);
}

function crossEntropy({ arena, wasm }: Machine, options: CrossEntropyOptions): void {
  const { rows, width, losses, scale = 0 } = options;
  const at = addresses(arena, options);
  arena.scope(() => {
    const [sums, distances] = [arena.float32(rows), arena.float32(rows)];
    const [x, targets] = [at("x", rows * width), at("targets", rows)];
    wasm.crossEntropy(x, targets, rows, width, sums.byteOffset, distances.byteOffset, scale);
    // The logarithm in f64: it costs little once a row, and losses are subtracted from each other
    // later.
    for (let i = 0; i < rows; i++) losses[i] = Math.log(sums[i]!) + distances[i]!;
  });
}
