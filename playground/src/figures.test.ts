import { expect, test } from "vitest";
import { count, time } from "./figures";

test.each([
  [undefined, "–"],
  [0, "0 µs"],
  [999, "999 µs"],
  [1_234, "1.23 ms"],
  [45_678, "45.7 ms"],
  [345_678, "346 ms"],
  [999_700, "1.00 s"],
  [1_234_567, "1.23 s"],
])("%s µs reads %s", (us, text) => {
  expect(time(us)).toBe(text);
});

test("counts have thin spaces", () => {
  expect(count(1_234_567)).toBe("1\u2009234\u2009567");
});
