import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { lockFolder } from "../../lib/train/lock.ts";
import { readState, type State, stepOf, writeState } from "../../lib/train/state.ts";
import { TrainingLog } from "../../lib/train/training_log.ts";

const scratch = mkdtempSync(join(tmpdir(), "state-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const notes = { model: "m", data: "d" };
const state: State = {
  step: 7,
  parameters: Float32Array.of(1, -2, 3e-39),
  first: Float32Array.of(0, 5, 6),
  second: Float32Array.of(7, 8, 9),
};
const empty = (length = 3) => ({
  parameters: new Float32Array(length),
  first: new Float32Array(length),
  second: new Float32Array(length),
});

describe("a state", () => {
  const path = join(scratch, "state.safetensors");

  it("comes back bit for bit", () => {
    writeState(path, state, notes);
    const into = empty();
    expect(readState(path, into, notes)).toBe(7);
    expect({ step: 7, ...into }).toEqual(state);
    expect(stepOf(path)).toBe(7);
  });

  it("is refused when it was cut or changed, or is another run's; the message names it", () => {
    writeState(path, state, notes);
    const bytes = readFileSync(path);
    const into = empty();
    const refused = (reason: RegExp, wanted = notes) => {
      expect(() => readState(path, into, wanted)).toThrow(reason);
      expect(() => readState(path, into, wanted)).toThrow(path);
      expect(into).toEqual(empty());
    };
    refused(/model: needs other: got m/, { ...notes, model: "other" });
    for (const length of [0, 5, 100, bytes.length - 1]) {
      writeFileSync(path, bytes.subarray(0, length));
      refused(/delete it to train the run again/);
    }
    const changed = Uint8Array.from(bytes);
    changed[bytes.length - 9]! ^= 1;
    writeFileSync(path, changed);
    refused(/checksum/);
    writeFileSync(path, bytes);
    expect(() => readState(path, empty(4), notes)).toThrow("parameters: needs 4 values: got 3");
  });
});

describe("a training log", () => {
  const path = join(scratch, "log.csv");
  const row = (step: number) => ({
    step,
    tokens: step * 8,
    learningRate: 0.1 / 3,
    loss: 1 / step,
    gradientNorm: 1e-9 * step,
  });
  const write = (rows: number, steps: number[]) => {
    using log = new TrainingLog(path, rows);
    for (const step of steps) log.add(row(step));
    log.save();
  };

  it("drops the rows after the state, so that a run that goes on writes the same bytes", () => {
    write(0, [1, 2, 3, 4, 5]);
    const whole = readFileSync(path, "utf8");
    expect(whole.split("\n")[3]).toBe("3,24,0.03333333,0.3333333,3.000000e-9");
    write(3, [4, 5]);
    expect(readFileSync(path, "utf8")).toBe(whole);
    expect(() => new TrainingLog(path, 6)).toThrow(/log\.csv: needs at least 6 rows: got 5/);
  });

  it("drops a row that a kill left half written", () => {
    write(0, [1, 2]);
    const whole = readFileSync(path, "utf8");
    writeFileSync(path, whole + "3,24,0.0");
    write(2, []);
    expect(readFileSync(path, "utf8")).toBe(whole);
    expect(readdirSync(scratch).filter((name) => name.endsWith(".partial"))).toEqual([]);
  });
});

describe("a folder", () => {
  it("has one process at a time", () => {
    {
      using _first = lockFolder(scratch, "train w1");
      expect(() => lockFolder(scratch, "train w1")).toThrow("another process is at it");
    }
    using _second = lockFolder(scratch, "train w1");
  });
});
