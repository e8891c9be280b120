// Both sides' words, as text streams bring them (topic `lk.transcription`).
//
// The agent's segment is one stream that grows as its words are spoken. Each update of the
// caller's segment is a stream of its own with the whole text so far. So for both, what the
// latest stream of a segment has brought is the segment's text.

export type Speaker = "you" | "agent";

/** One segment, as it is shown. */
export interface Line {
  readonly segment: string;
  readonly speaker: Speaker;
  readonly text: string;
  readonly isFinal: boolean;
}

/** What one stream has brought so far. `stream` numbers streams in the order in which they began. */
export interface Update extends Line {
  readonly stream: number;
}

/** The lines in the order in which their segments began. */
export class Transcript {
  readonly #updates = new Map<string, Update>();

  get lines(): readonly Line[] {
    return [...this.#updates.values()].filter((line) => line.text.trim() !== "");
  }

  /** Takes an update in; `false` where a later stream of the segment has replaced it. */
  take(update: Update): boolean {
    const key = `${update.speaker} ${update.segment}`;
    const known = this.#updates.get(key);
    if (known !== undefined && known.stream > update.stream) return false;
    this.#updates.set(key, update);
    return true;
  }

  clear(): void {
    this.#updates.clear();
  }
}
