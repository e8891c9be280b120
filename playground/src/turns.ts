// The turns of the call, from the last turns of all calls that `/turns` tells of.

import type { Turn } from "./server";

/** The durations of a turn, and what their columns are called. */
export const TIMES = {
  e2e_us: "first sound",
  end_of_turn_delay_us: "end of turn",
  transcription_delay_us: "last words",
  llm_ttft_us: "model's first token",
  tts_ttfb_us: "voice's first sound",
  engine_added_us: "added by the engine",
  barge_in_stop_us: "silence after interruption",
} as const;

export type Time = keyof typeof TIMES;

/** The turns that ended since the call began, with one call in the process. */
export class Turns {
  /** How many had ended before the call; unknown until the first reading. */
  #before: number | undefined;
  /** How many have ended. */
  #ended = 0;
  #rows: readonly Turn[] = [];

  /** The latest first. */
  get rows(): readonly Turn[] {
    return this.#rows;
  }

  /** Takes a reading, the latest turn last; `true` where a turn ended since the one before. */
  take(turns: readonly Turn[]): boolean {
    const ended = turns.at(-1)?.ended ?? 0;
    // A process that counts less has begun anew.
    if (this.#before === undefined || ended < this.#ended) this.#before = ended;
    const before = this.#before;
    const grown = ended > this.#ended && ended > before;
    this.#ended = ended;
    if (grown) this.#rows = turns.filter((turn) => turn.ended > before).reverse();
    return grown;
  }

  clear(): void {
    if (this.#before !== undefined) this.#before = this.#ended;
    this.#rows = [];
  }
}
