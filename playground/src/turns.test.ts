import { expect, test } from "vitest";
import { samples } from "./exposition";
import { Turns } from "./turns";

const LABELS = 'environment="dev",pipeline="clinic"';

function metrics(completed: number, interrupted: number, e2e: [number, number]): string {
  return [
    "# HELP voicegraph_turns_total Turns that ended, by outcome.",
    `voicegraph_turns_total{${LABELS},outcome="completed"} ${completed}`,
    `voicegraph_turns_total{${LABELS},outcome="interrupted"} ${interrupted}`,
    `voicegraph_turns_total{environment="dev",pipeline="other",outcome="completed"} 70`,
    `voicegraph_turn_e2e_seconds_bucket{${LABELS},le="+Inf"} ${e2e[1]}`,
    `voicegraph_turn_e2e_seconds_sum{${LABELS}} ${e2e[0]}`,
    `voicegraph_turn_e2e_seconds_count{${LABELS}} ${e2e[1]}`,
  ].join("\n");
}

function rows(...readings: string[]) {
  const turns = new Turns();
  for (const reading of readings) turns.take(reading, "clinic", "dev");
  return turns.rows;
}

test("what was before the call is no turn of it", () => {
  expect(rows(metrics(3, 1, [2.5, 4]))).toEqual([]);
});

test("a turn's duration is what the sum grew by", () => {
  const [row] = rows(metrics(3, 0, [2.5, 3]), metrics(4, 0, [3.25, 4]));
  expect(row).toEqual({ turns: 1, outcomes: ["completed"], us: { turn_e2e: 750_000 } });
});

test("what a turn did not measure is absent", () => {
  const [row] = rows(metrics(3, 0, [2.5, 3]), metrics(3, 1, [2.5, 3]));
  expect(row).toEqual({ turns: 1, outcomes: ["interrupted"], us: {} });
});

test("several turns at once give their mean, and say how many they are", () => {
  const [row] = rows(metrics(0, 0, [0, 0]), metrics(1, 1, [3, 2]));
  expect(row).toEqual({
    turns: 2,
    outcomes: ["completed", "interrupted"],
    us: { turn_e2e: 1_500_000 },
  });
});

test("the latest turn comes first, and a process that began anew is none", () => {
  const found = rows(
    metrics(1, 0, [1, 1]), metrics(2, 0, [2, 2]), metrics(2, 1, [2.5, 3]), metrics(0, 0, [0, 0]),
  );
  expect(found.map((row) => row.outcomes)).toEqual([["interrupted"], ["completed"]]);
});

test("labels are read without their escapes", () => {
  expect(samples('a{b="x\\"y\\\\z",c="1, 2"} 3\n# d 4\n\ne 5')).toEqual([
    { name: "a", labels: { b: 'x"y\\z', c: "1, 2" }, value: 3 },
    { name: "e", labels: {}, value: 5 },
  ]);
});
