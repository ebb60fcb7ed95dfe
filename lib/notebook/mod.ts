/** Notebooks: showing values, executing in the real Deno kernel, reading, writing and exporting. */

export { checkCells, formatCells, lintCells } from "./cells.ts";
export type { FormatOptions, InspectOptions } from "./cells.ts";
export { type DenoOptions, type DenoResult, runDeno } from "./deno.ts";
export type { Displayable, MediaBundle } from "./display.ts";
export { commit, exercise, reveal } from "./exercise.ts";
export type { Answer, CommitOptions, Exercise, Guess } from "./exercise.ts";
export { formatNumber } from "./format.ts";
export { type Markdown, markdown, md, show } from "./show.ts";
export { type Table, table, type TableOptions } from "./table.ts";
export { chooseNotebooks, listNotebooks } from "./choose.ts";
export { type StaleCell, staleCells } from "./compare.ts";
export {
  executableCells,
  formatNotebook,
  hasTag,
  type ICell,
  type ICodeCell,
  type INotebookContent,
  isCodeCell,
  parseNotebook,
  readNotebook,
  sourceOf,
  stripOutputs,
  writeNotebook,
} from "./document.ts";
export { type CellFailure, executeNotebook, type ExecuteNotebookOptions } from "./execute.ts";
export { Kernel, KernelError, KernelTimeout } from "./kernel.ts";
export type { ExecuteOptions, ExecuteReply, KernelOptions, LanguageInfo } from "./kernel.ts";
export type { CellError } from "./outputs.ts";
export { declaredParameters, injectParameters, parseParameter } from "./parameters.ts";
export type { ParameterValues } from "./parameters.ts";
export { describeResult, Progress } from "./progress.ts";
export { type NotebookResult, type ProgressEvent, runNotebooks, type RunOptions } from "./run.ts";
