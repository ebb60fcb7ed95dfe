/** How laws and fits show themselves: as Markdown with formulas in a notebook, as plain text elsewhere. */
import type { Comparison } from "./compare.ts";
import type { Fit } from "./fit.ts";
import type { Law } from "./law.ts";

/** The method that Jupyter kernels call to show an object. */
export const jupyterDisplay: unique symbol = Symbol.for("Jupyter.display");

/** An object that shows itself in a notebook and as text. */
export interface Described {
  toString(): string;
  /** MIME type to content: "text/markdown" and "text/plain". */
  [jupyterDisplay](): Record<string, string>;
}

/** A heading, a formula, a table of strings, and lines below it. */
export interface Description {
  readonly title: string;
  readonly latex?: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly notes: readonly string[];
}

/** Numbers and symbols are set in LaTeX for Markdown, and in plain characters for text. */
export type Format = "latex" | "plain";

/** Adds to `content` the methods that show it, as `describe` says. */
export function display<T extends object>(
  content: T,
  describe: (content: T, format: Format) => Description,
): T & Described {
  return {
    ...content,
    toString: () => plainText(describe(content, "plain")),
    [jupyterDisplay]: () => ({
      "text/markdown": markdown(describe(content, "latex")),
      "text/plain": plainText(describe(content, "plain")),
    }),
  };
}

/** The law's formula and what its parameters mean. */
export function describeLaw(law: Law, format: Format): Description {
  return {
    title: law.title,
    latex: law.latex,
    head: ["symbol", "name", "unit", "meaning"],
    rows: law.parameters.map(({ symbol, name, unit, meaning }) => [
      format === "latex" ? `$${symbol}$` : symbol,
      format === "latex" ? `\`${name}\`` : name,
      unit,
      meaning,
    ]),
    notes: [`Source: ${law.source}`],
  };
}

/** The table of a comparison, with its notes. */
export function describeComparison(
  { table, notes }: Omit<Comparison, typeof jupyterDisplay | "toString">,
  format: Format,
): Description {
  return {
    title: "Laws compared",
    head: table.columns,
    rows: table.rows().map((row) =>
      row.map((value: unknown) => {
        if (typeof value !== "number") return value === null ? "-" : String(value);
        return Number.isInteger(value) ? String(value) : formatNumber(value, 4, format);
      })
    ),
    notes,
  };
}

type FitContent = Omit<Fit, typeof jupyterDisplay | "toString">;

/** The fitted values with standard errors, and whether they can be used. */
export function describeFit(fit: FitContent, format: Format): Description {
  const { law, starts } = fit;
  const number = (value: number, digits: number) => formatNumber(value, digits, format);
  const inLog = fit.space === "log";
  const space = inLog ? "log space" : "raw space (nats per token)";
  const loss = fit.huberDelta === undefined
    ? "least squares"
    : `Huber loss with delta ${number(fit.huberDelta, 3)}`;
  const bound = fit.atBound.length > 0 ? `, on a bound: ${fit.atBound.join(", ")}` : "";
  return {
    title: `${law.title}, fitted to ${fit.rows} rows`,
    latex: law.latex,
    head: ["symbol", "name", "value", "standard error", "unit"],
    rows: law.parameters.map(({ symbol, name, unit }) => [
      format === "latex" ? `$${symbol}$` : symbol,
      format === "latex" ? `\`${name}\`` : name,
      number(fit.parameters[name]!, 5),
      number(fit.standardErrors[name]!, 2),
      unit,
    ]),
    notes: [
      `Fit: ${loss} in ${space}, objective ${number(fit.objective, 5)}`,
      `R squared: ${number(fit.rSquared, 4)} in the fitting space, ${
        number(fit.rSquaredLog, 4)
      } in log space`,
      `Status: ${fit.status}, ${
        fit.usable ? "usable" : "NOT usable"
      }${bound}; ${starts.reachedBest} of ${starts.tried} starts reached the best; gradient norm ${
        number(fit.gradientNorm, 1)
      }`,
    ],
  };
}

/** A number to so many significant digits; powers of ten where it is far from 1. */
export function formatNumber(value: number, digits: number, format: Format): string {
  if (Number.isNaN(value)) return "not known";
  if (!Number.isFinite(value)) return value > 0 ? "infinite" : "-infinite";
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e6)) {
    return size >= 10 ** digits ? value.toFixed(0) : value.toPrecision(digits);
  }
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  return format === "latex"
    ? `$${mantissa}\\times10^{${Number(exponent)}}$`
    : `${mantissa}e${Number(exponent)}`;
}

function markdown({ title, latex, head, rows, notes }: Description): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    `**${title}**`,
    "",
    ...(latex === undefined ? [] : [`$$${latex}$$`, ""]),
    line(head),
    line(head.map(() => "---")),
    ...rows.map(line),
    "",
    ...notes.map((note) => `- ${note}`),
    "",
  ].join("\n");
}

function plainText({ title, head, rows, notes }: Description): string {
  const table = [head, ...rows];
  const widths = head.map((_, j) => Math.max(...table.map((cells) => cells[j]!.length)));
  return [
    title,
    ...table.map((cells) => cells.map((cell, j) => cell.padEnd(widths[j]!)).join("  ").trimEnd()),
    ...notes,
  ].join("\n");
}
