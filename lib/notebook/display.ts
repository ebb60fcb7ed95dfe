/** How a value tells Jupyter in which forms it can be shown. */

/** One output in several forms, by MIME type. A viewer takes the richest it knows. */
export type MediaBundle = Record<string, string | object>;

/** The name under which a value brings its own forms. */
export const display: unique symbol = Symbol.for("Jupyter.display");

/** A value that brings its own forms. */
export interface Displayable {
  [display](): MediaBundle | Promise<MediaBundle>;
}
