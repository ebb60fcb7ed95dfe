import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { figures } from "../../lib/figures/mod.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const out = mkdtempSync(join(tmpdir(), "figures-"));
afterAll(() => rmSync(out, { recursive: true }));

function run(...args: string[]) {
  const options = { cwd: root, encoding: "utf8" } as const;
  return spawnSync(process.execPath, ["run", "-A", "lib/cli/figures.ts", ...args], options);
}

it("lists the figures", () => {
  expect(run("--list").stdout.trim().split("\n")).toEqual(Object.keys(figures));
});

it("draws, passes a check, and fails it after a change", () => {
  expect(run("figure-1", "--out", out).status).toBe(0);
  expect(readdirSync(out)).toEqual(["figure-1.svg"]);
  const same = run("figure-1", "--check", "--out", out);
  expect(same.status).toBe(0);
  expect(same.stdout).toMatch(/1 passed, 0 failed\n$/);
  writeFileSync(join(out, "figure-1.svg"), "<svg/>");
  const changed = run("figure-1", "--check", "--out", out);
  expect(changed.status).toBe(1);
  expect(changed.stdout).toContain("figure-1-changed.svg");
  expect(changed.stdout).toContain("To accept: deno task figures");
  expect(changed.stdout).toMatch(/0 passed, 1 failed\n$/);
});

it("names the nearest figure on stderr", () => {
  const { status, stderr } = run("figur-2");
  expect(status).toBe(1);
  expect(stderr).toContain('Cannot find the figure "figur-2": did you mean "figure-2"?');
});
