/** JSON text as Python's `json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)` has it. */

// Written by hand: JSON.stringify sorts no keys and writes small numbers otherwise than Python.

import { Buffer } from "node:buffer";

/** Formats a JSON value as Jupyter's `nbformat` does: one-space indent, keys by code point. */
export function formatJson(value: unknown, indent = "\n"): string {
  const inner = indent + " ";
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return "[" + value.map((item) => inner + formatJson(item, inner)).join(",") + indent + "]";
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    if (entries.length === 0) return "{}";
    const lines = entries
      .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .map(([key, item]) => `${inner}${JSON.stringify(key)}: ${formatJson(item, inner)}`);
    return "{" + lines.join(",") + indent + "}";
  }
  if (typeof value === "number") return formatNumber(value);
  return JSON.stringify(value);
}

/** Python writes an exponent below 1e-4, JavaScript below 1e-6, and Python gives it two digits. */
function formatNumber(value: number): string {
  if (value === 0 || Math.abs(value) >= 1e-4 || !Number.isFinite(value)) {
    return JSON.stringify(value);
  }
  return value.toExponential().replace(/e-(\d)$/, "e-0$1");
}
