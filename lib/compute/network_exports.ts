/** An address in the kernel's memory, in bytes; 0 for none. */
type Address = number;

/**
 * The exports of `assembly/` that the operations of a transformer use; the sources document them.
 */
export interface NetworkExports {
  gatherRows(table: Address, ids: Address, rows: number, width: number, out: Address): void;
  scatterRows(table: Address, ids: Address, rows: number, width: number, from: Address): void;
  addBiases(
    ...args: [x: Address, a: Address, b: Address, rows: number, width: number, out: Address]
  ): void;
  addColumnSums(x: Address, rows: number, width: number, sums: Address): void;
  layerNormForward(
    ...args: [
      ...[x: Address, rows: number, width: number, epsilon: number, moments: Address],
      ...[weight: Address, bias: Address, first: Address],
      ...[weight2: Address, bias2: Address, second: Address],
    ]
  ): void;
  layerNormBackward(
    ...args: [
      ...[x: Address, rows: number, width: number, moments: Address],
      ...[weight: Address, first: Address, dWeight: Address, dBias: Address],
      ...[weight2: Address, second: Address, dWeight2: Address, dBias2: Address],
      dx: Address,
    ]
  ): void;
  rmsNormForward(
    ...args: [
      ...[x: Address, rows: number, width: number, epsilon: number, inverses: Address],
      ...[weight: Address, y: Address],
    ]
  ): void;
  rmsNormBackward(
    ...args: [
      ...[x: Address, rows: number, width: number, inverses: Address],
      ...[weight: Address, gradient: Address, dWeight: Address],
    ]
  ): void;
  rotaryForward: Rotary;
  rotaryBackward: Rotary;
  siluGate(gate: Address, up: Address, length: number, out: Address): void;
  joinHeads(
    ...args: [
      ...[query: Address, key: Address, value: Address, rows: number],
      ...[heads: number, keyHeads: number, headWidth: number, out: Address],
    ]
  ): void;
  softmaxForward(x: Address, rows: number, first: number, columns: number, stride: number): void;
  softmaxBackward(
    ...args: [
      ...[gradient: Address, p: Address, rows: number, columns: number, stride: number],
      ...[output: Address, dOutput: Address, width: number, outputStride: number, scale: number],
    ]
  ): void;
  geluForward: Gelu;
  geluTanhForward: Gelu;
  geluBackward(
    ...args: [gradient: Address, slope: Address, bias: Address, rows: number, width: number]
  ): void;
  crossEntropy(
    ...args: [
      ...[x: Address, targets: Address, rows: number, width: number],
      ...[sums: Address, distances: Address, scale: number],
    ]
  ): void;
  ternaryWeights(x: Address, length: number, out: Address): void;
  signWeights(x: Address, length: number, out: Address): void;
  roundActivations(x: Address, rows: number, width: number): void;
  sumOfSquares(x: Address, length: number): number;
  adamW(
    ...args: [
      ...[x: Address, gradient: Address, first: Address, second: Address, length: number],
      ...[clip: number, beta1: number, beta2: number],
      ...[decay: number, rate: number, root: number, epsilon: number],
    ]
  ): void;
}

type Rotary = (
  ...args: [
    ...[x: Address, bias: Address, angles: Address, rows: number, length: number],
    ...[heads: number, headWidth: number, turned: number],
  ]
) => void;

type Gelu = (
  ...args: [h: Address, bias: Address, value: Address, rows: number, width: number, keep: number]
) => void;
