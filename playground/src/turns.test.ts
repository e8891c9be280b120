import { expect, test } from "vitest";
import type { Turn } from "./server";
import { Turns } from "./turns";

/** Turns that ended one after the other, up to the one with this number. */
function upTo(last: number): Turn[] {
  return Array.from({ length: last }, (_, at) => turn(at + 1));
}

function turn(ended: number): Turn {
  return {
    ended, turn: ended, outcome: "completed", e2e_us: 750_000, end_of_turn_delay_us: null,
    transcription_delay_us: null, llm_ttft_us: null, tts_ttfb_us: null, engine_added_us: 400,
    barge_in_stop_us: null,
  };
}

function shown(...readings: Turn[][]): number[] {
  const turns = new Turns();
  for (const reading of readings) turns.take(reading);
  return turns.rows.map(({ ended }) => ended);
}

test("what was before the page is no turn of the call", () => {
  expect(shown(upTo(3))).toEqual([]);
  expect(shown(upTo(3), upTo(3))).toEqual([]);
});

test("the latest turn comes first, however many ended at once", () => {
  expect(shown([], upTo(1), upTo(3))).toEqual([3, 2, 1]);
});

test("turns that the process no longer tells of go", () => {
  expect(shown(upTo(3), upTo(7).slice(4))).toEqual([7, 6, 5]);
});

test("a reading without a new turn changes nothing", () => {
  const turns = new Turns();
  expect([upTo(1), upTo(2), upTo(2)].map((it) => turns.take(it))).toEqual([false, true, false]);
});

test("the turns of the last call go when the next begins", () => {
  const turns = new Turns();
  for (const reading of [[], upTo(2)]) turns.take(reading);
  turns.clear();
  expect(turns.rows).toEqual([]);
  turns.take(upTo(3));
  expect(turns.rows.map(({ ended }) => ended)).toEqual([3]);
});

test("a process that began anew has none of the call's", () => {
  const turns = new Turns();
  for (const reading of [upTo(4), upTo(5), []]) turns.take(reading);
  expect(turns.take(upTo(1))).toBe(true);
  expect(turns.rows.map(({ ended }) => ended)).toEqual([1]);
});
