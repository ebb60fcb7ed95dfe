/** What `deno task measure` shows: how far a study is, and what a plan holds. */
import logUpdate from "log-update";
import { memoryOfPlan, type Plan, stateOf, type StudyProgress } from "../measure/mod.ts";

/** Seconds between two lines of progress where the output is no terminal. */
const quietSeconds = 60;

/** A live line on a terminal, or else a line a minute; and a line for each error. */
export class Display {
  readonly #live: boolean;
  #told?: number;

  constructor(live: boolean) {
    this.#live = live;
  }

  /** What is going on. */
  line(text: string): void {
    if (this.#live) return logUpdate(text);
    if (this.#told === undefined || performance.now() - this.#told > quietSeconds * 1000) {
      this.#told = performance.now();
      console.log(text);
    }
  }

  /** What must be seen. */
  note(text: string): void {
    if (this.#live) logUpdate.clear();
    console.log(text);
  }

  update(plan: Plan, { item, error, done, total, secondsLeft }: StudyProgress): void {
    const { model, revision } = plan.checkpoints[item.checkpoint]!;
    const name = `${model} ${revision} ${item.method}`;
    if (error !== null) this.note(`${name}: ${error}`);
    this.line(`${done}/${total}  ${duration(secondsLeft)} left  ${name}`);
  }

  close(): void {
    if (this.#live) logUpdate.done();
  }
}

/** A line a checkpoint: how many of its items are done; then methods, texts and memory. */
export function describePlan(path: string, plan: Plan): string {
  const { done } = stateOf(path, plan);
  const doneOf = Map.groupBy(done, ({ checkpoint }) => checkpoint);
  const itemsOf = Map.groupBy(plan.items, ({ checkpoint }) => checkpoint);
  const longest = Math.max(26, ...plan.checkpoints.map(({ model }) => model.length));
  const lines = plan.checkpoints.map(({ model, revision, size, tokens, error }, index) => {
    const [finished, all] = [doneOf, itemsOf].map((items) => items.get(index)?.length ?? 0);
    const what = error ?? `N ${count(size)}  D ${count(tokens)}`;
    return `${model.padEnd(longest)} ${revision.padEnd(10)} ${finished}/${all}  ${what}`;
  });
  const methods = [...new Set(plan.items.map(({ method }) => method))];
  const memory = memoryOfPlan(plan);
  return [
    ...lines,
    "",
    `methods: ${methods.join(" ")}`,
    `tests: ${
      plan.tests.map(({ name, sequences, length }) => `${name} ${sequences} x ${length}`).join(", ")
    }`,
    ...(memory === undefined ? [] : [`memory: at most ${gigabytes(memory)} a process`]),
    `${done.length} of ${plan.items.length} items are done`,
  ].join("\n");
}

/** Bytes as gigabytes. */
export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

function count(value: number | null): string {
  if (value === null) return "unknown";
  if (value >= 1e9) return `${(value / 1e9).toFixed(1)}B`;
  return value < 1e6 ? `${(value / 1e3).toFixed(0)}K` : `${(value / 1e6).toFixed(1)}M`;
}

function duration(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  return minutes >= 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes} min`;
}
