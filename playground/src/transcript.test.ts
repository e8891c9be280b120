import { expect, test } from "vitest";
import { type Speaker, Transcript } from "./transcript";

function taken(...updates: [Speaker, string, number, string, boolean][]): string[] {
  const transcript = new Transcript();
  for (const [speaker, segment, stream, text, isFinal] of updates) {
    transcript.take({ speaker, segment, stream, text, isFinal });
  }
  return transcript.lines.map(
    ({ speaker, text, isFinal }) => `${speaker}: ${text}${isFinal ? "" : " …"}`,
  );
}

test("a growing stream grows its line", () => {
  expect(taken(["agent", "SG_1", 1, "Good", false], ["agent", "SG_1", 1, "Good day", true]))
    .toEqual(["agent: Good day"]);
});

test("a later stream of the segment replaces its text", () => {
  expect(taken(["you", "SG_1", 1, "a", false], ["you", "SG_1", 2, "an appointment", true]))
    .toEqual(["you: an appointment"]);
});

test("what an earlier stream brings late is passed over", () => {
  expect(taken(["you", "SG_1", 2, "final", true], ["you", "SG_1", 1, "interim", false]))
    .toEqual(["you: final"]);
});

test("lines keep the order in which they began", () => {
  expect(taken(
    ["you", "SG_1", 1, "Hello", false],
    ["agent", "SG_2", 2, "Hi", true],
    ["you", "SG_1", 3, "Hello there", true],
  )).toEqual(["you: Hello there", "agent: Hi"]);
});

test("both sides may use the same id, and nothing said is no line", () => {
  expect(taken(["you", "1", 1, "Yes", true], ["agent", "1", 2, "No", false], ["you", "2", 3, " ", true]))
    .toEqual(["you: Yes", "agent: No …"]);
});
