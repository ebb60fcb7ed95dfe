/** The panel that figures 3 and 6 of the suite share: QiD of every size over bytes at one bit width. */
import type { Markish } from "@observablehq/plot";
import { labels, points } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { distinct } from "../pythia.ts";
import { bitColour, fontSizes } from "../style.ts";
import { bytesAxis, isDrawn, logQid, suiteQidAxis, type SuiteRow, suiteSymbols } from "./series.ts";

/** A panel of the measured curves; `lines` are drawn below the marks of a size, whose number stands at the right. */
export function curvesPanel(
  rows: readonly SuiteRow[],
  bits: number,
  lines: (size: number) => readonly Markish[],
): Panel {
  const symbol = suiteSymbols(rows);
  const colour = bitColour(bits);
  const sizes = distinct(rows, "label").map((label) =>
    rows.filter((row) => row.label === label && row.bits === bits && isDrawn(row))
  ).filter((own) => own.length > 0);
  return {
    heading: `${bits} bits`,
    x: bytesAxis(),
    y: suiteQidAxis({ ...logQid, ...(bits === 2 ? {} : { label: "" }) }),
    left: bits === 2 ? 52 : 40,
    right: 36,
    marks: (frame) => {
      const ends = sizes.map((own) => own.at(-1)!);
      const places = frame.spread(ends.map(({ qid }) => qid), 13);
      return [
        ...ends.flatMap(({ size }) => lines(size)),
        ...sizes.flatMap((own) =>
          points(own.map(({ tokens, qid }) => ({ x: tokens, y: qid })), {
            provenance: "measured",
            colour,
            symbol: symbol(own[0]!.label),
            radius: 3.2,
          })
        ),
        labels(ends.map(({ label, tokens }, i) => ({ x: tokens, y: places[i]!, text: label })), {
          ...{ dx: 6, size: fontSizes.tick, colour },
        }),
      ];
    },
  };
}
