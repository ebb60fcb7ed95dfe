/** Checkpoints: safetensors files, the model hub, and which weights they really hold. */
export { type Checkpoint, type CheckpointOptions, openCheckpoint } from "./checkpoint.ts";
export { bitsOfDtype, type Dtype, type TensorInfo } from "./header.ts";
export { bytesOf, decodeFloats, encodeFloats, type FloatDtype, isFloat } from "./dtype.ts";
export {
  type DownloadProgress,
  fetchSnapshot,
  type HubQuery,
  isModelName,
  listRevisions,
  publishedHashes,
  type Revision,
  type Snapshot,
  type SnapshotOptions,
} from "./hub.ts";
export { HubError } from "./hub_error.ts";
export { type HubOptions, hubSettings } from "./hub_settings.ts";
export {
  type EqualOptions,
  type EqualWeights,
  finalStep,
  findEqualWeights,
  type HashOptions,
  type RevisionHash,
  weightsHash,
} from "./integrity.ts";
export { type Integers, SafetensorsFile } from "./safetensors.ts";
export { openWeights } from "./sharded.ts";
export { SafetensorsError } from "./strict_json.ts";
export type { Tensor, Weights } from "./weights.ts";
export { type TensorToWrite, writeSafetensors } from "./write_safetensors.ts";
