import { marked } from "marked";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseHTML } from "linkedom";
import {
  type Answer,
  commit,
  type Exercise,
  exercise,
  reveal,
} from "../../lib/notebook/exercise.ts";

/** A kernel that keeps what it is asked to display. */
const shown: Record<string, string>[] = [];
beforeEach(() => {
  shown.length = 0;
  vi.stubGlobal("Deno", {
    ...Deno,
    jupyter: { display: (bundle: Record<string, string>) => void shown.push(bundle) },
  });
});
afterEach(() => void vi.unstubAllGlobals());

async function check(answer: Answer | undefined, changes: Partial<Exercise> = {}) {
  const exercise21 = {
    id: "2.1",
    solution: () => 3.2e12,
    unit: "tokens",
    hint: "Solve for $D$.",
    explanation: "$D = 3.2$ trillion",
  };
  await exercise({ ...exercise21, ...changes }, answer);
  return shown.at(-1)!;
}

function details(markdown: string) {
  const { document } = parseHTML(marked.parse(markdown, { async: false }));
  return [...document.querySelectorAll("details")].map((fold) => ({
    summary: fold.querySelector("summary")?.textContent,
    open: fold.hasAttribute("open"),
    text: fold.querySelector("p")?.textContent,
  }));
}

describe("exercise", () => {
  it("keeps hint and solution folded until there is an answer, and out of the text form", async () => {
    const bundle = await check(undefined);
    expect(bundle["text/plain"]).toBe(
      "Exercise 2.1. Not answered yet: write your answer in the cell and run it again.",
    );
    expect(details(bundle["text/markdown"]!)).toEqual([
      { summary: "Hint", open: false, text: "Solve for $D$." },
      { summary: "Solution", open: false, text: "3.2e12 tokens. $D = 3.2$ trillion" },
    ]);
  });

  it("opens the solution once the answer is right", async () => {
    const bundle = await check(3.25e12);
    expect(bundle["text/plain"]).toBe("Exercise 2.1. ✓ Right: 3.25e12 tokens.");
    expect(details(bundle["text/markdown"]!).map(({ open }) => open)).toEqual([false, true]);
  });

  it.each([
    [1e12, 3.2e12, "1e12 tokens is too low by a factor of 3.2"],
    [6.4e12, 3.2e12, "6.4e12 tokens is too high by a factor of 2"],
    [1.05, 1, "1.05 tokens is too high by 5 %"],
    [-4, -2, "-4 tokens is too low by a factor of 2"],
    [-1, -2, "-1 tokens is too high by a factor of 2"],
    [-1, 2, "-1 tokens is too low, and its sign is wrong"],
    [0, 2, "0 tokens is too low"],
    [0.5, 0, "0.5 tokens is too high"],
    [NaN, 2, "NaN tokens is not a number"],
  ])("says how far %s is from %s", async (answer, truth, text) => {
    const bundle = await check(answer, { solution: () => truth });
    expect(bundle["text/plain"]).toBe(`Exercise 2.1. ✗ Not yet: ${text}.`);
  });

  it("counts an answer at the tolerance as right", async () => {
    const verdict = async (answer: number, tolerance: number, truth = 100) =>
      (await check(answer, { tolerance, solution: () => truth }))["text/plain"];
    expect(await verdict(102, 0.02)).toContain("Right");
    expect(await verdict(98, 0.02)).toContain("Right");
    expect(await verdict(102.1, 0.02)).toContain("Not yet");
    expect(await verdict(0.01, 0.02, 0)).toContain("Right");
  });

  it("takes words and yes or no", async () => {
    const word = { solution: () => "GPTQ" };
    expect((await check(" gptq", word))["text/plain"]).toContain("Right");
    expect((await check("rtn", word))["text/plain"]).toContain("Not yet: rtn is not right.");
    expect((await check(false, { solution: () => false }))["text/plain"]).toContain("Right: no.");
  });

  it("refuses an answer of another type and a tolerance that is not positive", async () => {
    await expect(check("3.2e12")).rejects.toThrow(
      'Cannot check exercise 2.1: the answer must be a number: got the string "3.2e12"',
    );
    await expect(check(1, { tolerance: 0 })).rejects.toThrow("tolerance must be positive: got 0");
  });
});

describe("commit and reveal", () => {
  it("say how far off the guess was", async () => {
    const guess = await commit("How many tokens?", 1e12, { unit: "tokens" });
    expect(shown[0]!["text/plain"]).toBe("How many tokens? Your guess: 1e12 tokens.");
    const told = async (truth: number) => {
      await reveal(guess, truth);
      return shown.at(-1)!["text/plain"];
    };
    expect(await told(1.02e12)).toBe(
      "How many tokens? It is 1.02e12 tokens. You guessed 1e12 tokens, which is spot on.",
    );
    expect(await told(1.2e12)).toContain("which is close, too low by a factor of 1.2.");
    expect(await told(1e10)).toContain("which is too high by a factor of 100.");
  });

  it("go on without a guess and with a guess of another type", async () => {
    const none = await commit("How many tokens?", undefined);
    expect(shown[0]!["text/plain"]).toContain("Your guess: none yet");
    await reveal(none, 3);
    expect(shown[1]!["text/plain"]).toBe("How many tokens? It is 3. You made no guess.");
    await reveal(await commit("Which?", "rtn"), "GPTQ");
    expect(shown[3]!["text/plain"]).toBe("Which? It is GPTQ. You guessed rtn, which is not right.");
    await reveal(await commit("Is it?", true), 3);
    expect(shown[5]!["text/plain"]).toContain(
      "Your guess, yes, is a boolean and the answer a number.",
    );
  });
});
