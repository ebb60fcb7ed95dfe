/** Checkpoints on the hub: what a plan needs to know of them, without their weights. */
import {
  fetchSnapshot,
  finalStep,
  HubError,
  hubSettings,
  listRevisions,
  publishedHashes,
} from "../checkpoint/mod.ts";
import { type CheckpointEntry, describeFolder, readCheckpoint, unknown } from "./checkpoints.ts";

/** Which revisions of a model. */
export interface HubRevisions {
  readonly model: string;
  readonly revisions: readonly string[];
  /** Tokens of one training step, where the name of the model does not tell. */
  readonly tokensPerStep?: number;
  /** Told of each revision before it is asked for. */
  readonly onRevision?: (revision: string) => void;
}

/**
 * Asks the hub for revisions of a model: their commits, configurations and the hashes that it lists of their weights. With
 * HF_HUB_OFFLINE set, what is in the cache is read instead. A revision without safetensors becomes an entry with an error;
 * a model or revision that is not there throws a HubError that lists the nearest.
 */
export async function readHubCheckpoints(options: HubRevisions): Promise<CheckpointEntry[]> {
  const { model, revisions, tokensPerStep, onRevision } = options;
  const { offline } = hubSettings();
  const names = offline ? [...revisions] : (await listRevisions(model)).map(({ name }) => name);
  const last = finalStep(names) ?? null;
  const main = offline || !names.includes("main") ? null : await publishedOf(model, "main");
  const entries: CheckpointEntry[] = [];
  for (const revision of revisions) {
    onRevision?.(revision);
    const tokens = tokensOf(model, { revision, last, tokensPerStep });
    const entry = { ...unknown, model, revision, folder: null, last, main_sha256: main, tokens };
    try {
      const { folder, commit } = await fetchSnapshot(model, { revision, weights: false });
      if (offline) {
        entries.push({ ...readCheckpoint(folder), ...entry, commit });
        continue;
      }
      const found = { ...describeFolder(folder), commit };
      entries.push({ ...entry, ...found, published_sha256: await publishedOf(model, commit) });
    } catch (error) {
      // The hub is there, and so is the revision, but it is not what it should be.
      if (error instanceof HubError && (offline || error.status !== undefined)) throw error;
      entries.push({ ...entry, error: error instanceof Error ? error.message : String(error) });
    }
  }
  return entries;
}

/** What the hub lists of a revision's weights; null when it has none that can be read. */
async function publishedOf(model: string, revision: string): Promise<string | null> {
  const [found] = await publishedHashes(model, [revision]).catch((error) => {
    if (error instanceof HubError && error.status === undefined && revision === "main") return [];
    throw error;
  });
  return found?.sha256 ?? null;
}

/** The folder of a planned checkpoint's files: downloads them where the cache lacks them. */
export async function folderOf(
  { model, folder, commit }: CheckpointEntry,
  progress?: (file: string, done: number, total: number) => void,
): Promise<string> {
  if (folder !== null) return folder;
  const found = await fetchSnapshot(model, {
    revision: commit!,
    progress: ({ file, done, total }) => progress?.(file, done, total),
  });
  return found.folder;
}

/** Tokens of one step of Pythia: 1,024 sequences of 2,048 (Biderman et al. 2023, arXiv 2304.01373). */
const pythiaTokens = 2_097_152;

/**
 * Training tokens by the name of a revision: "stage1-step1000-tokens5B" as OLMo has it, or "step1000" where the tokens of a
 * step are given or the model is a Pythia. `main` is the last step. Null where the name does not tell.
 */
export function tokensOf(
  model: string,
  { revision, last, tokensPerStep }: {
    readonly revision: string;
    readonly last?: string | null;
    readonly tokensPerStep?: number;
  },
): number | null {
  const named = /tokens(\d+)B\b/.exec(revision)?.[1];
  if (named !== undefined) return Number(named) * 1e9;
  const step = /^step(\d+)$/.exec(revision === "main" ? last ?? "" : revision)?.[1];
  const perStep = tokensPerStep ?? (/(^|\/)pythia-/.test(model) ? pythiaTokens : undefined);
  return step === undefined || perStep === undefined ? null : Number(step) * perStep;
}
