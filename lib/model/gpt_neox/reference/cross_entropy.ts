import { softmax } from "./attention.ts";

/**
 * The loss -ln softmax(logits)[target] of each row, in nats. `backward` gives the gradient of their
 * mean over the logits: (softmax(logits) - 1 at the target) / rows.
 */
export function crossEntropy(logits: Float64Array, targets: Int32Array) {
  const width = logits.length / targets.length;
  const losses = new Float64Array(targets.length);
  const gradient = new Float64Array(logits.length);
  targets.forEach((target, row) => {
    const p = softmax(logits.subarray(row * width, (row + 1) * width));
    losses[row] = -Math.log(p[target]!);
    p[target]! -= 1;
    gradient.set(p.map((v) => v / targets.length), row * width);
  });
  return { losses, backward: () => gradient };
}
