import { addresses } from "./address.ts";
import type { Machine } from "./machine.ts";
import type { LinearBackwardOptions, LinearOptions } from "./network_types.ts";

/** Forward: see {@linkcode NetworkKernel.linear}. */
export function linear(machine: Machine, options: LinearOptions): void {
  const { x, weight, output, rows, width, out, accumulate = false } = options;
  const at = addresses(machine.arena, options);
  at("x", rows * width);
  at("weight", out * width);
  at("output", rows * out);
  const beta = Number(accumulate);
  machine.multiplySingle("NT", rows, out, width, 1, x, width, weight, width, beta, output, out);
}

/** Backward: see {@linkcode NetworkKernel.linearBackward}. */
export function linearBackward(machine: Machine, options: LinearBackwardOptions): void {
  const { x, weight, gradient, xGradient, weightGradient, rows, width, out } = options;
  const at = addresses(machine.arena, options);
  at("x", rows * width);
  at("weight", out * width);
  at("gradient", rows * out);
  at("xGradient", rows * width);
  at("weightGradient", out * width);
  machine.multiplySingle(
    "TN",
    out,
    width,
    rows,
    1,
    gradient,
    out,
    x,
    width,
    1,
    weightGradient,
    width,
  );
  machine.multiplySingle(
    "NN",
    rows,
    width,
    out,
    1,
    gradient,
    out,
    weight,
    width,
    0,
    xGradient,
    width,
  );
}
