import { parseHTML } from "linkedom";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatNotebook, parseNotebook } from "../../lib/notebook/document.ts";
import { firstSentence, opening } from "../../lib/notebook/site/markdown.ts";
import { requestsOf } from "../../lib/notebook/site/offline.ts";
import { writeSite } from "../../lib/notebook/site/site.ts";

const fixtures = resolve("test/notebook/fixtures_site");
const notebooks = ["01_every_output.ipynb", "02_second.ipynb"].map((name) => join(fixtures, name));
const index = { title: "Laws & *bits*", introduction: "All of $D^\\beta$." };

let folder: string;
beforeAll(async () => folder = await mkdtemp(join(tmpdir(), "site-")));
afterAll(() => rm(folder, { recursive: true }));

async function page(name: string): Promise<Document> {
  return parseHTML(await readFile(join(folder, "site", name), "utf8")).document;
}

/** Writes the site of one notebook with the given cells, and returns its page. */
async function pageOf(...cells: (string | Record<string, unknown>)[]): Promise<Document> {
  const content = {
    cells: cells.map((cell) =>
      typeof cell === "string"
        ? { cell_type: "markdown", metadata: {}, source: cell }
        : { cell_type: "code", metadata: {}, source: "1;", outputs: [cell] }
    ),
    metadata: {},
    nbformat: 4,
    nbformat_minor: 5,
  };
  const path = join(folder, "one.ipynb");
  await writeFile(path, formatNotebook(parseNotebook(JSON.stringify(content), "one")));
  await writeSite([path], { out: join(folder, "one"), ...index });
  return parseHTML(await readFile(join(folder, "one", "one.html"), "utf8")).document;
}

const shown = (data: Record<string, unknown>) => ({
  output_type: "display_data",
  data,
  metadata: {},
});

const texts = (root: ParentNode, selector: string) =>
  [...root.querySelectorAll(selector)].map((element) => element.textContent);

describe("writeSite", () => {
  beforeAll(async () => void await writeSite(notebooks, { out: join(folder, "site"), ...index }));

  it("writes a page a notebook and an index, the same bytes each time", async () => {
    const names = ["01_every_output.html", "02_second.html", "index.html"];
    expect((await readdir(join(folder, "site"))).sort()).toEqual(names);
    const again = await writeSite(notebooks, { out: join(folder, "again"), ...index });
    expect(again.map(({ path }) => path).sort()).toEqual(
      names.map((name) => join(folder, "again", name)),
    );
    for (const name of names) {
      const bytes = await readFile(join(folder, "site", name));
      expect(bytes.equals(await readFile(join(folder, "again", name)))).toBe(true);
      expect(again.find(({ path }) => path.endsWith(name))?.bytes).toBe(bytes.length);
      expect(bytes.length).toBeLessThan(100_000);
    }
  });

  it("loads nothing from elsewhere", async () => {
    for (const name of await readdir(join(folder, "site"))) {
      const html = await readFile(join(folder, "site", name), "utf8");
      expect(html).not.toMatch(/<script|<iframe|@import|url\((?!#)/);
      const loads = [...html.matchAll(/<(?!a\b)(\w+)[^>]*?\s(?:src|href)="([^"]*)"/g)];
      expect(loads.map(([, , url]) => url!.slice(0, 5)).filter((url) => url !== "data:")).toEqual(
        [],
      );
      expect(html).toContain("default-src 'none'");
    }
  });

  it("has a language, a title, one main heading and a width for phones on each page", async () => {
    for (const name of await readdir(join(folder, "site"))) {
      const document = await page(name);
      expect(document.documentElement.getAttribute("lang")).toBe("en");
      expect(document.querySelector("meta[name=viewport]")?.getAttribute("content"))
        .toContain("width=device-width");
      expect(document.querySelectorAll("h1")).toHaveLength(1);
    }
    const title = (await page("01_every_output.html")).querySelector("title")?.textContent;
    expect(title).toBe("More tokens, more damage: the token law at D^\\beta · Laws & bits");
  });

  it("names every figure, and keeps the ids and clip paths of figures apart", async () => {
    const document = await page("01_every_output.html");
    const figures = [...document.querySelectorAll("figure > svg")];
    expect(figures).toHaveLength(2);
    expect(figures.map((svg) => svg.getAttribute("role"))).toEqual(["img", "img"]);
    expect(figures[0]!.getAttribute("aria-label"))
      .toBe(
        "QiD grows as a power of the tokens\n" +
          "Digitised points of paper A, Figure 2 & the fitted law.",
      );
    const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const clips = figures.map((svg) => svg.querySelector("path")?.getAttribute("clip-path"));
    expect(clips[0]).not.toBe(clips[1]);
    for (const [i, clip] of clips.entries()) {
      const target = figures[i]!.querySelector("clipPath")?.getAttribute("id");
      expect(clip).toBe(`url(#${target})`);
    }
    for (const svg of figures) {
      const style = svg.querySelector("style")?.textContent;
      expect(style).toMatch(new RegExp(`^#${svg.parentElement?.id}\\{\\.curve`));
    }
    expect(document.querySelector("img")?.getAttribute("alt")).toBe("A chessboard of 8 pixels");
  });

  it("sets formulas as MathML, in text, tables, exercises, LaTeX and HTML outputs", async () => {
    const document = await page("01_every_output.html");
    const latex = texts(document, "annotation");
    for (const formula of ["D^\\beta", "N > 0", "\\beta", "D", "\\alpha_1 < 1", "\\gamma > 0"]) {
      expect(latex).toContain(formula);
    }
    const blocks = texts(document, 'math[display="block"] annotation');
    expect(blocks).toHaveLength(2);
    expect(blocks[0]).toMatch(/^\\Delta_q \\mathrm\{Loss\}.*5\.4967$/);
    expect(texts(document, "main > p, main > h1, td, th").join()).not.toContain("$");
  });

  it("shows tables, text, messages and errors, without the terminal's colours", async () => {
    const document = await page("01_every_output.html");
    expect(document.querySelectorAll(".scroll > table")).toHaveLength(3);
    expect(texts(document, "tbody td").at(-1)).toBe("... 28 more rows");
    expect(texts(document, "pre.stdout")).toEqual(["bits 2: 0.0570\nbits 3: 0.0570 <not a tag>"]);
    expect(texts(document, "pre.stderr")).toEqual(["a warning"]);
    expect(texts(document, "pre.error")).toEqual(["Error: on purpose\n    at <anonymous>:2:7"]);
    expect(texts(document, "pre.plain")).toEqual(["{ a: 1 }", "A raw cell, as it is: <b>"]);
  });

  it("colours code without changing it, and keeps hints and solutions folded", async () => {
    const document = await page("01_every_output.html");
    const code = texts(document, "pre.code");
    expect(code).toContain('console.error("a warning");\nthrow new Error("on purpose");');
    expect(texts(document, ".hljs-keyword")).toContain("await");
    expect(document.querySelectorAll("details")).toHaveLength(6);
    expect(document.querySelectorAll("details[open]")).toHaveLength(1);
    expect(document.querySelector("details p .katex")).not.toBeNull();
  });

  it("leads from page to page, and to sections", async () => {
    const first = await page("01_every_output.html");
    const second = await page("02_second.html");
    const links = (document: Document, selector: string) =>
      [...document.querySelectorAll(selector)].map((link) => link.getAttribute("href"));
    expect(links(first, "nav a, header a")).toEqual(["index.html", "02_second.html"]);
    expect(links(second, "nav a")).toEqual(["01_every_output.html"]);
    expect(links(first, "p a")).toEqual([
      "02_second.html#A-section",
      "https://arxiv.org/abs/2411.17691",
    ]);
    expect(second.getElementById("A-section")?.textContent).toBe("A section");
    expect(second.getElementById("A-section-2")?.textContent).toBe("A section");
    const list = await page("index.html");
    expect(links(list, ".index a")).toEqual(["01_every_output.html", "02_second.html"]);
    expect(texts(list, ".index p")[0]).toBe(
      "A model that has read more text loses more when its weights are rounded to few bits, " +
        "e.g. 2 or 3.",
    );
    expect(list.querySelector(".index p .katex annotation")?.textContent).toBe("N");
  });

  it("puts images from beside the notebook into the page", async () => {
    const image = (await page("02_second.html")).querySelector("img")!;
    const [head, base64] = image.getAttribute("src")!.split(",");
    expect(head).toBe("data:image/svg+xml;base64");
    expect(atob(base64!)).toBe(await readFile(join(fixtures, "square.svg"), "utf8"));
    expect(image.getAttribute("alt")).toBe("A square");
  });

  it("takes SVG before HTML before Markdown before LaTeX before text", async () => {
    const forms = [
      ["image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="2"><g/></svg>'],
      ["text/html", "<b>html</b>"],
      ["text/markdown", "*markdown*"],
      ["text/latex", "$latex$"],
      ["text/plain", "plain"],
    ] as const;
    const found = ["figure svg", ".scroll b", ".text em", ".text annotation", "pre.plain"];
    for (let i = 0; i < forms.length; i++) {
      const document = await pageOf("# T", shown(Object.fromEntries(forms.slice(i).toReversed())));
      const counts = found.map((selector) => document.querySelectorAll(selector).length);
      expect(counts).toEqual(found.map((_, j) => j === i ? 1 : 0));
    }
    const svg = (await pageOf("# T", shown(Object.fromEntries(forms)))).querySelector("svg")!;
    expect(svg.getAttribute("viewBox")).toBe("0 0 4 2");
    expect(svg.getAttribute("aria-label")).toBe("plain");
  });

  it("leaves a figure the title that it has of its own", async () => {
    const named = '<svg xmlns="http://www.w3.org/2000/svg" aria-labelledby="a b">' +
      '<title id="a">A</title><desc id="b">B</desc><a href="#c"><g id="c" fill="#abc"/></a></svg>';
    const document = await pageOf("# T", shown({ "image/svg+xml": named, "text/plain": "plain" }));
    const svg = document.querySelector("svg")!;
    const words = svg.getAttribute("aria-labelledby")!.split(" ");
    expect(words.map((id) => document.getElementById(id)?.textContent)).toEqual(["A", "B"]);
    expect(svg.hasAttribute("aria-label")).toBe(false);
    const inner = svg.querySelector("g")!;
    expect(svg.querySelector("a")?.getAttribute("href")).toBe(`#${inner.id}`);
    expect(inner.getAttribute("fill")).toBe("#abc");
  });

  it.each([
    ["![x](https://example.org/x.png)", "an image must be a file beside the notebooks"],
    ["![x](no.png)", "the image no.png cannot be read"],
    ['<img src="http://example.org/x.png">', "must load and run nothing from elsewhere"],
    ["A $\\nonsense$ formula", "the formula is not LaTeX that can be set"],
    ["Over $a +\nb$ two lines", "a formula must stand on one line"],
    [shown({ "text/html": "<script>1</script>" }), "one.ipynb: a page must load and run nothing"],
    [shown({ "text/html": '<p onclick="1">' }), "<p onclick>"],
    [shown({ "text/latex": "$\\nonsense$" }), "one.ipynb, cell 1: the formula"],
    [shown({ "image/svg+xml": "<p>no</p>" }), "one.ipynb, cell 1: an output of the type image/svg"],
    [shown({ "application/json": { a: 1 } }), "no form that a page can show: got application/json"],
  ])("refuses %j, and says why", async (cell, reason) => {
    await expect(pageOf("# T", cell)).rejects.toThrow(reason);
  });

  it("refuses a notebook without a title, and no notebook", async () => {
    await expect(pageOf("Text")).rejects.toThrow('one.ipynb: needs a heading "# Title"');
    await expect(writeSite([], { out: folder, ...index })).rejects.toThrow("at least one notebook");
  });
});

describe("requestsOf", () => {
  it("finds what a browser would fetch or run, and nothing else", () => {
    expect(requestsOf(
      `<a href="http://a.example">ok</a><img src="data:,"><svg><use href="#x"/></svg>
       <p style="fill:url(#x)">`,
    )).toEqual([]);
    for (
      const html of [
        '<img srcset="b.png 2x">',
        '<link rel="stylesheet" href="//b.example/x.css">',
        "<style>p { background: url( 'b.png' ) }</style>",
        "<style>@import 'b.css';</style>",
        '<svg><image href="b.png"/></svg>',
        '<svg><path fill="url(b.svg#x)"/></svg>',
        '<meta http-equiv="refresh" content="0">',
        '<video poster="b.png"></video>',
      ]
    ) expect(requestsOf(`<body>${html}</body>`), html).toHaveLength(1);
  });
});

describe("opening and firstSentence", () => {
  it("find the title and the first paragraph", () => {
    expect(opening("Before.\n\n## Not\n\n# The *title*\n\nAfter.")).toEqual({
      title: "The *title*",
      paragraph: "Before.",
    });
    expect(opening("- a list")).toEqual({});
  });

  it.each([
    ["One sentence. Another.", "One sentence."],
    ["See Eq. 8 and e.g. the $N$. *Then* more.", "See Eq. 8 and e.g. the $N$."],
    ["Is it 0.2? It is.", "Is it 0.2?"],
    ["No end", "No end"],
    ["", ""],
  ])("take %j to %j", (paragraph, sentence) => expect(firstSentence(paragraph)).toBe(sentence));
});

describe("deno task site", () => {
  it("writes the site of a project into the folder it is told", async () => {
    const project = join(folder, "project");
    await mkdir(join(project, "notebooks"), { recursive: true });
    const script = resolve("lib/cli/site.ts");
    const site = async (...args: string[]) => {
      const command = { args: ["run", "-A", script, ...args], cwd: project };
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), command).output();
      const decoder = new TextDecoder();
      return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
    };
    await writeFile(join(project, "README.md"), "# A project\n\nWhat it is.\n");
    await copyFile(notebooks[0]!, join(project, "notebooks", "01_every_output.ipynb"));
    const { code, text } = await site("--out", "pages");
    expect(text).toMatch(/^pages\/index.html +\d+ kB\npages\/01_every_output.html +\d+ kB\n$/);
    expect(code).toBe(0);
    const list = await readFile(join(project, "pages", "index.html"), "utf8");
    expect(list).toContain("<h1>A project</h1>\n<p>What it is.</p>");

    expect((await site("--help")).text).toContain("Example:\n  deno task site --out");
    await writeFile(join(project, "README.md"), "No title\n");
    const failed = await site();
    expect(failed.text).toBe('Cannot write the index: README.md needs a heading "# Title"\n');
    expect(failed.code).toBe(1);
  });
});
