/**
 * Places labels beside points without overlaps. Written by hand because Plot's `dodge` moves along
 * one axis only.
 */
import { textWidth } from "./text.ts";

/** A rectangle in pixels. */
export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** A point with its label, in pixels of the frame. */
export interface LabelledPoint {
  x: number;
  y: number;
  text: string;
}

/** Where a label's middle goes, as an offset in pixels from its point. */
export interface Placement {
  dx: number;
  dy: number;
}

/** Options of {@link placeLabels}. */
export interface PlaceLabelsOptions {
  fontSize: number;
  /** Labels stay inside this rectangle. */
  within: Box;
  /** Radius of the points, in pixels. */
  radius?: number;
}

const angles = [0, 180, 270, 90, 315, 45, 225, 135, 292, 248, 68, 112, 338, 22, 202, 158];
const distances = [0, 8, 16, 26, 38, 52];

/**
 * Places each label at the nearest offset at which it covers no point and no earlier label; the
 * most crowded points choose first.
 *
 * @throws {RangeError} when a label has no free place
 */
export function placeLabels(
  points: readonly LabelledPoint[],
  { fontSize, within, radius = 5 }: PlaceLabelsOptions,
): Placement[] {
  const marks = points.map(({ x, y }) => around(x, y, radius, radius));
  const crowd = points.map((a) =>
    points.filter((b) => Math.hypot((a.x - b.x) / 2, a.y - b.y) < 3 * fontSize).length
  );
  const order = points.map((_, i) => i).sort((a, b) => crowd[b]! - crowd[a]! || a - b);
  const taken: Box[] = [];
  const placements = new Array<Placement>(points.length);
  for (const i of order) {
    const { x, y, text } = points[i]!;
    const halfWidth = textWidth(text, fontSize) * 1.04 / 2;
    const halfHeight = fontSize * 0.56;
    const found = distances.flatMap((distance) =>
      angles.map((angle) => {
        const [cos, sin] = [Math.cos(angle * Math.PI / 180), Math.sin(angle * Math.PI / 180)];
        return {
          dx: cos * (distance + radius + 3) + Math.sign(round(cos)) * halfWidth,
          dy: sin * (distance + radius + halfHeight + 1),
        };
      })
    ).find(({ dx, dy }) => {
      const box = around(x + dx, y + dy, halfWidth, halfHeight);
      return box.left >= within.left && box.right <= within.right && box.top >= within.top &&
        box.bottom <= within.bottom && ![...taken, ...marks].some((other) => overlap(box, other));
    });
    if (found === undefined) {
      throw new RangeError(`Cannot place the label "${text}": needs more room in the figure`);
    }
    placements[i] = found;
    taken.push(around(x + found.dx, y + found.dy, halfWidth, halfHeight));
  }
  return placements;
}

function round(value: number): number {
  return Math.abs(value) < 0.2 ? 0 : value;
}

function around(x: number, y: number, halfWidth: number, halfHeight: number): Box {
  return {
    left: x - halfWidth,
    right: x + halfWidth,
    top: y - halfHeight,
    bottom: y + halfHeight,
  };
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
