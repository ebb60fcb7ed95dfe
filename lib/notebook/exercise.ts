/**
 * Guesses and exercises in a notebook. Both are shown as Markdown, not HTML: `<details>` folds in it
 * everywhere (Jupyter, VS Code, GitHub), and only in Markdown does every viewer set LaTeX.
 */
import { formatNumber } from "./format.ts";
import { markdown, show } from "./show.ts";
import { escapeHtml } from "./table.ts";

/** What a reader can answer or guess. */
export type Answer = number | string | boolean;

/** One exercise. It stands in a file of its own, so that the notebook does not give the answer away. */
export interface Exercise {
  /** The number the notebook's text gives it, such as "2.1". */
  id: string;
  /** Computes the right answer. */
  solution: () => Answer | Promise<Answer>;
  /** Relative error of a number that still counts as right (absolute where the right answer is 0). 0.02 when left out. */
  tolerance?: number;
  /** Unit of a number. */
  unit?: string;
  /** Where to begin, shown folded. Sentences and LaTeX; lists and stars do not read well on GitHub. */
  hint: string;
  /** Why the solution is what it is, shown folded with it. Written as the hint is. */
  explanation: string;
}

/** A guess that a reader has committed to. */
export interface Guess {
  question: string;
  value: Answer | undefined;
  unit: string;
}

/** Unit of a guess. */
export interface CommitOptions {
  unit?: string;
}

/**
 * Checks the reader's answer (undefined until there is one) and shows the verdict: not answered yet,
 * right, or not yet, and then by what factor it is too high or too low. Hint and solution are folded
 * away below it.
 *
 * Throws a `RangeError` for a tolerance that is not positive and a `TypeError` for an answer of
 * another type than the solution's.
 */
export async function exercise(exercise: Exercise, answer: Answer | undefined): Promise<void> {
  const { id, tolerance = 0.02, unit = "", hint, explanation } = exercise;
  const name = `Exercise ${id}`;
  if (!(tolerance > 0)) {
    throw new RangeError(
      `Cannot check exercise ${id}: tolerance must be positive: got ${tolerance}`,
    );
  }
  const truth = await exercise.solution();
  if (answer !== undefined && typeof answer !== typeof truth) {
    throw new TypeError(
      `Cannot check exercise ${id}: the answer must be a ${typeof truth}: got the ` +
        `${typeof answer} ${JSON.stringify(answer)}`,
    );
  }
  const right = answer !== undefined && matches(answer, truth, tolerance);
  const verdict = answer === undefined
    ? "Not answered yet: write your answer in the cell and run it again."
    : right
    ? `✓ Right: ${written(answer, unit)}.`
    : `✗ Not yet: ${written(answer, unit)} is ${miss(answer, truth)}.`;
  const solution = `<strong>${escapeHtml(written(truth, unit))}.</strong> ${explanation}`;
  const folds = [fold("Hint", hint, false), fold("Solution", solution, right)];
  await show(markdown([`**${name}.** ${verdict}`, ...folds].join("\n\n"), `${name}. ${verdict}`));
}

/**
 * Takes the reader's guess before the answer is known, and shows it. Give the result to `reveal` in
 * a later cell.
 */
export async function commit(
  question: string,
  value: Answer | undefined,
  options: CommitOptions = {},
): Promise<Guess> {
  const guess = { question, value, unit: options.unit ?? "" };
  const said = value === undefined
    ? "none yet: write one in the cell and run it again"
    : written(value, guess.unit);
  await show(
    markdown(`${question} **Your guess: ${said}.**`, `${question} Your guess: ${said}.`),
  );
  return guess;
}

/** Shows how far a guess was from the truth. */
export async function reveal(guess: Guess, truth: Answer): Promise<void> {
  const { question, value, unit } = guess;
  const is = written(truth, unit);
  const verdict = value === undefined
    ? "You made no guess"
    : typeof value !== typeof truth
    ? `Your guess, ${written(value, "")}, is a ${typeof value} and the answer a ${typeof truth}`
    : `You guessed ${written(value, unit)}, which is ${closeness(value, truth)}`;
  await show(
    markdown(`${question} **It is ${is}.** ${verdict}.`, `${question} It is ${is}. ${verdict}.`),
  );
}

function matches(answer: Answer, truth: Answer, tolerance: number): boolean {
  if (typeof answer === "number" && typeof truth === "number") {
    const scale = truth === 0 ? 1 : Math.abs(truth);
    // The smallest slack lets an answer that is off by exactly the tolerance count as right.
    return Math.abs(answer - truth) <= tolerance * scale * (1 + 1e-9);
  }
  if (typeof answer === "string" && typeof truth === "string") {
    return plain(answer) === plain(truth);
  }
  return answer === truth;
}

function closeness(value: Answer, truth: Answer): string {
  if (matches(value, truth, 0.05)) return typeof truth === "number" ? "spot on" : "right";
  const off = miss(value, truth);
  return matches(value, truth, 0.25) ? `close, ${off}` : off;
}

/** How a wrong answer differs, such as "too low by a factor of 3.2". */
function miss(answer: Answer, truth: Answer): string {
  if (typeof answer !== "number" || typeof truth !== "number") return "not right";
  if (Number.isNaN(answer)) return "not a number";
  const way = answer > truth ? "too high" : "too low";
  const factor = answer > truth === truth > 0 ? answer / truth : truth / answer;
  if (!(factor > 0) || !Number.isFinite(factor)) {
    return truth !== 0 && answer * truth < 0 ? `${way}, and its sign is wrong` : way;
  }
  return factor < 1.1
    ? `${way} by ${brief((Math.abs(answer - truth) / Math.abs(truth)) * 100)} %`
    : `${way} by a factor of ${brief(factor)}`;
}

/** Two significant digits are enough to say how far off an answer is. */
function brief(x: number): string {
  return formatNumber(Number(x.toPrecision(2)));
}

function plain(text: string): string {
  return text.trim().toLowerCase();
}

function written(value: Answer, unit: string): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  const text = typeof value === "number" ? formatNumber(value) : value;
  return unit && typeof value === "number" ? `${text} ${unit}` : text;
}

// The empty lines make the inside Markdown again, which a block of HTML is not. Old nbconvert, and
// so perhaps GitHub, shows the inside as it is written: hence <strong> in it rather than stars.
function fold(summary: string, inside: string, open: boolean): string {
  return `<details${
    open ? " open" : ""
  }>\n<summary>${summary}</summary>\n\n${inside}\n\n</details>`;
}
