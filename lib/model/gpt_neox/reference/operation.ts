/** A parameter tensor: its values, and where its gradient is summed. */
export interface Parameter {
  readonly value: Float64Array;
  readonly gradient: Float64Array;
}

/** What an operation gave, and its derivative. */
export interface Operation {
  readonly value: Float64Array;
  /**
   * Takes the gradient of the loss over `value`, adds to the gradients of the operation's
   * parameters, and returns the gradient over its input.
   */
  backward(gradient: Float64Array): Float64Array;
}

/** a + b, value by value. */
export function add(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + b[i]!);
}
