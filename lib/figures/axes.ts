/** Axes that several figures share. */
import type { Axis } from "./panel.ts";
import { countLabel } from "./style.ts";

/** Overrides of a shared axis. */
export type AxisOptions = Partial<Axis> & Pick<Axis, "domain" | "ticks">;

/** Training tokens D on a log axis, with ticks such as 10B. */
export function tokensAxis(options: AxisOptions): Axis {
  return { label: "Training data *D* (tokens)", log: true, format: countLabel, ...options };
}

/** Model size N on a log axis, with ticks such as 1B. */
export function sizeAxis(options: AxisOptions): Axis {
  return {
    label: "Model size *N* (non-embedding parameters)",
    log: true,
    format: countLabel,
    ...options,
  };
}

/** QiD in nats per token. */
export function qidAxis(options: AxisOptions): Axis {
  return { label: "QiD (nats per token)", ...options };
}
