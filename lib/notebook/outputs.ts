/** Turns the messages of a kernel into the outputs that Jupyter stores. */

import type { IMimeBundle, IOutput, IStream } from "@jupyterlab/nbformat";
import type { ICodeCell } from "./document.ts";
import type { Message } from "./messages.ts";

/** An error that a cell has put out. */
export interface CellError {
  /** The name of the error's class. */
  ename: string;
  /** Its message. */
  evalue: string;
  /** Its stack, line by line. */
  traceback: string[];
}

/**
 * The outputs of one notebook while it is executed. Prints to the same stream in a row become one
 * output, `clear_output` empties a cell, now or before its next output, and what is shown again
 * under a display id changes wherever it was shown, in earlier cells too.
 */
export class Outputs {
  #rewrite: (text: string) => string;
  #shown = new Map<string, IOutput[]>();

  /** @param rewrite is applied to the texts of errors. */
  constructor(rewrite: (text: string) => string = (text) => text) {
    this.#rewrite = rewrite;
  }

  /**
   * A function that takes the messages of one cell and keeps its count and outputs up to date.
   * @param onError is called with every error that the cell puts out.
   */
  collector(cell: ICodeCell, onError: (error: CellError) => void): (message: Message) => void {
    let clearNext = false;
    let cursor = 0;
    const add = (output: IOutput) => {
      if (clearNext) cell.outputs = [];
      clearNext = false;
      cell.outputs.push(output);
    };
    return ({ type, content }) => {
      if (type === "execute_input") {
        cell.execution_count = content.execution_count as number;
      } else if (type === "clear_output") {
        clearNext = content.wait === true;
        if (!clearNext) cell.outputs = [];
      } else if (type === "stream") {
        const last = cell.outputs.at(-1);
        let stream = last as IStream;
        if (clearNext || last?.output_type !== "stream" || last.name !== content.name) {
          stream = { output_type: "stream", name: content.name as IStream["name"], text: "" };
          cursor = 0;
          add(stream);
        }
        const typed = typeset(stream.text as string, cursor, String(content.text));
        stream.text = typed.text;
        cursor = typed.cursor;
      } else if (type === "error") {
        const error = this.#error(content);
        add({ output_type: "error", ...error });
        onError(error);
      } else if (type === "execute_result" || type === "display_data") {
        add(this.#show(type, content));
      } else if (type === "update_display_data") {
        this.#update(content);
      }
    };
  }

  #error({ ename, evalue, traceback }: Message["content"]): CellError {
    const lines = Array.isArray(traceback) ? traceback : [];
    return {
      ename: String(ename),
      evalue: this.#rewrite(String(evalue)),
      traceback: lines.map((line) => this.#rewrite(String(line))),
    };
  }

  #show(type: "execute_result" | "display_data", content: Message["content"]): IOutput {
    const output: IOutput = {
      output_type: type,
      data: content.data as IMimeBundle,
      metadata: content.metadata as IMimeBundle,
    };
    if (type === "execute_result") output.execution_count = content.execution_count as number;
    const id = displayId(content);
    if (id !== undefined) {
      this.#update(content);
      this.#shown.set(id, [...this.#shown.get(id) ?? [], output]);
    }
    return output;
  }

  #update(content: Message["content"]): void {
    for (const output of this.#shown.get(displayId(content) ?? "") ?? []) {
      output.data = content.data as IMimeBundle;
      output.metadata = content.metadata as IMimeBundle;
    }
  }
}

function displayId(content: Message["content"]): string | undefined {
  const transient = content.transient as { display_id?: unknown } | undefined;
  return typeof transient?.display_id === "string" ? transient.display_id : undefined;
}

/**
 * Adds to a text as a terminal shows it: a carriage return goes back to the start of the line, a
 * backspace one column, and what follows overwrites. So a progress line stays one line.
 */
function typeset(text: string, cursor: number, added: string): { text: string; cursor: number } {
  if (cursor === text.length && !/[\b\r]/.test(added)) {
    return { text: text + added, cursor: text.length + added.length };
  }
  for (const part of added.split(/([\b\r\n])/)) {
    if (part === "\n") {
      text += part;
      cursor = text.length;
    } else if (part === "\r") {
      cursor = text.lastIndexOf("\n", cursor - 1) + 1;
    } else if (part === "\b") {
      if (cursor > 0 && text[cursor - 1] !== "\n") cursor--;
    } else {
      text = text.slice(0, cursor) + part + text.slice(cursor + part.length);
      cursor += part.length;
    }
  }
  return { text, cursor };
}
