// The turns of the call, from what the process counts of all turns.
//
// `/metrics` has a histogram for each duration of a turn. Between two readings, a sum grows by the
// durations of the turns that ended in between: with one call in the process, and readings closer
// than turns are, that is the duration of one turn. Where several ended at once, the row says so,
// and shows their means.

import { type Sample, samples } from "./exposition";

/** The durations, by the middle of their metric's name. */
export const SERIES = {
  turn_e2e: "first sound",
  turn_end_of_turn_delay: "end of turn",
  turn_transcription_delay: "last words",
  turn_llm_ttft: "model's first token",
  turn_tts_ttfb: "voice's first sound",
  turn_engine_added: "added by the engine",
  barge_in_stop: "silence after interruption",
} as const;

export type Series = keyof typeof SERIES;

/** One turn, or several that ended between two readings. */
export interface Row {
  /** How many turns it stands for. */
  readonly turns: number;
  /** How they ended: `completed`, `interrupted`, … */
  readonly outcomes: readonly string[];
  /** Mean durations in µs; what was not measured is absent. */
  readonly us: Partial<Readonly<Record<Series, number>>>;
}

interface Reading {
  readonly outcomes: Readonly<Record<string, number>>;
  readonly sums: Partial<Record<Series, { sum: number; count: number }>>;
}

/** Rows are kept so far back. */
const MAX_ROWS = 100;

/** Compares each reading of a pipeline's metrics with the one before. */
export class Turns {
  #last: Reading | undefined;
  #rows: Row[] = [];

  /** The latest first. */
  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** Takes a reading of `/metrics`; `true` where a turn ended since the last. */
  take(text: string, pipeline: string, environment: string): boolean {
    const own = samples(text).filter(
      ({ labels }) => labels["pipeline"] === pipeline && labels["environment"] === environment,
    );
    const reading = read(own);
    const row = this.#last === undefined ? undefined : between(this.#last, reading);
    this.#last = reading;
    if (row === undefined) return false;
    this.#rows = [row, ...this.#rows].slice(0, MAX_ROWS);
    return true;
  }

  clear(): void {
    this.#rows = [];
  }
}

function read(own: readonly Sample[]): Reading {
  const ended = own.filter(({ name }) => name === "voicegraph_turns_total");
  const outcomes = ended.map(({ labels, value }) => [labels["outcome"] ?? "", value] as const);
  const value = (name: string) => own.find((sample) => sample.name === name)?.value;
  const sums: Reading["sums"] = {};
  for (const series of Object.keys(SERIES) as Series[]) {
    const sum = value(`voicegraph_${series}_seconds_sum`);
    const count = value(`voicegraph_${series}_seconds_count`);
    if (sum !== undefined && count !== undefined) sums[series] = { sum, count };
  }
  return { outcomes: Object.fromEntries(outcomes), sums };
}

function between(last: Reading, next: Reading): Row | undefined {
  const grown = Object.entries(next.outcomes)
    .map(([name, count]) => [name, count - (last.outcomes[name] ?? 0)] as const)
    .filter(([, more]) => more > 0);
  const turns = grown.reduce((sum, [, more]) => sum + more, 0);
  if (turns === 0) return undefined;
  const us: Row["us"] = {};
  for (const series of Object.keys(SERIES) as Series[]) {
    const mean = meanUs(last.sums[series], next.sums[series]);
    if (mean !== undefined) Object.assign(us, { [series]: mean });
  }
  return { turns, outcomes: grown.map(([name]) => name), us };
}

function meanUs(
  last: { sum: number; count: number } = { sum: 0, count: 0 },
  next: { sum: number; count: number } | undefined,
): number | undefined {
  if (next === undefined || next.count <= last.count) return undefined;
  return ((next.sum - last.sum) / (next.count - last.count)) * 1_000_000;
}
