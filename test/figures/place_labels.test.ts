import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { placeLabels } from "../../lib/figures/place_labels.ts";
import { textWidth } from "../../lib/figures/text.ts";

const within = { left: 0, right: 600, top: 0, bottom: 400 };
const fontSize = 11;

describe("placeLabels", () => {
  it("keeps labels apart from one another and from points, inside the frame", () => {
    const point = fc.record({
      x: fc.integer({ min: 0, max: 600 }),
      y: fc.integer({ min: 0, max: 400 }),
      text: fc.stringMatching(/^[A-Za-z0-9-]{2,14}$/),
    });
    fc.assert(fc.property(fc.array(point, { minLength: 1, maxLength: 12 }), (points) => {
      fc.pre(
        points.every((a, i) =>
          points.slice(i + 1).every((b) => Math.hypot(a.x - b.x, a.y - b.y) > 30)
        ),
      );
      const boxes = placeLabels(points, { fontSize, within }).map(({ dx, dy }, i) => {
        const { x, y, text } = points[i]!;
        const halfWidth = textWidth(text, fontSize) / 2;
        return {
          left: x + dx - halfWidth,
          right: x + dx + halfWidth,
          top: y + dy - fontSize / 2,
          bottom: y + dy + fontSize / 2,
        };
      });
      boxes.forEach((a, i) => {
        expect(a.left >= 0 && a.right <= 600 && a.top >= 0 && a.bottom <= 400).toBe(true);
        for (const { x, y } of points) {
          expect(x > a.left && x < a.right && y > a.top && y < a.bottom).toBe(false);
        }
        for (const b of boxes.slice(i + 1)) {
          const apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top ||
            b.bottom <= a.top;
          expect(apart).toBe(true);
        }
      });
    }));
  });

  it("says which label has no room", () => {
    const tight = { left: 0, right: 20, top: 0, bottom: 20 };
    expect(() => placeLabels([{ x: 5, y: 5, text: "a long label" }], { fontSize, within: tight }))
      .toThrow('Cannot place the label "a long label": needs more room in the figure');
  });
});
