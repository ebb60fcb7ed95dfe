/** Runs this same Deno as a tool: to format, to lint, to check types. */

/** How a Deno command runs. */
export interface DenoOptions {
  /** Working folder; its deno.json applies. */
  cwd?: string;
  /** Text for standard input. */
  input?: string;
  /** Ends the command. */
  signal?: AbortSignal;
}

/** What a Deno command printed, without colours. */
export interface DenoResult {
  ok: boolean;
  stdout: string;
  stderr: string;
}

/**
 * Runs `deno` with `args` and waits for it.
 * @throws the signal's reason once it has ended the command.
 */
export async function runDeno(
  args: readonly string[],
  options: DenoOptions = {},
): Promise<DenoResult> {
  const { cwd, input, signal } = options;
  signal?.throwIfAborted();
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    ...(cwd === undefined ? {} : { cwd }),
    env: { NO_COLOR: "1" },
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    ...(signal ? { signal } : {}),
  }).spawn();
  const [output] = await Promise.all([
    child.output(),
    input === undefined ? undefined : new Blob([input]).stream().pipeTo(child.stdin),
  ]);
  signal?.throwIfAborted();
  const decoder = new TextDecoder();
  return {
    ok: output.success,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}
