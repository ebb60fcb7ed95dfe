/**
 * Numbers as a reader wants them in a table or a sentence.
 * Written by hand: `Intl.NumberFormat` cannot change to scientific notation by size.
 */

const GROUPED = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/**
 * A number in at most 4 significant digits (whole digits are never dropped), in the form that can
 * be typed into a cell again, but for the comma between thousands, which starts at 10,000.
 * Scientific below 1e-4 and from 1e7 on.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatNumber } from "./format.ts";
 *
 * assert.equal(formatNumber(0.52514), "0.5251");
 * assert.equal(formatNumber(143000), "143,000");
 * assert.equal(formatNumber(1.011e9), "1.011e9");
 * ```
 */
export function formatNumber(value: number | bigint): string {
  const x = Number(value);
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x > 0 ? "∞" : "-∞";
  if (x === 0) return "0";
  const size = Math.abs(x);
  // Rounded first: 9,999,999.6 is 1e7 to the reader.
  if (size < 1e-4 || Math.round(size) >= 1e7) {
    return x.toExponential(3).replace(/\.?0*e\+?/, "e");
  }
  const rounded = size >= 1e4 ? x : Number.isInteger(x) ? x : Number(x.toPrecision(4));
  return Math.abs(rounded) >= 1e4 ? GROUPED.format(rounded) : String(rounded);
}

/** Any cell of a table as text: numbers as `formatNumber` writes them, nothing for a missing value. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" || typeof value === "bigint") return formatNumber(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    return Array.from(value as unknown as ArrayLike<unknown>, formatValue).join(", ");
  }
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
