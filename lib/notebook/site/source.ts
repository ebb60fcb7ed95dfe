/** Where a piece of a page comes from: what its errors name, and what its links and images resolve against. */
export interface Source {
  /** The notebook's path, and the cell once one is being written. */
  where: string;
  /** The notebook's folder. */
  folder: string;
  /** Names of the site's notebooks, without folder. */
  notebooks: ReadonlySet<string>;
  /** Images in the cell itself, by name: MIME type and base64 text. */
  attachments: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** A text for ids that no other piece of the page has. */
  unique(): string;
}

/** An error that names its source. */
export function siteError(source: Source, what: string): Error {
  return new Error(`Cannot write the page of ${source.where}: ${what}`);
}
