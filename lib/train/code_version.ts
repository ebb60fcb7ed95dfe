/** Which code made a result. */

/**
 * The last commit that changed these folders of lib/, with "+changes" when there are changes that
 * are in no commit; "unknown" outside a git repository.
 */
export function codeVersion(folders: readonly string[]): string {
  const commit = git("log", "-1", "--format=%h", "--abbrev=12", "--", ...folders);
  if (!commit) return "unknown";
  return git("status", "--porcelain", "--", ...folders) === "" ? commit : `${commit}+changes`;
}

function git(...args: string[]): string | undefined {
  const cwd = new URL("../", import.meta.url);
  try {
    const { success, stdout } = new Deno.Command("git", { args, cwd, stderr: "null" }).outputSync();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
