/** The texts of a plan, as the tokens of a checkpoint. */
import { openTokenizer } from "../model/mod.ts";
import { tokenizerHash } from "./checkpoints.ts";
import type { StudyTexts } from "./measure_item.ts";
import type { Plan, PlannedText } from "./plan.ts";
import type { Sequences } from "./quantize_model.ts";
import { type ReadSequences, readSequences, readTokenSequences, textHash } from "./sequences.ts";

/** Reads a plan's texts once for each tokenizer. */
export class TextReader {
  readonly #plan: Plan;
  readonly #read = new Map<string | null, StudyTexts>();

  /** Throws when a text is not the one that was planned with. */
  constructor(plan: Plan) {
    this.#plan = plan;
    const planned = [...plan.tests, ...(plan.calibration ? [plan.calibration] : [])];
    if (plan.unit === "tokens") {
      for (const text of planned) checkHash(text, textHash(text.file));
    } else this.#read.set(null, this.#texts(readBytes));
  }

  /** The sequences for a checkpoint in a folder. */
  of(folder: string): StudyTexts {
    if (this.#plan.unit !== "tokens") return this.#read.get(null)!;
    const sha256 = tokenizerHash(folder);
    const known = this.#read.get(sha256);
    if (known) return known;
    const tokenizer = openTokenizer(folder);
    if (!tokenizer) throw new Error(`No tokenizer.json in ${folder}`);
    const texts = this.#texts((text) => readTokenSequences(text, tokenizer));
    this.#read.set(sha256, texts);
    return texts;
  }

  #texts(read: (text: PlannedText) => ReadSequences): StudyTexts {
    const { tests, calibration } = this.#plan;
    return { tests: tests.map(read), ...(calibration && { calibration: read(calibration) }) };
  }
}

/** Sequences of one length, one text after the other. */
export function joinSequences(parts: readonly ReadSequences[]): Sequences {
  const { tokens: first, length, counted } = parts[0]!;
  if (parts.some((part) => part.length !== length || part.counted !== counted)) {
    throw new Error(
      "Cannot measure on texts together: needs sequences of one length and stride: " +
        "plan texts that are too short for two sequences on their own",
    );
  }
  const kind = first.constructor as Uint8ArrayConstructor | Int32ArrayConstructor;
  const tokens = new kind(parts.reduce((sum, { tokens }) => sum + tokens.length, 0));
  let at = 0;
  for (const { tokens: part } of parts) {
    tokens.set(part, at);
    at += part.length;
  }
  return { tokens, length, counted };
}

function readBytes(planned: PlannedText): ReadSequences {
  const found = readSequences(planned);
  checkHash(planned, found.sha256);
  return found;
}

function checkHash({ file, sha256 }: PlannedText, found: string): void {
  if (found === sha256) return;
  throw new Error(
    `Cannot go on with the study: ${file} has changed since it was planned: ` +
      `needs sequences with SHA-256 ${sha256}: got ${found}: plan it again`,
  );
}
