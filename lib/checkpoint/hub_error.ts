/** What went wrong at the hub, and what to do. */
export class HubError extends Error {
  override readonly name = "HubError";
  /** The status that the hub answered with, if it did. */
  readonly status?: number;

  constructor(message: string, options: ErrorOptions & { status?: number } = {}) {
    super(message, options);
    this.status = options.status;
  }
}
