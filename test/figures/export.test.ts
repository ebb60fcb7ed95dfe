import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type ExportedFigure,
  exportFigures,
  type Figure,
  figures,
  findFigure,
} from "../../lib/figures/mod.ts";

let out: string;
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), "figures-"));
});
afterEach(() => rm(out, { recursive: true }));

const only = ["figure-1"];
const statusOf = (exported: ExportedFigure[]) => exported.map(({ status }) => status);

describe("exportFigures", () => {
  it("writes a file once, and leaves it alone when nothing changed", async () => {
    const seen: string[] = [];
    const onProgress = ({ name }: ExportedFigure) => seen.push(name);
    expect(statusOf(await exportFigures({ out, only, onProgress }))).toEqual(["written"]);
    const path = join(out, "figure-1.svg");
    const { mtimeMs } = await stat(path);
    expect(statusOf(await exportFigures({ out, only }))).toEqual(["unchanged"]);
    expect((await stat(path)).mtimeMs).toBe(mtimeMs);
    expect(await readFile(path, "utf8")).toBe(figures["figure-1"]!().svg);
    expect(seen).toEqual(only);
    expect(await readdir(out)).toEqual(["figure-1.svg"]);
  });

  it("checks without writing the figure, and puts a changed one beside it", async () => {
    expect(statusOf(await exportFigures({ out, only, check: true }))).toEqual(["missing"]);
    const path = join(out, "figure-1.svg");
    await writeFile(path, "<svg/>");
    const [changed] = await exportFigures({ out, only, check: true });
    expect(changed).toEqual({
      name: "figure-1",
      status: "changed",
      path: join(out, "figure-1-changed.svg"),
    });
    expect(await readFile(path, "utf8")).toBe("<svg/>");
    expect(await readFile(changed!.path, "utf8")).toBe(figures["figure-1"]!().svg);
    // Accepting it is drawing it: the version beside it goes.
    await exportFigures({ out, only });
    expect(statusOf(await exportFigures({ out, only, check: true }))).toEqual(["same"]);
    expect(await readdir(out)).toEqual(["figure-1.svg"]);
  });

  it("reports a file that no figure draws when all are checked", async () => {
    await writeFile(join(out, "old.svg"), "<svg/>");
    // One figure in place of all: only the names matter here, and some figures take seconds.
    const drawn = figures["figure-1"]!();
    const draw: Record<string, () => Figure> = figures;
    for (const name of Object.keys(figures)) vi.spyOn(draw, name).mockReturnValue(drawn);
    const exported = await exportFigures({ out, check: true });
    vi.restoreAllMocks();
    expect(exported.map(({ name }) => name)).toEqual([...Object.keys(figures), "old"]);
    expect(exported.at(-1)).toEqual({
      name: "old",
      status: "unknown",
      path: join(out, "old.svg"),
    });
    expect(new Set(statusOf(exported))).toEqual(new Set(["missing", "unknown"]));
  });

  it("names the nearest figure before it draws any", async () => {
    await expect(exportFigures({ out, only: ["figure-1", "figure-21"] })).rejects.toThrow(
      'Cannot find the figure "figure-21": did you mean "figure-2"? Figures: two-bit-grid, figure-2,',
    );
    expect(await readdir(out)).toEqual([]);
  });
});

it("finds a figure by its name only", () => {
  expect(findFigure("figure-2")).toBe(figures["figure-2"]);
  expect(() => findFigure("toString")).toThrow('Cannot find the figure "toString"');
});
