/**
 * Text to the encoder's tokens. Written by hand: the package brings a vocabulary and no tokenizer,
 * and SentencePiece itself is no npm library without a runtime.
 */
import { packageFile } from "./weights.ts";

/** The first entries of the vocabulary stand for control symbols, not for text. */
const reserved = 6;

interface Vocabulary {
  readonly ids: ReadonlyMap<string, number>;
  readonly scores: readonly number[];
  /** Characters of the longest piece. */
  readonly longest: number;
}

let loaded: Vocabulary | undefined;

/**
 * The tokens of a text: the pieces of the vocabulary that make it up with the greatest sum of their
 * log probabilities (a unigram model: Kudo 2018, arXiv 1804.10959). A character that is in no piece
 * is the token 0, and so is a run of them.
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict";
 * import { tokenize } from "./mod.ts";
 *
 * deepStrictEqual(tokenize("Hello, how are you?"), [341, 4125, 8, 140, 31, 19, 54]);
 * ```
 */
export function tokenize(text: string): number[] {
  const { ids, scores, longest } = loaded ??= readVocabulary();
  const characters = Array.from(`▁${text.normalize("NFKC").replaceAll(/\s+/g, "▁")}`);
  // best[end]: how the text up to `end` is split best; an unknown character costs more than any piece.
  const best = [{ score: 0, start: 0, id: 0 }];
  for (let end = 1; end <= characters.length; end++) {
    let choice = { score: best[end - 1]!.score - 1000, start: end - 1, id: 0 };
    for (let start = Math.max(0, end - longest); start < end; start++) {
      const id = ids.get(characters.slice(start, end).join(""));
      if (id === undefined) continue;
      const score = best[start]!.score + scores[id]!;
      if (score >= choice.score) choice = { score, start, id };
    }
    best.push(choice);
  }
  const tokens: number[] = [];
  for (let end = characters.length; end > 0; end = best[end]!.start) {
    const { id } = best[end]!;
    if (id !== 0 || tokens.at(-1) !== 0) tokens.push(id);
  }
  return tokens.reverse();
}

function readVocabulary(): Vocabulary {
  const text = new TextDecoder().decode(packageFile("dist/vocab.json"));
  const pieces = JSON.parse(text) as [piece: string, score: number | null][];
  return {
    ids: new Map(pieces.flatMap(([piece], id) => id < reserved ? [] : [[piece, id]])),
    // The few pieces with a colon have no score, which JavaScript's sums take for 0.
    scores: pieces.map(([, score]) => score ?? 0),
    longest: Math.max(...pieces.map(([piece]) => piece.length)),
  };
}
