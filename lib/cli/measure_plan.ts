/** From the flags of `deno task measure` to a plan. */
import { existsSync, statSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { isModelName } from "../checkpoint/mod.ts";
import {
  type CheckpointEntry,
  makePlan,
  type Plan,
  readCheckpoint,
  readHubCheckpoints,
  readMethods,
  readPlan,
  suiteCheckpoints,
  suiteMethods,
  type TextSequences,
  tokensOf,
  writePlan,
} from "../measure/mod.ts";
import { methods as allMethods, parseSpec } from "../quantize/mod.ts";
import { textFiles } from "../train/mod.ts";

/** What decides what is measured. */
export interface PlanFlags {
  suite?: string | true;
  model?: string[];
  revision?: string[];
  tokensPerStep?: number;
  method?: string[];
  test?: string[];
  calibration?: string;
  corpus: string;
  length?: number;
  stride?: number;
  sequences: number;
  calibrationSequences: number;
  seed: number;
  plan: string;
  resume?: true;
  submit?: string;
  gather?: true;
  retry?: true;
  list?: true;
  allowEqual?: true;
}

/** Positions in a sequence of bytes, and at most in one of tokens: attention over longer ones is slow. */
const [byteLength, longest] = [256, 4096];

/** The plan on the disk, or a new one in its place: what is done stays done. `tell` is told what is going on. */
export async function openPlan(flags: PlanFlags, tell: (line: string) => void): Promise<Plan> {
  const { plan: path, resume, suite, model, revision, allowEqual } = flags;
  const chosen = [resume, suite, model].filter((flag) => flag !== undefined).length;
  if (chosen > 1) throw new Error("Give one of --suite, --model and --resume");
  const another = flags.submit ?? flags.gather ?? flags.retry ?? flags.list;
  if (resume || (chosen === 0 && another !== undefined && existsSync(path))) return readPlan(path);
  if (chosen === 0) {
    throw new Error("Give --suite, --model NAME or FOLDER... or --resume (see --help)");
  }
  if (revision && !model) throw new Error("--revision goes with --model");
  const methods = flags.method ?? suiteMethods;
  readMethods(methods);
  const checkpoints = model
    ? await readModels(words(model), flags, tell)
    : suiteCheckpoints(suite === true ? ".cache/suite" : suite!).map((folder) => {
      tell(`Looking at ${folder}`);
      return readCheckpoint(folder);
    });
  const plan = makePlan(checkpoints, { methods, ...textsOf(flags, checkpoints, tell), allowEqual });
  writePlan(path, plan);
  return plan;
}

/** Words of which each may be several with commas between. */
function words(given: readonly string[]): string[] {
  return [...new Set(given.flatMap((text) => text.split(",")).map((word) => word.trim()))]
    .filter((word) => word !== "");
}

async function readModels(
  models: readonly string[],
  { revision, tokensPerStep }: PlanFlags,
  tell: (line: string) => void,
): Promise<CheckpointEntry[]> {
  const isFolder = (name: string) => statSync(name, { throwIfNoEntry: false })?.isDirectory();
  const wrong = models.find((name) => !isFolder(name) && !/^[^./][^/]*\/[^/]+$/.test(name));
  const unknown = wrong ?? models.find((name) => !isFolder(name) && !isModelName(name));
  if (unknown !== undefined) {
    throw new Error(
      `No folder ${unknown}, and no name of a model on the hub, such as EleutherAI/pythia-160m-deduped`,
    );
  }
  const revisions = words(revision ?? ["main"]);
  const folder = models.find(isFolder);
  if (revision && folder) {
    throw new Error(`The folder ${folder} has no revisions: give the folders of its checkpoints`);
  }
  const entries: CheckpointEntry[] = [];
  for (const [index, model] of models.entries()) {
    const onRevision = (name = "") =>
      tell(`Looking at ${model} ${name} (${index + 1} of ${models.length})`);
    if (!isFolder(model)) {
      entries.push(...await readHubCheckpoints({ model, revisions, tokensPerStep, onRevision }));
      continue;
    }
    onRevision();
    const entry = readCheckpoint(model);
    const { model: name, revision } = entry;
    entries.push({
      ...entry,
      tokens: entry.tokens ?? tokensOf(name, { revision, tokensPerStep }),
    });
  }
  return entries;
}

/** The texts to test and to calibrate on. */
function textsOf(
  flags: PlanFlags,
  checkpoints: readonly CheckpointEntry[],
  tell: (line: string) => void,
): { tests: TextSequences[]; calibration?: TextSequences } {
  const { corpus, sequences, calibrationSequences, seed, stride } = flags;
  const known = checkpoints.flatMap(({ config, tokenizer }) =>
    config ? [{ config, tokenizer }] : []
  );
  const hasTokenizer = known.some(({ tokenizer }) => tokenizer != null);
  const contexts = known.map(({ config: { context, slidingWindow = context } }) =>
    Math.min(context, slidingWindow)
  );
  const length = flags.length ??
    Math.min(hasTokenizer ? longest : byteLength, ...(hasTokenizer ? contexts : []));
  const ofCorpus = (name: keyof typeof textFiles) => join(corpus, textFiles[name]);
  const demand = (file: string) => {
    if (existsSync(file)) return `text:${file}`;
    throw new Error(
      `No text ${file}: build it with: deno task corpus, or give --test and --calibration`,
    );
  };
  const given = flags.test ??
    [demand(ofCorpus("inDomain")), demand(ofCorpus("outOfDomain"))];
  const tests: TextSequences[] = given.map((text) => ({
    ...textOf(text),
    ...{ length, sequences, ...(stride === undefined ? {} : { stride }) },
  }));
  const calibration = { length, sequences: calibrationSequences, seed };
  const train = ofCorpus("train");
  if (flags.calibration !== undefined || existsSync(train) || !hasTokenizer) {
    const text = flags.calibration ?? demand(train);
    return { tests, calibration: { ...textOf(text), ...calibration } };
  }
  const isCalibrated = (method: string) => parseSpec(method, allMethods).method.needs !== "nothing";
  if (!readMethods(flags.method ?? suiteMethods).some(isCalibrated)) return { tests };
  const [first, ...others] = tests;
  const { name, file } = first!;
  tell(
    `No --calibration: methods calibrate on the first quarter of ${file}, and the rest of it is tested on`,
  );
  return {
    tests: [{ ...first!, part: [0.25, 1] }, ...others],
    calibration: { name: `${name}-first-quarter`, file, part: [0, 0.25], ...calibration },
  };
}

function textOf(text: string): Pick<TextSequences, "name" | "file"> {
  const file = /^text:(.+)$/.exec(text)?.[1];
  if (file === undefined) throw new Error(`Cannot read the text ${text}: needs text:FILE`);
  return { file, name: basename(file, extname(file)) };
}
