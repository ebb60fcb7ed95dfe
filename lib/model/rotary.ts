import type { MatrixKernel } from "../compute/mod.ts";
import type { Rotary } from "./config.ts";

/**
 * Rows [cosines, sines] of so many positions: pair i turns by position / base^(2 i / width), and more
 * slowly with Llama 3's scaling (Dubey et al. 2024, arXiv 2407.21783; the code of `transformers`).
 */
export function rotaryAngles(
  kernel: MatrixKernel,
  rotary: Rotary,
  positions: number,
): Float32Array {
  const half = rotary.width / 2;
  const divisors = Array.from({ length: half }, (_, i) => divisorOf(rotary, i / half));
  const angles = kernel.float32(positions * rotary.width);
  for (let position = 0; position < positions; position++) {
    for (let i = 0; i < half; i++) {
      const angle = position / divisors[i]!;
      angles[position * rotary.width + i] = Math.cos(angle);
      angles[position * rotary.width + half + i] = Math.sin(angle);
    }
  }
  return angles;
}

/** What a pair's position is divided by; `part` is 2 i / width. */
function divisorOf({ base, scaling }: Rotary, part: number): number {
  const divisor = base ** part;
  if (!scaling) return divisor;
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalContext } = scaling;
  // Turns within the original context: few are slowed down, many stay, and between it is mixed.
  const turns = originalContext / (2 * Math.PI * divisor);
  if (turns < low) return divisor * factor;
  if (turns > high) return divisor;
  const kept = (turns - low) / (high - low);
  return divisor / (kept + (1 - kept) / factor);
}
