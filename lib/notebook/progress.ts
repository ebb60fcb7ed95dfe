/** Tells how notebooks get on: live lines on a terminal, a line for each event elsewhere. */

import logUpdate from "log-update";
import type { NotebookResult, ProgressEvent } from "./run.ts";

/** Milliseconds between two frames on a terminal. */
const REDRAW = 250;
/** Milliseconds after which a silent run says, elsewhere, what it is doing. */
const HEARTBEAT = 30_000;
/** How many frames of a stack are shown. */
const FRAMES = 10;

interface Running {
  cell: number;
  cells: number;
  started: number;
}

/** Shows the progress of a run. Stop it when the run is over. */
export class Progress {
  #live: boolean;
  #running = new Map<string, Running>();
  #timer: ReturnType<typeof setInterval>;

  /** @param live whether the output is a terminal, on which lines can be drawn over. */
  constructor(live: boolean) {
    this.#live = live;
    this.#timer = setInterval(() => this.#tick(), live ? REDRAW : HEARTBEAT);
  }

  /** Takes what `runNotebooks` tells. */
  update(event: ProgressEvent): void {
    if (event.type === "cell") {
      const { path, cell, cells } = event;
      const started = this.#running.get(path)?.started ?? performance.now();
      this.#running.set(path, { cell, cells, started });
    } else {
      this.#end(event.result);
    }
    if (this.#live) this.#tick();
  }

  /** Leaves the last lines as they are and gives the terminal back. */
  stop(): void {
    clearInterval(this.#timer);
    if (this.#live) logUpdate.done();
  }

  #tick(): void {
    const lines = [...this.#running].map(([path, { cell, cells, started }]) =>
      `.... ${path}: cell ${cell} of ${cells}, ${seconds(started)}`
    );
    if (lines.length === 0) return;
    if (this.#live) logUpdate(lines.join("\n"));
    else console.log(lines.join("\n"));
  }

  #end(result: NotebookResult): void {
    const running = this.#running.get(result.path);
    this.#running.delete(result.path);
    if (this.#live) logUpdate.clear();
    if (!result.passed) console.error(describeResult(result));
    else if (!running) console.log(`ok   ${result.path}`);
    else console.log(`ok   ${result.path}: ${running.cells} cells, ${seconds(running.started)}`);
  }
}

/** What is wrong with a notebook that did not pass: which cell, which line, and what happened. */
export function describeResult({ path, failure, problem, stale }: NotebookResult): string {
  const lines: string[] = [];
  if (problem) lines.push(`FAIL ${path}: ${problem}`);
  if (failure) {
    const { cell, line, source, error } = failure;
    lines.push(`FAIL ${path}, cell ${cell}${line ? `, line ${line}` : ""}`);
    if (source) lines.push(`  > ${source}`);
    // Frames in cells count the lines of the JavaScript made of them: the line above is the cell's.
    const frames = error.traceback.filter((text) =>
      /^ +at /.test(text) && !text.includes("<anonymous>")
    );
    lines.push(`  ${error.ename}: ${error.evalue}`, ...frames.slice(0, FRAMES));
  }
  for (const { cell, was, now } of stale) {
    lines.push(`STALE ${path}, cell ${cell}`, `  was ${was}`, `  now ${now}`);
  }
  return lines.join("\n");
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
