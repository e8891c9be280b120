// Figures as people read them.

/** What stands where nothing was measured: unknown is never 0. */
export const UNKNOWN = "–";

/** A duration in µs. */
export function time(us: number | undefined): string {
  if (us === undefined) return UNKNOWN;
  if (us < 1_000) return `${Math.round(us)} µs`;
  if (us < 999_500) return `${(us / 1_000).toFixed(us < 9_995 ? 2 : us < 99_950 ? 1 : 0)} ms`;
  return `${(us / 1_000_000).toFixed(2)} s`;
}

/** A count with thin spaces. */
export function count(n: number): string {
  return n.toLocaleString("en").replaceAll(",", "\u2009");
}
