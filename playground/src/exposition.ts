// Reads the text in which Prometheus has its metrics, as far as the page needs it.

/** One series: `name{labels} value`. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** Every sample of `text`; comments and what is no sample are passed over. */
export function samples(text: string): Sample[] {
  return text.split("\n").flatMap((line) => {
    const [, name, labels = "", value] = LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) return [];
    const pairs = [...labels.matchAll(LABEL)].map(([, key = "", text = ""]) => [key, plain(text)]);
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
  });
}

/** A label's value without its escapes. */
function plain(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, it: string) => (it === "n" ? "\n" : it));
}
