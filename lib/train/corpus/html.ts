/** Paragraphs of HTML, and of the XML inside SWORD modules. */
import { Parser } from "htmlparser2";

const skipped = new Set(
  "head script style pre nav svg math textarea select button note".split(" "),
);
const inline = new Set(
  ("a abbr acronym b bdo big br cite code del dfn em font i img ins kbd label mark q s samp small span " +
    "strong sub sup time tt u var wbr hi w seg foreign reference name divinename transchange")
    .split(
      " ",
    ),
);

/** The text between block-level tags. Scripts, preformatted text and navigation are left out. */
export function htmlParagraphs(html: string): string[] {
  const paragraphs: string[] = [];
  let text = "";
  let hidden = 0;
  const flush = () => {
    if (text.length > 0) paragraphs.push(text);
    text = "";
  };
  const parser = new Parser({
    onopentagname(name) {
      if (skipped.has(name)) hidden++;
      if (name === "br") text += " ";
      else if (!inline.has(name)) flush();
    },
    ontext(part) {
      if (hidden === 0) text += part;
    },
    onclosetag(name) {
      if (skipped.has(name) && hidden > 0) hidden--;
      if (!inline.has(name)) flush();
    },
  });
  parser.end(html);
  flush();
  return paragraphs;
}
