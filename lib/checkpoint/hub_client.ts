/** Requests to the hub: with the token, to the hub alone, and again when the hub asks for patience. */
import { HubError } from "./hub_error.ts";
import { type HubOptions, hubSettings } from "./hub_settings.ts";

/** How often a request is made before it is given up. */
export const tries = 5;
/** The longest wait that the hub may ask for, in seconds. */
const longestWait = 600;
const passing = new Set([408, 429, 500, 502, 503, 504]);

/** Requests to one hub. Neither its fields nor its errors show the token. */
export class HubClient {
  readonly endpoint: string;
  readonly cache: string;
  readonly offline: boolean;
  readonly stallMilliseconds: number;
  readonly #token: string;

  constructor(options: HubOptions = {}) {
    const settings = hubSettings(options);
    this.endpoint = settings.endpoint;
    this.cache = settings.cache;
    this.offline = settings.offline;
    this.stallMilliseconds = settings.stallSeconds * 1000;
    this.#token = settings.token;
  }

  /**
   * As the global fetch, but answers with a success or throws a HubError. Waits as Retry-After says,
   * and tries a few times when the connection or the hub fails. The token goes to the hub's own
   * origin only: fetch drops it where a redirect leads elsewhere.
   */
  readonly fetch = async (
    input: string | URL | Request,
    init: RequestInit = {},
  ): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = new Headers(init.headers);
    if (this.#token && url.origin === new URL(this.endpoint).origin) {
      headers.set("Authorization", `Bearer ${this.#token}`);
    }
    for (let attempt = 1;; attempt++) {
      const signal = init.signal ?? AbortSignal.timeout(this.stallMilliseconds);
      let response: Response;
      try {
        response = await fetch(url, { ...init, headers, signal });
      } catch (cause) {
        if (init.signal?.aborted) throw cause;
        if (attempt === tries) throw this.#unreachable(url, cause);
        await delay(backoff(attempt));
        continue;
      }
      if (response.ok) return response;
      await response.body?.cancel();
      const wait = retryAfter(response) ?? backoff(attempt);
      if (!passing.has(response.status) || attempt === tries || wait > longestWait * 1000) {
        throw this.#refused(url, response);
      }
      await delay(wait);
    }
  };

  #unreachable(url: URL, cause: unknown): HubError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new HubError(
      `Cannot reach ${url.origin}: ${reason}: check the network and HF_ENDPOINT, or set ` +
        "HF_HUB_OFFLINE=1 to use what is in the cache",
      { cause },
    );
  }

  /** The hub's own words are left out: they could hold anything, the token too. */
  #refused(url: URL, response: Response): HubError {
    const { status } = response;
    const code = response.headers.get("X-Error-Code");
    const what = `${this.endpoint}${url.pathname}`;
    return new HubError(`Cannot get ${what}: ${status}: ${this.#advice(status, code)}`, { status });
  }

  #advice(status: number, code: string | null): string {
    if (code === "GatedRepo" || (status === 403 && code !== "DisabledRepo")) {
      return "access must be asked for: accept the model's conditions on its page, and set HF_TOKEN " +
        "to a token of the account that did";
    }
    if (code === "RepoNotFound" || status === 401) {
      return "no such model, or a private one: check the name, and set HF_TOKEN to a token that may " +
        (this.#token ? "read it: the one that is set may not" : "read it");
    }
    if (status === 404) return "no such file, revision or model: check the names";
    if (status === 416) return "the file is shorter than the hub says";
    if (status === 429) {
      return "too many requests: wait a while, or set HF_TOKEN for a higher limit";
    }
    if (status >= 500) return "the hub has a fault: try again later";
    return "the hub refuses the request";
  }
}

/** 0.25, 0.5, 1 ... seconds after the first, second, third failure, in milliseconds. */
export function backoff(failures: number): number {
  return 250 * 2 ** (failures - 1);
}

export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Milliseconds to wait: Retry-After gives seconds or a date, RateLimit the seconds to its reset. */
function retryAfter({ headers }: Response): number | undefined {
  const reset = /\bt\s*=\s*(\d+)/.exec(headers.get("RateLimit") ?? "")?.[1];
  const value = headers.get("Retry-After") ?? reset ?? "";
  const milliseconds = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}
