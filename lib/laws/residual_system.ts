/** The residuals of one fit with their weights, loss and derivatives, as the solver wants them. */
import { differences } from "./derivatives.ts";
import type { Tall } from "./linear_algebra.ts";
import { huber, type Loss } from "./robust_loss.ts";

/** What makes up a fit, checked and with its defaults filled in. */
export interface SystemOptions {
  readonly rows: number;
  residuals(theta: Float64Array, out: Float64Array): void;
  jacobian?(theta: Float64Array, out: Float64Array): void;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly weights?: ArrayLike<number>;
  readonly huberDelta?: number;
}

/** A point that the solver has reached. */
export interface Place {
  readonly theta: Float64Array;
  /** One a row, unweighted. */
  readonly residuals: Float64Array;
  /** The sum of the losses; Infinity where a residual is not finite. */
  readonly objective: number;
}

/** Evaluates the residuals and their linear model of one fit, and owns the buffers for it. */
export class ResidualSystem {
  readonly width: number;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** Whether differences are refined; without effect on an analytic Jacobian. */
  refined = false;
  readonly #options: SystemOptions;
  readonly #loss: Loss | undefined;
  /** Roots of the weights. */
  readonly #roots: Float64Array;
  /** Factors of the derivatives: the roots, scaled by the loss. */
  readonly #slopes: Float64Array;
  readonly #jacobian: Float64Array;
  readonly #system: Tall;
  /** Largest absolute value of each parameter so far. */
  readonly #largest: Float64Array;
  /** Lengths of the Jacobian's columns where it was last taken. */
  readonly #lengths: Float64Array;

  constructor(options: SystemOptions) {
    const { rows, weights, lower, upper, huberDelta } = options;
    this.#options = options;
    this.width = lower.length;
    this.lower = lower;
    this.upper = upper;
    this.#loss = huberDelta === undefined ? undefined : huber(huberDelta);
    this.#roots = new Float64Array(rows);
    for (let i = 0; i < rows; i++) this.#roots[i] = Math.sqrt(weights?.[i] ?? 1);
    this.#slopes = this.#loss === undefined ? this.#roots : new Float64Array(rows);
    this.#jacobian = new Float64Array(rows * this.width);
    this.#system = {
      rows,
      columns: this.width,
      data: new Float64Array(rows * (this.width + 1)),
    };
    this.#largest = new Float64Array(this.width);
    this.#lengths = new Float64Array(this.width);
  }

  /** Whether the loss is other than squares. */
  get robust(): boolean {
    return this.#loss !== undefined;
  }

  /** Whether the derivatives are as good as they get. */
  get exact(): boolean {
    return this.refined || this.#options.jacobian !== undefined;
  }

  /** The place at `theta`. */
  at(theta: Float64Array): Place {
    const residuals = new Float64Array(this.#options.rows);
    this.#options.residuals(theta, residuals);
    return this.#place(theta, residuals);
  }

  /** Moves a place, the last one linearised, to `theta`, which differs in `linear` parameters only. */
  shift({ theta: from, residuals }: Place, theta: Float64Array, linear: readonly number[]): Place {
    const { width } = this;
    const jacobian = this.#jacobian;
    for (const j of linear) {
      const step = theta[j]! - from[j]!;
      for (let i = 0; i < residuals.length; i++) {
        residuals[i] = residuals[i]! + step * jacobian[i * width + j]!;
      }
    }
    return this.#place(theta, residuals);
  }

  #place(theta: Float64Array, residuals: Float64Array): Place {
    const roots = this.#roots;
    const loss = this.#loss;
    let objective = 0;
    for (let i = 0; i < roots.length; i++) {
      const root = roots[i]!;
      if (root === 0) continue;
      const residual = residuals[i]!;
      objective += root * root * (loss === undefined ? residual * residual : loss.value(residual));
    }
    return { theta, residuals, objective: Number.isFinite(objective) ? objective : Infinity };
  }

  /**
   * The linear model at a place: min ||A p + b||, whose gradient is that of half the objective. The same buffer
   * serves every call. `columns` limits which derivatives are taken when they cost evaluations.
   */
  linearise({ theta, residuals }: Place, columns?: readonly number[]): Tall {
    const { width } = this;
    const { rows, data } = this.#system;
    const jacobian = this.#jacobian;
    const loss = this.#loss;
    if (this.#options.jacobian !== undefined) this.#options.jacobian(theta, jacobian);
    else this.#difference(theta, columns);
    const roots = this.#roots;
    const slopes = this.#slopes;
    for (let i = 0; i < rows; i++) {
      const root = roots[i]!;
      const residual = residuals[i]!;
      let weight = 1;
      if (loss !== undefined) {
        const scale = loss.slopeScale(residual);
        weight = loss.weight(residual) / scale;
        slopes[i] = root * scale;
      }
      data[width * rows + i] = root === 0 ? 0 : root * weight * residual;
    }
    for (let j = 0; j < width; j++) {
      let sum = 0;
      for (let i = 0; i < rows; i++) {
        const value = slopes[i] === 0 ? 0 : slopes[i]! * jacobian[i * width + j]!;
        data[j * rows + i] = value;
        sum += value * value;
      }
      this.#lengths[j] = Math.sqrt(sum);
    }
    return this.#system;
  }

  /** Lengths of the columns of the last linear model. */
  get lengths(): Readonly<Float64Array> {
    return this.#lengths;
  }

  /**
   * Standard deviation of a residual with `rank` parameters fitted. For Huber's loss the K sqrt(sum psi^2 / (n - p))
   * / mean psi' of P. J. Huber 1981, "Robust Statistics", 7.6.
   */
  deviation(residuals: Float64Array, rank: number): number {
    let count = 0;
    let inside = 0;
    let sum = 0;
    for (let i = 0; i < residuals.length; i++) {
      const weight = this.#roots[i]! ** 2;
      if (weight === 0) continue;
      const residual = residuals[i]!;
      const kept = this.#loss?.weight(residual) ?? 1;
      count += weight;
      if (kept === 1) inside += weight;
      sum += weight * (kept * residual) ** 2;
    }
    if (!(count > rank)) return NaN;
    const share = inside / count;
    const correction = 1 + rank / count * (1 - share) / share;
    return correction / share * Math.sqrt(sum / (count - rank));
  }

  /** Takes derivatives by differences, with steps for the typical sizes of the parameters. */
  #difference(theta: Float64Array, columns?: readonly number[]): void {
    theta.forEach((value, j) => this.#largest[j] = Math.max(this.#largest[j]!, Math.abs(value)));
    const reach = Math.max(...theta.map((value, j) => Math.abs(value) * this.#lengths[j]!));
    // A parameter near 0 is stepped by what moves the residuals about as much as the strongest one does.
    const sizes = theta.map((value, j) =>
      Math.max(Math.abs(value), Math.min(reach / this.#lengths[j]!, this.#largest[j]!) || 0) || 1
    );
    const { lower, upper, refined } = this;
    const options = { sizes, lower, upper, refined, columns };
    differences(this.#options.residuals, theta, this.#jacobian, options);
  }
}
