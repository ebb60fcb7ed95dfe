import type { MatrixKernel } from "../../compute/mod.ts";
import type { ModelConfig } from "../config.ts";
import { backwardBlock, forwardBlock, type Layer } from "./block.ts";
import type { Parameters } from "./parameters.ts";
import { mapBackward, mapForward, normalise, normaliseBackward, type Run } from "./run.ts";
import { makeWorkspace, type Workspace } from "./workspace.ts";

/** Sequences that are worked through together. */
export interface Part {
  readonly sequences: number;
  readonly length: number;
}

/**
 * Rows (tokens) that are worked through together: enough for whole tiles of the products, and few
 * enough that what an operation writes is still in the cache when the next reads it.
 */
const rowsAtOnce = 256;

/**
 * GPT-NeoX forward and backward on the kernels, some sequences at a time, in memory that is made
 * once. It computes what `reference/model.ts` computes; that is the one to read first.
 */
export class Network {
  /** The caller fills `ids` and `targets`, and reads `logits` and `losses`. */
  readonly space: Workspace;
  readonly #config: ModelConfig;
  readonly #kernel: MatrixKernel;
  readonly #parameters: Parameters;
  readonly #layers: readonly Layer[];
  readonly #rows: number;

  constructor(kernel: MatrixKernel, config: ModelConfig, parameters: Parameters) {
    this.#config = config;
    this.#kernel = kernel;
    this.#parameters = parameters;
    this.#rows = Math.max(rowsAtOnce, config.context);
    this.space = makeWorkspace(kernel, config, this.#rows);
    this.#layers = parameters.blocks.map((block, i) => ({ block, space: this.space.blocks[i]! }));
  }

  /** How many sequences of a length fit. */
  sequencesAtOnce(length: number): number {
    return Math.floor(this.#rows / length);
  }

  /**
   * Rounds the weights of BitNet's maps: due before a pass when the parameters may have changed.
   */
  roundWeights(): void {
    const { bitLinear } = this.#config;
    if (!bitLinear) return;
    for (const { queryKeyValue, dense, up, down } of this.#parameters.blocks) {
      for (const { weight, used } of [queryKeyValue, dense, up, down]) {
        this.#kernel.network.roundWeights(bitLinear, weight.value, used);
      }
    }
  }

  /** From the ids to the logits. */
  forward(part: Part): void {
    const { ids, hidden, hiddenMoments: moments, normed, logits } = this.space;
    const { embedIn, embedOut, finalNorm } = this.#parameters;
    const run = this.#run(part);
    const inputs = [...this.#layers.map(({ space }) => space.x), hidden];
    const { rows, config: { width } } = run;
    run.kernel.gatherRows({ rows, width, table: embedIn.value, ids, values: inputs[0]! });
    this.#layers.forEach((layer, i) => forwardBlock(run, layer, inputs[i + 1]!));
    normalise(run, { x: hidden, moments }, { ...finalNorm, values: normed });
    mapForward(run, embedOut, normed, logits);
  }

  /**
   * The losses of the targets; with a `scale`, the logits become the gradient of scale times their
   * sum.
   */
  losses(part: Part, scale = 0): void {
    const { kernel, rows, config: { vocabulary: width } } = this.#run(part);
    const { logits: x, targets, losses } = this.space;
    kernel.crossEntropy({ rows, width, x, targets, losses, scale });
  }

  /** From the gradient of the logits to those of all parameters, to which it adds. */
  backward(part: Part): void {
    const { ids, hidden, hiddenMoments: moments, normed, logits, dHidden, dMlp } = this.space;
    const { embedIn, embedOut, finalNorm } = this.#parameters;
    const run = this.#run(part);
    const { rows, config: { width } } = run;
    mapBackward(run, embedOut, { x: normed, gradient: logits, xGradient: dMlp });
    dHidden.fill(0, 0, rows * width);
    normaliseBackward(run, { x: hidden, moments }, { ...finalNorm, values: dMlp });
    for (const layer of this.#layers.toReversed()) backwardBlock(run, layer);
    run.kernel.scatterRows({ rows, width, table: embedIn.gradient, ids, values: dHidden });
  }

  #run({ sequences, length }: Part): Run {
    const [kernel, config, space] = [this.#kernel.network, this.#config, this.space];
    return { kernel, config, space, sequences, length, rows: sequences * length };
  }
}
