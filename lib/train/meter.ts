/** How fast a run is, and how long it will take. */
import { type Run, tokensPerStep } from "./run.ts";

/** How a run gets on. */
export interface TrainProgress {
  readonly step: number;
  readonly steps: number;
  /** Moving mean over about fifty steps, nats per token. */
  readonly loss: number;
  readonly tokensPerSecond: number;
  readonly secondsLeft: number;
}

const everyMilliseconds = 500;
const memory = 0.98;

/** Takes the steps as they are done, and reports twice a second. */
export class Meter {
  readonly #run: Run;
  #loss: number | undefined;
  #secondsPerStep: number | undefined;
  #step: number;
  #at = performance.now();

  constructor(run: Run, step: number) {
    this.#run = run;
    this.#step = step;
  }

  /** A report, when it is time for one. */
  take(step: number, loss: number): TrainProgress | undefined {
    this.#loss = this.#loss === undefined ? loss : memory * this.#loss + (1 - memory) * loss;
    const now = performance.now();
    const { steps } = this.#run;
    if (now - this.#at < everyMilliseconds && step < steps) return undefined;
    const seconds = (now - this.#at) / 1000 / (step - this.#step);
    this.#at = now;
    this.#step = step;
    this.#secondsPerStep = this.#secondsPerStep === undefined
      ? seconds
      : 0.9 * this.#secondsPerStep + 0.1 * seconds;
    return {
      step,
      steps,
      loss: this.#loss,
      tokensPerSecond: tokensPerStep(this.#run) / this.#secondsPerStep,
      secondsLeft: (steps - step) * this.#secondsPerStep,
    };
  }
}
