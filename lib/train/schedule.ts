/** Learning rates over the steps of a run. */

/** How the learning rate goes: a warm-up to the peak, and then one of three ways. */
export type Schedule =
  /** Half a cosine from the peak to `floor` of it at the last step. */
  | { readonly kind: "cosine"; readonly warmUp: number; readonly steps: number }
  /** The peak. */
  | { readonly kind: "constant"; readonly warmUp: number }
  /** Warm-up, stable, decay: the peak until `decayFrom`, then a straight line to `floor` of it. */
  | {
    readonly kind: "wsd";
    readonly warmUp: number;
    readonly decayFrom: number;
    readonly steps: number;
  };

/** Where a decay ends, as a share of the peak. */
export const floor = 0.1;

/**
 * The learning rate of a step, as a share of the peak. Steps count from 0; `warmUp`, `steps` and
 * `decayFrom` are numbers of steps.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { rateAt } from "./schedule.ts";
 *
 * const schedule = { kind: "cosine", warmUp: 10, steps: 1010 } as const;
 * assert.equal(rateAt(schedule, 4), 0.5);
 * assert.ok(Math.abs(rateAt(schedule, 510) - 0.55) < 1e-12);
 * ```
 */
export function rateAt(schedule: Schedule, step: number): number {
  if (step < schedule.warmUp) return (step + 1) / schedule.warmUp;
  switch (schedule.kind) {
    case "constant":
      return 1;
    case "cosine": {
      const done = (step - schedule.warmUp) / (schedule.steps - schedule.warmUp);
      return floor + (1 - floor) * (1 + Math.cos(Math.PI * Math.min(1, done))) / 2;
    }
    case "wsd": {
      if (step < schedule.decayFrom) return 1;
      const done = (step + 1 - schedule.decayFrom) / (schedule.steps - schedule.decayFrom);
      return 1 - (1 - floor) * Math.min(1, done);
    }
  }
}
