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
  /** The weights of the rows. */
  readonly #weights: Float64Array;
  /** What a row counts for in the products of derivatives, and in those with the residuals. */
  readonly #curvature: Float64Array;
  readonly #pull: Float64Array;
  /** Derivatives, [rows, parameters], row-major. */
  readonly #jacobian: Float64Array;
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
    this.#weights = new Float64Array(rows).fill(1);
    if (weights !== undefined) {
      for (let i = 0; i < rows; i++) this.#weights[i] = weights[i]!;
    }
    const robust = this.#loss !== undefined;
    this.#curvature = robust ? new Float64Array(rows) : this.#weights;
    this.#pull = robust ? new Float64Array(rows) : this.#weights;
    this.#jacobian = new Float64Array(rows * this.width);
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
    const weights = this.#weights;
    const loss = this.#loss;
    let objective = 0;
    for (let i = 0; i < weights.length; i++) {
      if (weights[i] === 0) continue;
      const residual = residuals[i]!;
      objective += weights[i]! * (loss === undefined ? residual * residual : loss.value(residual));
    }
    return { theta, residuals, objective: Number.isFinite(objective) ? objective : Infinity };
  }

  /**
   * Takes the derivatives at a place. Returns the products of the columns of the linear model min ||A p + b|| with
   * each other, [parameters + 1, parameters + 1], b for the last; its gradient is that of half the objective.
   *
   * @param columns which derivatives to take, when they cost evaluations; the others are worth nothing then
   */
  gram({ theta, residuals, objective }: Place, columns?: readonly number[]): Float64Array {
    const { width } = this;
    const side = width + 1;
    const rows = residuals.length;
    const jacobian = this.#jacobian;
    if (this.#options.jacobian !== undefined) this.#options.jacobian(theta, jacobian);
    else this.#difference(theta, columns);
    this.#weigh(residuals);
    const curvature = this.#curvature;
    const pull = this.#pull;
    const gram = new Float64Array(side * side);
    for (let a = 0; a < width; a++) {
      let gradient = 0;
      for (let i = 0; i < rows; i++) {
        if (pull[i] !== 0) gradient += pull[i]! * residuals[i]! * jacobian[i * width + a]!;
      }
      gram[a * side + width] = gram[width * side + a] = gradient;
      // Two products in one pass read column a once.
      for (let b = a; b < width; b += 2) {
        const c = Math.min(b + 1, width - 1);
        let first = 0;
        let second = 0;
        for (let at = 0, i = 0; i < rows; i++, at += width) {
          const value = curvature[i]! * jacobian[at + a]!;
          first += value * jacobian[at + b]!;
          second += value * jacobian[at + c]!;
        }
        gram[a * side + b] = gram[b * side + a] = first;
        gram[a * side + c] = gram[c * side + a] = second;
      }
      this.#lengths[a] = Math.sqrt(gram[a * side + a]!);
    }
    let total = objective;
    if (this.#loss !== undefined) {
      total = 0;
      for (let i = 0; i < rows; i++) {
        if (pull[i] !== 0) total += (pull[i]! * residuals[i]!) ** 2 / curvature[i]!;
      }
    }
    gram[side * side - 1] = total;
    return gram;
  }

  /** The linear model itself, with the derivatives that were last taken, which are those at `place`. */
  tall({ residuals }: Place): Tall {
    const { width } = this;
    const rows = residuals.length;
    const data = new Float64Array(rows * (width + 1));
    for (let i = 0; i < rows; i++) {
      if (this.#pull[i] === 0) continue;
      const root = Math.sqrt(this.#curvature[i]!);
      for (let j = 0; j < width; j++) data[j * rows + i] = root * this.#jacobian[i * width + j]!;
      data[width * rows + i] = this.#pull[i]! / root * residuals[i]!;
    }
    return { rows, columns: width, data };
  }

  /** What each row counts for at these residuals. A row of weight 0 may have derivatives that are not finite. */
  #weigh(residuals: Float64Array): void {
    const weights = this.#weights;
    const loss = this.#loss;
    for (let i = 0; i < weights.length; i++) {
      const weight = weights[i]!;
      if (weight === 0) {
        for (let at = i * this.width; at < (i + 1) * this.width; at++) {
          if (!Number.isFinite(this.#jacobian[at]!)) this.#jacobian[at] = 0;
        }
      } else if (loss !== undefined) {
        this.#curvature[i] = weight * loss.curvature(residuals[i]!);
        this.#pull[i] = weight * loss.weight(residuals[i]!);
      }
    }
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
      const weight = this.#weights[i]!;
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
