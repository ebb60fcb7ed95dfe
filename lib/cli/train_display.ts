/** Shows how runs get on: live lines on a terminal, a line a minute for each run elsewhere. */
import logUpdate from "log-update";
import type { TrainEvent, TrainProgress } from "../train/mod.ts";

/** Seconds between two lines about a run where the output is no terminal. */
const quietSeconds = 60;

/** Takes what `trainSideBySide` tells. Close it when the runs are over. */
export class TrainDisplay {
  readonly #live: boolean;
  readonly #running = new Map<string, string>();
  readonly #told = new Map<string, number>();
  readonly #last = new Map<string, TrainProgress>();
  readonly #started = new Map<string, number>();

  constructor(live: boolean) {
    this.#live = live;
  }

  update(event: TrainEvent): void {
    const { name } = event.run;
    if (event.type === "progress") {
      const line = `${name.padEnd(26)} ${progressText(event.progress)}`;
      this.#running.set(name, line);
      this.#last.set(name, event.progress);
      const last = this.#told.get(name);
      if (!this.#live && (last === undefined || performance.now() - last > quietSeconds * 1000)) {
        this.#told.set(name, performance.now());
        console.log(line);
      }
    } else if (event.type === "started") {
      this.#started.set(name, performance.now());
    } else {
      const seconds = (performance.now() - this.#started.get(name)!) / 1000;
      const last = this.#last.get(name);
      const detail = event.type === "failed"
        ? event.reason
        : `after ${timeText(seconds)}${last ? `, loss ${last.loss.toFixed(4)}` : ""}`;
      this.#running.delete(name);
      if (this.#live) logUpdate.clear();
      console.log(`${name.padEnd(26)} ${event.type}: ${detail}`);
    }
    if (this.#live) logUpdate([...this.#running.values()].join("\n"));
  }

  close(): void {
    if (this.#live) logUpdate.done();
  }
}

function progressText({ step, steps, loss, tokensPerSecond, secondsLeft }: TrainProgress): string {
  const share = `${(100 * step / steps).toFixed(1)} %`.padStart(7);
  const speed = `${count(tokensPerSecond).padStart(5)} tokens/s`;
  return `${share}  loss ${loss.toFixed(4)}  ${speed}  ${timeText(secondsLeft)} left`;
}

function timeText(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A number with three digits or so: 38K, 1.3M. */
export function count(value: number): string {
  return value < 1e6 ? `${(value / 1e3).toFixed(0)}K` : `${(value / 1e6).toFixed(1)}M`;
}
