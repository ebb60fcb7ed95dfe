/** The protocol of the landscape measurements: every constant of it, with its default. */

/** How the local loss landscape of a checkpoint is sampled. */
export interface LandscapeProtocol {
  /**
   * Radii of the radial profile, as signal to noise ratios in dB: a direction as long as the weights times r has
   * -20 log10 r dB, which is the SQNR of a format that moves the weights as far. The defaults go from 6-bit
   * elements (about 30 dB) to 2-bit ones (about 6 dB).
   */
  readonly noiseLevels: readonly number[];
  /** Random directions; the loss is taken on both sides of the weights along each. */
  readonly directions: number;
  /** Rise of the loss, nats per token, that counts as the first step of the profile. */
  readonly firstStep: number;
  /** Vectors of -1 and 1 in the estimate of the Hessian's trace (Hutchinson 1990). */
  readonly traceVectors: number;
  /**
   * Distance of the central differences of gradients, as a share of the weights' norm: 0.01 is 40 dB, where the loss
   * still is that of its second order.
   */
  readonly difference: number;
  /** Sequences of each text, evenly spaced, that the profile is taken on. */
  readonly profileSequences: number;
  /** Sequences of each text, evenly spaced, that curvatures are taken on; a multiple of `curvatureBatches`. */
  readonly curvatureSequences: number;
  /** Equal parts of these, whose differences give the sampling error over sequences. */
  readonly curvatureBatches: number;
  /** Seed of directions and vectors. Checkpoints of one shape have the same ones, up to their length. */
  readonly seed: number;
}

/** The protocol of `deno task landscape`. */
export const landscapeProtocol: LandscapeProtocol = {
  noiseLevels: [30, 25, 20, 15, 12, 9, 6],
  directions: 4,
  firstStep: 0.05,
  traceVectors: 8,
  difference: 0.01,
  profileSequences: 16,
  curvatureSequences: 8,
  curvatureBatches: 4,
  seed: 0,
};

/** Throws when a constant is out of range. */
export function checkProtocol(protocol: LandscapeProtocol): void {
  const { noiseLevels, firstStep, difference, seed, ...counts } = protocol;
  const refuse = (name: string, needs: string, got: unknown) => {
    throw new RangeError(`Cannot measure the landscape: ${name} needs ${needs}: got ${got}`);
  };
  for (const [name, count] of Object.entries(counts)) {
    const least = name === "profileSequences" ? 1 : 2;
    if (!(Number.isInteger(count) && count >= least)) {
      refuse(name, `a whole number of at least ${least}`, count);
    }
  }
  const falls = noiseLevels.every((level, i) => i === 0 || level < noiseLevels[i - 1]!);
  if (noiseLevels.length < 2 || !falls) {
    refuse("noiseLevels", "two or more falling numbers of dB", noiseLevels.join(", "));
  }
  if (!(firstStep > 0)) refuse("firstStep", "a positive number", firstStep);
  if (!(difference > 0)) refuse("difference", "a positive number", difference);
  if (!Number.isInteger(seed)) refuse("seed", "a whole number", seed);
  if (protocol.curvatureSequences % protocol.curvatureBatches !== 0) {
    const { curvatureSequences, curvatureBatches } = protocol;
    refuse("curvatureSequences", `a multiple of ${curvatureBatches}`, curvatureSequences);
  }
}
