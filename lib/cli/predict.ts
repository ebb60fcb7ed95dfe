/** `deno task predict`: what the laws say of a model. */
import { Command, InvalidArgumentError } from "commander";
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { loadFigure2 } from "../data.ts";
import { countLabel } from "../figures/mod.ts";
import { bootstrap, predict, published, type Variable } from "../laws/mod.ts";
import { bitList } from "./bit_list.ts";
import { fitTable, rangesOf, readLawTable, type TableOptions } from "./law_table.ts";

interface Flags extends Omit<TableOptions, "law"> {
  readonly n: number;
  readonly d: number;
  readonly bits: readonly number[];
  readonly table: string;
}

type Ranges = Partial<Record<Variable, readonly [number, number]>>;

/** A law that answers, and the rows that it stands on. */
interface Source {
  readonly name: string;
  readonly how: string;
  readonly ranges: Ranges;
  /** QiD, nats per token, with its interval; undefined at bits that the law does not know. */
  answer(
    bits: number,
  ): { readonly value: number; readonly interval: readonly [number, number] } | undefined;
}

/** The measured table of the miniature suite. */
const suiteTable = fileURLToPath(new URL("../../data/suite/qid.parquet", import.meta.url));

const examples = `
QiD is the loss that quantization adds, in nats per token. N counts non-embedding parameters.

Examples:
  deno task predict --n 7e9 --d 15e12 --bits 3,4
  deno task predict --n 1e9 --d 2e11 --bits 2,3,4 --table qid.parquet`;

function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("needs a number above 0, such as 7e9");
}

function run(flags: Flags): void {
  const { n: size, d: tokens, bits } = flags;
  console.log(`QiD in nats per token at N = ${countLabel(size)}, D = ${countLabel(tokens)}`);
  const sources = [
    ...[unifiedLaw(size, tokens), perBitWidthLaw(size, tokens), digitised(size, tokens)],
    ...ownLaw(flags),
  ];
  for (const { name, how, ranges, answer } of sources) {
    console.log(`\n${name}`);
    console.log(`  ${how}`);
    for (const width of bits) {
      const found = answer(width);
      const text = found === undefined
        ? "not known at this bit width"
        : `${short(found.value)}  (${found.interval.map(short).join(" to ")})`;
      console.log(`  ${width} bits: ${text}`);
    }
    const beyond = outside(ranges, { size: [size], tokens: [tokens], bits });
    console.log(
      beyond.length === 0
        ? "  The question lies within the data."
        : `  OUTSIDE THE DATA: ${
          beyond.join("; ")
        }. The law is extrapolated; its interval does not cover that.`,
    );
  }
}

/** What the paper measured: Pythia from 160M to 12B, 1B to 206B tokens, 2 to 4 bits. */
const paperRanges: Ranges = {
  size: [85_056_000, 11_327_027_200],
  tokens: [512 * 2_097_152, 98_000 * 2_097_152],
  bits: [2, 4],
};

function unifiedLaw(size: number, tokens: number): Source {
  // Half a unit of the last printed digit.
  const half = { scale: 0.0005, tokenExponent: 5e-5, sizeExponent: 5e-5, bitExponent: 5e-5 };
  return {
    name: "Published unified law (arXiv 2411.17691, Eq. 8)",
    how:
      "interval: what the rounding of the printed constants leaves open; the paper prints no errors",
    ranges: paperRanges,
    answer: (bits) => {
      const at = { size, tokens, bits };
      const ends = (sign: 1 | -1) => {
        // A larger scale and token exponent give more, larger other exponents less.
        const { scale, tokenExponent, sizeExponent, bitExponent } = published.unified;
        return predict("unified", {
          scale: scale + sign * half.scale,
          tokenExponent: tokenExponent + sign * half.tokenExponent,
          sizeExponent: sizeExponent - sign * half.sizeExponent,
          bitExponent: bitExponent - sign * half.bitExponent,
        }, at);
      };
      return { value: predict("unified", published.unified, at), interval: [ends(-1), ends(1)] };
    },
  };
}

function perBitWidthLaw(size: number, tokens: number): Source {
  return {
    name: "Laws behind Table 1 and Figure 1 of the same paper, one a bit width",
    how:
      "not printed: derived from the 48 cells and 9 labels, which they give back to the last digit",
    ranges: paperRanges,
    answer: (bits) => {
      if (![2, 3, 4].includes(bits)) return undefined;
      const value = predict("per-bit-width", published["per-bit-width"], { size, tokens, bits });
      // The cells pin the laws down to their last printed digit, half a per mille.
      return { value, interval: [value * 0.9995, value * 1.0005] };
    },
  };
}

function digitised(size: number, tokens: number): Source {
  const frame = loadFigure2();
  const fitted = bootstrap("unified", frame, { by: { cluster: "model" } });
  return {
    name: "Our unified fit to the points of Figure 2 (digitised)",
    how: `interval: ${100 * fitted.level} % bootstrap over its ${fitted.units} models`,
    ranges: rangesOf({ law: fitted.fit.law, frame }),
    answer: (bits) => ({
      value: fitted.fit.predict({ size, tokens, bits }),
      interval: fitted.intervalOf((parameters) =>
        predict("unified", parameters, { size, tokens, bits })
      ),
    }),
  };
}

/** The law fitted to a measured table; nothing, and a line that says so, where there is none. */
function ownLaw({ n: size, d: tokens, table: path, bits: _, ...options }: Flags): Source[] {
  if (!existsSync(path)) {
    if (path !== suiteTable) throw new Error(`No table ${path}`);
    console.log(
      "\nThere is no measured table of the suite (data/suite/qid.parquet): its law is left out. " +
        "Give one with --table.",
    );
    return [];
  }
  const table = readLawTable(path, { ...options, law: "unified" });
  const fitted = fitTable(table, { ...options, law: "unified" });
  const { law } = fitted.fit;
  const unit = fitted.by === "row" ? "rows" : "models";
  return [{
    name: `Our unified fit to ${basename(path)} (${table.provenance})`,
    how: `${table.notes.join("; ")}; ${
      100 * fitted.level
    } % bootstrap over ${fitted.units} ${unit}`,
    ranges: rangesOf(table),
    answer: (bits) => ({
      value: fitted.fit.predict({ size, tokens, bits }),
      interval: fitted.intervalOf((parameters) => predict(law, parameters, { size, tokens, bits })),
    }),
  }];
}

/** What of a question no row covers. */
function outside(
  ranges: Ranges,
  question: Readonly<Record<Variable, readonly number[]>>,
): string[] {
  const symbols = { size: "N", tokens: "D", bits: "P" };
  return (["size", "tokens", "bits"] as const).flatMap((name) => {
    const range = ranges[name];
    if (!range) return [];
    const [low, high] = range;
    // Numbers that are printed alike are alike.
    return question[name].flatMap((value) => {
      const beyond = value > high * 1.001 ? value / high : value < low / 1.001 ? low / value : 0;
      if (beyond === 0) return [];
      return [
        `${symbols[name]} = ${countLabel(value)} is ${short(beyond)} times ${
          value > high ? "above the largest" : "below the smallest"
        }, ${countLabel(value > high ? high : low)}`,
      ];
    });
  });
}

function short(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : value.toPrecision(3);
}

if (import.meta.main) {
  await new Command("deno task predict")
    .description("What the published law, and laws fitted here, say of a model that is quantized.")
    .requiredOption("--n <parameters>", "non-embedding parameters N, such as 7e9", positive)
    .requiredOption("--d <tokens>", "training tokens D, such as 15e12", positive)
    .option("--bits <list>", "bits per weight P", bitList, [2, 3, 4])
    .option("--table <file>", "the table that our own law is fitted to", suiteTable)
    .option("--method <name>", "the method in that table (default: gptq)")
    .option("--test <name>", "the text in that table (default: the first)")
    .addHelpText("after", examples)
    .allowExcessArguments(false)
    .action((flags: Flags) => {
      try {
        run(flags);
      } catch (error) {
        console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
        Deno.exit(1);
      }
    })
    .parseAsync();
}
