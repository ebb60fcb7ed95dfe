/** Reads the values of a JSON object one by one, and says which key is at fault. */
export class JsonReader {
  readonly #object: Record<string, unknown>;
  readonly #title: string;

  /** `title` names the object in errors, such as "config.json". Throws when `json` is no object. */
  constructor(json: unknown, title: string) {
    if (typeof json !== "object" || json === null || Array.isArray(json)) {
      throw new TypeError(`Cannot read ${title}: needs a JSON object: got ${JSON.stringify(json)}`);
    }
    this.#object = json as Record<string, unknown>;
    this.#title = title;
  }

  /** Whether the key is there and not null. */
  has(key: string): boolean {
    return Object.hasOwn(this.#object, key) && this.#object[key] !== null;
  }

  /** A whole number of at least 1. */
  integer(key: string, otherwise?: number): number {
    const isSize = (value: unknown): value is number =>
      Number.isInteger(value) && Number(value) >= 1;
    return this.#read(key, otherwise, isSize, "a whole number of at least 1");
  }

  /** A finite number above 0. */
  number(key: string, otherwise?: number): number {
    const isPositive = (value: unknown): value is number =>
      Number.isFinite(value) && Number(value) > 0;
    return this.#read(key, otherwise, isPositive, "a number above 0");
  }

  flag(key: string, otherwise?: boolean): boolean {
    const isFlag = (value: unknown): value is boolean => typeof value === "boolean";
    return this.#read(key, otherwise, isFlag, "true or false");
  }

  /** The value that `choices` gives for the text at the key. */
  choice<Value>(key: string, choices: Readonly<Record<string, Value>>, otherwise?: string): Value {
    const isName = (value: unknown): value is string =>
      typeof value === "string" && Object.hasOwn(choices, value);
    const allowed = Object.keys(choices).map((name) => JSON.stringify(name)).join(", ");
    return choices[this.#read(key, otherwise, isName, `one of ${allowed}`)]!;
  }

  /** The object at the key. */
  object(key: string): JsonReader {
    return new JsonReader(this.#object[key], `"${key}" of ${this.#title}`);
  }

  #read<Value>(
    key: string,
    otherwise: Value | undefined,
    allows: (value: unknown) => value is Value,
    allowed: string,
  ): Value {
    if (!this.has(key)) {
      if (otherwise !== undefined) return otherwise;
      throw new Error(`Cannot read ${this.#title}: "${key}" is missing: it must be ${allowed}`);
    }
    const value = this.#object[key];
    if (allows(value)) return value;
    throw new Error(
      `Cannot read ${this.#title}: "${key}" must be ${allowed}: got ${JSON.stringify(value)}`,
    );
  }
}
