/** What GPTQ gains over rounding to nearest, by bits (Xu et al. 2024 find it non-monotonic). */
import { type GptqGain, gptqGains } from "../../predictor/mod.ts";
import { type Figure, figure } from "../layout.ts";
import { curve, points } from "../marks.ts";
import type { Panel } from "../panel.ts";
import { distinct } from "../pythia.ts";
import { muted, rule } from "../style.ts";
import {
  elementColour,
  kindOf,
  type LandscapeFigureOptions,
  landscapeSource,
  sharedRows,
} from "./landscape.ts";
import { megabytes, suiteLabel, suiteLegend, suiteSymbols } from "./series.ts";

/** What is drawn: a heading, a kind of format and its block. */
const kinds = [
  ["MX integers, blocks of 128", "MXINT", 128],
  ["MX integers, blocks of 32", "MXINT", 32],
  ["Integers, groups of 32", "INT", 32],
] as const;

/** Draws the gain over element bits, in nats and as a share, for MX integers and for integers in groups. */
export function landscapeGain(options: LandscapeFigureOptions = {}): Figure {
  const gains = gptqGains(options.rows).map((gain) => ({
    ...gain,
    label: suiteLabel(gain.rtn.size),
  }));
  const shared = new Set(sharedRows(gains.map(({ rtn }) => rtn)));
  const shown = gains.filter(({ rtn }) =>
    shared.has(rtn) && kinds.some(([, kind, block]) => kindOf(rtn) === kind && rtn.block === block)
  );
  const symbol = suiteSymbols(gains.map(({ rtn, label }) => ({ ...rtn, label })));
  const labels = distinct(shown, "label");
  const shares = shown.map(({ share }) => 100 * share);
  const lowest = Math.min(0, Math.floor(Math.min(...shares) / 20) * 20);
  const nats = shown.filter(({ gain }) => gain > 0).map(({ gain }) => gain);
  const panel = (
    heading: string,
    kind: "MXINT" | "INT",
    block: number,
    of: "nats" | "share",
  ): Panel => {
    const own = shown.filter(({ rtn }) => kindOf(rtn) === kind && rtn.block === block);
    const value = ({ gain, share }: GptqGain) => of === "nats" ? gain : 100 * share;
    const at = (label: string) =>
      own.filter((gain) => gain.label === label && (of === "share" || gain.gain > 0))
        .sort((a, b) => a.rtn.elementBits - b.rtn.elementBits);
    return {
      ...(of === "nats" && { heading }),
      x: {
        label: of === "nats" ? "" : "Element width (bits)",
        domain: [1.7, 6.3],
        ticks: [2, 3, 4, 6],
      },
      y: of === "nats"
        ? {
          label: kind === "MXINT" && block === 128 ? "Gain (nats per byte)" : "",
          domain: [Math.min(...nats) / 1.5, Math.max(...nats) * 1.5],
          ticks: [1e-4, 1e-3, 1e-2, 1e-1, 1].filter((tick) =>
            tick > Math.min(...nats) / 1.5 && tick < Math.max(...nats) * 1.5
          ),
          log: true,
        }
        : {
          label: kind === "MXINT" && block === 128 ? "Gain, share of QiD (%)" : "",
          domain: [lowest, 100],
          ticks: [-100, -80, -60, -40, -20, 0, 20, 40, 60, 80, 100].filter((tick) =>
            tick >= lowest
          ),
        },
      left: 58,
      right: 8,
      marks: () => [
        ...(of === "share" && lowest < 0
          ? [curve([{ x: 1.7, y: 0 }, { x: 6.3, y: 0 }], { colour: rule, width: 1 })]
          : []),
        ...labels.flatMap((label) => [
          curve(at(label).map((gain) => ({ x: gain.rtn.elementBits, y: value(gain) })), {
            colour: muted,
            width: 1,
          }),
          ...at(label).flatMap((gain) =>
            points([{ x: gain.rtn.elementBits, y: value(gain) }], {
              provenance: "measured",
              colour: elementColour(gain.rtn.elementBits),
              symbol: symbol(label),
              radius: 3.6,
            })
          ),
        ]),
      ],
    };
  };
  return figure({
    name: "landscape-gptq-gain",
    title: "What GPTQ gains over rounding to nearest, by bits",
    caption:
      `**After Xu et al. (2024).** ${landscapeSource} All sizes at the last token count that they share (${
        megabytes(shown[0]!.rtn.tokens)
      } bytes, M: 2^{20}). Above: QiD of rounding ` +
      "less that of GPTQ; a loss by GPTQ is not drawn. Below: the same as a share of the QiD of rounding. Formats in which " +
      "rounding costs less than twice its standard error are left out.",
    legend: suiteLegend(shown.map(({ rtn, label }) => ({ ...rtn, label }))),
    rows: (["nats", "share"] as const).map((of) => ({
      height: of === "nats" ? 250 : 240,
      panels: kinds.map(([heading, kind, block]) => panel(heading, kind, block, of)),
    })),
  });
}
