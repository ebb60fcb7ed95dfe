/** Parameters of a notebook: a cell tagged `parameters` declares them, a run can give others. */

import { hasTag, type ICodeCell, type INotebookContent, isCodeCell, sourceOf } from "./document.ts";

const DECLARED = "parameters";
const INJECTED = "injected-parameters";
const DECLARATION = /^(const|let|var)\s+([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*[:=]/gmu;

/** Values by the name of a parameter. */
export type ParameterValues = Record<string, unknown>;

/**
 * Parses `name=value`. The value is JSON if it can be read as JSON, and otherwise a string.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseParameter } from "./mod.ts";
 *
 * assert.deepEqual(parseParameter("bits=[3, 4]"), ["bits", [3, 4]]);
 * assert.deepEqual(parseParameter("method=gptq"), ["method", "gptq"]);
 * ```
 *
 * @throws if there is no name or no `=`.
 */
export function parseParameter(text: string): [name: string, value: unknown] {
  const [, name, value] = text.match(/^([^=\s]+)=(.*)$/s) ?? [];
  if (name === undefined || value === undefined) {
    throw new Error(`Cannot read the parameter "${text}": write it as name=value`);
  }
  try {
    return [name, JSON.parse(value)];
  } catch {
    return [name, value];
  }
}

/** The names that the cell tagged `parameters` declares, each at the start of a line. */
export function declaredParameters(notebook: INotebookContent): string[] {
  return [...declarations(notebook).keys()];
}

/**
 * Puts values into a notebook, as papermill does: in a cell tagged `injected-parameters`, right
 * after the cell tagged `parameters`. Such a cell from an earlier run is replaced.
 * @param name what errors call the notebook.
 * @throws if the notebook does not declare one of the names; the error lists those it declares.
 */
export function injectParameters(
  notebook: INotebookContent,
  values: ParameterValues,
  name = "the notebook",
): void {
  const declared = declarations(notebook);
  for (const parameter of Object.keys(values)) {
    if (declared.has(parameter)) continue;
    const known = [...declared.keys()].join(", ");
    throw new Error(
      `Cannot set the parameter "${parameter}" in ${name}: ` +
        (known ? `it declares ${known}` : `no cell with the tag "${DECLARED}" declares any`),
    );
  }
  const lines = Object.entries(values).map(([parameter, value]) =>
    `${declared.get(parameter)} ${parameter} = ${JSON.stringify(value)};`
  );
  const cell: ICodeCell = {
    cell_type: "code",
    id: INJECTED,
    metadata: { tags: [INJECTED] },
    execution_count: null,
    outputs: [],
    source: ["// Parameters", ...lines].join("\n"),
  };
  notebook.cells = notebook.cells.filter((other) => !hasTag(other, INJECTED));
  notebook.cells.splice(notebook.cells.findIndex(declares) + 1, 0, cell);
}

function declares(cell: INotebookContent["cells"][number]): boolean {
  return isCodeCell(cell) && hasTag(cell, DECLARED);
}

/** The keyword of each declaration: the kernel lets a name be declared again with the same one. */
function declarations(notebook: INotebookContent): Map<string, string> {
  const cell = notebook.cells.find(declares);
  const found = cell ? sourceOf(cell).matchAll(DECLARATION) : [];
  return new Map([...found].map(([, keyword, name]) => [name!, keyword!]));
}
