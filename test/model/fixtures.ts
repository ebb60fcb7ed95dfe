// The tiny checkpoints that the public `transformers` library made, with the logits it gives.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SafetensorsFile } from "../../lib/checkpoint/mod.ts";
import { readConfig } from "../../lib/model/mod.ts";

export const fixtureNames = [
  ...["gpt_neox", "gpt_neox_sequential", "llama", "llama3_rope", "mistral", "olmo2", "qwen2"],
];

/** A checkpoint and what it must give on two sequences of 40 tokens. */
export function loadFixture(name: string) {
  const path = (file: string) =>
    fileURLToPath(new URL(`fixtures/${name}/${file}`, import.meta.url));
  const json = (file: string) => JSON.parse(readFileSync(path(file), "utf8"));
  using checkpoint = new SafetensorsFile(path("model.safetensors"));
  using expected = new SafetensorsFile(path("expected.safetensors"));
  const tensors = new Map(
    [...checkpoint.tensors.keys()].map((key) => [key, checkpoint.floats(key)]),
  );
  return {
    config: readConfig(json("config.json")),
    tensors,
    ids: expected.integers("input_ids") as Int32Array,
    logits: expected.floats("logits"),
    /** Mean over positions 1 to 39, nats per token. */
    loss: json("expected.json").loss_nats_per_token as number,
  };
}

/**
 * Rows of 41 ids from rows of 40: the loss of the last position, whose target is made up, is not
 * looked at.
 */
export function withTargets(ids: Int32Array): Int32Array {
  return Int32Array.from([...ids.subarray(0, 40), 0, ...ids.subarray(40), 0]);
}

/** The largest difference of two arrays. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? NaN))),
    0,
  );
}
