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
  readonly weights?: Float64Array;
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
  /** Rows with a weight above 0, and the roots of their weights. */
  readonly #active: Int32Array;
  readonly #roots: Float64Array;
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
    const all = Int32Array.from({ length: rows }, (_, i) => i);
    this.#active = weights === undefined ? all : all.filter((i) => weights[i]! > 0);
    this.#roots = Float64Array.from(this.#active, (i) => Math.sqrt(weights?.[i] ?? 1));
    this.#jacobian = new Float64Array(rows * this.width);
    this.#system = {
      rows: this.#active.length,
      columns: this.width,
      data: new Float64Array(this.#active.length * (this.width + 1)),
    };
    this.#largest = new Float64Array(this.width);
    this.#lengths = new Float64Array(this.width);
  }

  /** Whether the derivatives are as good as they get. */
  get exact(): boolean {
    return this.refined || this.#options.jacobian !== undefined;
  }

  /** The residuals and the objective at `theta`. */
  at(theta: Float64Array): Place {
    const residuals = new Float64Array(this.#options.rows);
    this.#options.residuals(theta, residuals);
    let objective = 0;
    for (let i = 0; i < this.#active.length; i++) {
      const residual = residuals[this.#active[i]!]!;
      const value = this.#loss === undefined ? residual * residual : this.#loss.value(residual);
      objective += this.#roots[i]! * this.#roots[i]! * value;
    }
    return { theta, residuals, objective: Number.isFinite(objective) ? objective : Infinity };
  }

  /**
   * The linear model at a place: min ||A p + b||, whose gradient is that of half the objective. The same buffer
   * serves every call. `columns` limits which derivatives are taken when they cost evaluations.
   */
  linearise({ theta, residuals }: Place, columns?: readonly number[]): Tall {
    const { rows, data } = this.#system;
    const { width } = this;
    if (this.#options.jacobian !== undefined) this.#options.jacobian(theta, this.#jacobian);
    else this.#difference(theta, columns);
    const slopes = this.#roots.slice();
    for (let i = 0; i < rows; i++) {
      const residual = residuals[this.#active[i]!]!;
      let weight = this.#roots[i]!;
      if (this.#loss !== undefined) {
        const scale = this.#loss.slopeScale(residual);
        slopes[i] = slopes[i]! * scale;
        weight *= this.#loss.weight(residual) / scale;
      }
      data[width * rows + i] = weight * residual;
    }
    for (let j = 0; j < width; j++) {
      let sum = 0;
      for (let i = 0; i < rows; i++) {
        const value = slopes[i]! * this.#jacobian[this.#active[i]! * width + j]!;
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
    for (let i = 0; i < this.#active.length; i++) {
      const residual = residuals[this.#active[i]!]!;
      const weight = this.#roots[i]! ** 2;
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
