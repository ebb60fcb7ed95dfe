/** The state of a run on the disk: what is needed to go on to the same bytes. */
import { createHash } from "node:crypto";
import { bytesOf, SafetensorsFile, writeSafetensors } from "../checkpoint/mod.ts";

/** Parameters and moments, each flat and in one order, after `step` steps. */
export interface State {
  readonly step: number;
  readonly parameters: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
}

const arrays = ["parameters", "first", "second"] as const;

/** Writes a state, whole or not at all. The notes say what it belongs to. */
export function writeState(path: string, state: State, notes: Record<string, string>): void {
  const tensors = arrays.map((name) => ({
    name,
    dtype: "F32",
    shape: [state[name].length],
    bytes: () => bytesOf(state[name]),
  } as const));
  writeSafetensors(path, tensors, {
    ...notes,
    step: String(state.step),
    sha256: checksum(state),
  });
}

/**
 * Reads a state into arrays of the run's length, and returns its step.
 * @throws if the file is cut, was changed, or its notes differ; the message names it.
 */
export function readState(
  path: string,
  into: Omit<State, "step">,
  notes: Record<string, string>,
): number {
  try {
    using file = new SafetensorsFile(path);
    for (const [key, value] of Object.entries(notes)) {
      const found = file.metadata[key];
      if (found !== value) throw new Error(`${key}: needs ${value}: got ${found}`);
    }
    const [parameters, first, second] = arrays.map((name) => file.floats(name));
    const state: State = {
      step: Number(file.metadata.step),
      parameters: parameters!,
      first: first!,
      second: second!,
    };
    if (checksum(state) !== file.metadata.sha256) throw new Error("its checksum does not fit");
    for (const name of arrays) {
      const [needed, got] = [into[name].length, state[name].length];
      if (needed !== got) throw new Error(`${name}: needs ${needed} values: got ${got}`);
    }
    for (const name of arrays) into[name].set(state[name]);
    return state.step;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `Cannot go on from ${path}: ${reason}: ` +
        "delete it to train the run again from its start (its checkpoints are kept)",
      { cause: error },
    );
  }
}

/** The step of a state, from its header. */
export function stepOf(path: string): number {
  using file = new SafetensorsFile(path);
  return Number(file.metadata.step);
}

function checksum(state: State): string {
  const hash = createHash("sha256").update(String(state.step));
  for (const name of arrays) hash.update(bytesOf(state[name]));
  return hash.digest("hex");
}
