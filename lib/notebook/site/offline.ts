/** Proof that a page asks the network for nothing. */
import { parseHTML } from "linkedom";

/** What a page may not load from elsewhere, though it may link there. */
const LOADING = ["src", "srcset", "poster", "data", "background", "action", "href", "xlink:href"];

/** What a browser would fetch or run on opening a page, one line each. Empty for an offline page. */
export function requestsOf(html: string): string[] {
  const { document } = parseHTML(html);
  const requests: string[] = [];
  for (const element of document.querySelectorAll("*")) {
    const tag = element.tagName.toLowerCase();
    if (tag === "script" || tag === "iframe") requests.push(`<${tag}>`);
    if (tag === "meta" && /refresh/i.test(element.getAttribute("http-equiv") ?? "")) {
      requests.push("<meta http-equiv=refresh>");
    }
    for (const { name, value } of [...element.attributes]) {
      if (LOADING.includes(name) && !(tag === "a" && name.endsWith("href")) && !isLocal(value)) {
        requests.push(`<${tag} ${name}="${value}">`);
      }
      if (name === "style" || value.includes("url(")) requests.push(...urlsOf(value));
      if (/^on[a-z]/.test(name)) requests.push(`<${tag} ${name}>`);
    }
    if (tag === "style") requests.push(...urlsOf(element.textContent));
  }
  return requests;
}

function isLocal(url: string): boolean {
  return url === "" || url.startsWith("#") || url.startsWith("data:");
}

function urlsOf(css: string): string[] {
  const imports = css.match(/@import[^;]*/g) ?? [];
  const urls = [...css.matchAll(/url\(\s*["']?([^"')]*)/g)].map(([, url]) => url ?? "");
  return [...imports, ...urls.filter((url) => !isLocal(url)).map((url) => `url(${url})`)];
}
