/** Figures as files: written, or compared with those that are there. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { figures, findFigure } from "./registry.ts";

/** What became of a figure's file. */
export interface ExportedFigure {
  name: string;
  /** "written" and "unchanged" when writing; "same", "changed", "missing" and "unknown" when checking. */
  status: "written" | "unchanged" | "same" | "changed" | "missing" | "unknown";
  /** The file to look at: the figure, or, when it changed, the new version beside it. */
  path: string;
}

/** Options of {@link exportFigures}. */
export interface ExportFiguresOptions {
  /** The folder of the SVG files. */
  out: string;
  /** Compare with the files instead of writing them. */
  check?: boolean;
  /** Names of the figures; all if left out. */
  only?: readonly string[];
  /** Called after each figure. */
  onProgress?: (figure: ExportedFigure) => void;
}

const changedSuffix = "-changed.svg";

/**
 * Draws figures into `out`, one SVG file each; a file that would stay the same is not touched.
 *
 * With `check` no figure is written: one that differs goes to `NAME-changed.svg` beside it, and, when
 * all figures are checked, an SVG file that no figure draws is reported as "unknown".
 *
 * @throws {RangeError} on a name that is no figure, before anything is drawn
 */
export async function exportFigures(options: ExportFiguresOptions): Promise<ExportedFigure[]> {
  const { out, check = false, only = Object.keys(figures), onProgress } = options;
  const draws = only.map((name) => ({ name, draw: findFigure(name) }));
  const exported: ExportedFigure[] = [];
  const report = (figure: ExportedFigure) => {
    exported.push(figure);
    onProgress?.(figure);
  };
  if (!check) await mkdir(out, { recursive: true });
  for (const { name, draw } of draws) {
    const path = join(out, `${name}.svg`);
    const changed = join(out, `${name}${changedSuffix}`);
    const { svg } = draw();
    const before = await readIfThere(path);
    if (!check) {
      if (before !== svg) await writeWhole(path, svg);
      await rm(changed, { force: true });
      report({ name, status: before === svg ? "unchanged" : "written", path });
    } else if (before === svg) {
      await rm(changed, { force: true });
      report({ name, status: "same", path });
    } else if (before === undefined) {
      report({ name, status: "missing", path });
    } else {
      await writeWhole(changed, svg);
      report({ name, status: "changed", path: changed });
    }
  }
  if (check && options.only === undefined) {
    for (const file of (await readdir(out)).sort()) {
      const name = file.slice(0, -".svg".length);
      if (!file.endsWith(".svg") || file.endsWith(changedSuffix)) continue;
      if (!Object.hasOwn(figures, name)) {
        report({ name, status: "unknown", path: join(out, file) });
      }
    }
  }
  return exported;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Writes a file so that no reader sees half of it. */
async function writeWhole(path: string, text: string): Promise<void> {
  const partial = `${path}.partial`;
  await writeFile(partial, text);
  await rename(partial, path);
}
