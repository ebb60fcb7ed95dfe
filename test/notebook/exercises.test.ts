import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Exercise } from "../../lib/notebook/mod.ts";

const folder = new URL("../../notebooks/exercises/", import.meta.url);
const modules = readdirSync(folder).sort();

describe.each(modules)("exercises of notebook %s", async (name) => {
  const exercises: Record<string, Exercise> = await import(new URL(name, folder).href);

  it("are two or three, numbered after the notebook", () => {
    const ids = Object.values(exercises).map(({ id }) => id);
    expect(ids.length).toBeGreaterThanOrEqual(2);
    expect(ids.length).toBeLessThanOrEqual(3);
    expect(ids.sort()).toEqual(ids.map((_, i) => `${Number.parseInt(name)}.${i + 1}`));
  });

  it.each(Object.keys(exercises))("%s has an answer, a hint and an explanation", async (key) => {
    const { solution, hint, explanation } = exercises[key]!;
    const answer = await solution();
    if (typeof answer === "number") expect(Number.isFinite(answer)).toBe(true);
    expect(String(answer)).not.toBe("");
    expect(hint).not.toBe("");
    expect(explanation).not.toBe("");
  });
});
