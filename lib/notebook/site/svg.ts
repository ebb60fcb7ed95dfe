/** A figure's SVG as a part of an HTML page. */
import { DOMParser } from "linkedom";
import { siteError, type Source } from "./source.ts";

/**
 * Puts an SVG document into a page: ids are made the page's own, so that two figures' clip paths
 * do not meet, its style sheets reach nothing outside it, and it can shrink.
 */
export function renderSvg(svg: string, label: string, source: Source): string {
  const document = new DOMParser().parseFromString(svg, "image/svg+xml");
  const root = document.documentElement;
  if (root?.tagName.toLowerCase() !== "svg") {
    throw siteError(source, "an output of the type image/svg+xml is no SVG document");
  }
  const name = source.unique();
  const elements = [root, ...root.querySelectorAll("*")];
  const ids = new Map(
    elements.map(({ id }) => id).filter((id) => id).map((id) => [id, `${name}-${id}`]),
  );
  for (const element of elements) {
    for (const { name, value } of [...element.attributes]) {
      const own = ownAttribute(name, value, ids);
      if (own !== value) element.setAttribute(name, own);
    }
    if (element.tagName.toLowerCase() === "style") {
      element.textContent = `#${name}{${ownIds(element.textContent, ids)}}`;
    }
  }
  const [width, height] = ["width", "height"].map((side) => root.getAttribute(side));
  if (!root.hasAttribute("viewBox") && width && height) {
    root.setAttribute("viewBox", `0 0 ${parseFloat(width)} ${parseFloat(height)}`);
  }
  root.setAttribute("role", "img");
  if (!root.hasAttribute("aria-labelledby")) root.setAttribute("aria-label", label);
  return `<figure id="${name}" tabindex="0">${root.toString()}</figure>\n`;
}

function ownAttribute(name: string, value: string, ids: ReadonlyMap<string, string>): string {
  if (name === "id") return ids.get(value) ?? value;
  if (name === "href" || name === "xlink:href") {
    return value.startsWith("#") ? `#${ids.get(value.slice(1)) ?? value.slice(1)}` : value;
  }
  if (name.startsWith("aria-")) {
    return value.split(" ").map((word) => ids.get(word) ?? word).join(" ");
  }
  return value.includes("url(") ? ownIds(value, ids) : value;
}

/** Renames `#id` in selectors and in `url(#id)`. Colours such as #fff are no ids of the figure. */
function ownIds(text: string, ids: ReadonlyMap<string, string>): string {
  return text.replaceAll(/#([\w-]+)/g, (all, id) => ids.has(id) ? `#${ids.get(id)}` : all);
}
