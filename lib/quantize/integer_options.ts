/** The options that methods on the integer grid share. */
import type { OptionSchema } from "./method.ts";

export const integerOptions = {
  bits: {
    kind: "integer",
    default: 4,
    minimum: 1,
    maximum: 8,
    also: [16],
    meaning: "bits of a code; 16 keeps the weights as they are",
  },
  group: {
    kind: "integer",
    default: "row",
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    words: ["row"],
    meaning: "weights of a row that share a scale",
  },
  symmetric: {
    kind: "flag",
    default: false,
    meaning: "one range on both sides of zero, instead of the least to the greatest weight",
  },
  scales: {
    kind: "choice",
    default: "f16",
    allowed: ["f16", "f32"],
    meaning: "how a scale is kept; codes are always found with the float32 scale",
  },
} as const satisfies OptionSchema;
