// What the page's own server tells: no other address is asked but the room's.

/** Where the call takes place, and with whom. */
export interface Config {
  /** The room server: `ws://…` or `wss://…`. */
  readonly url: string;
  /** The agent's name, by which it is called. */
  readonly agent: string;
  /** The pipeline that it runs; absent where the agent runs elsewhere. */
  readonly pipeline?: string;
}

/** A place in a room of its own. */
export interface Ticket {
  readonly url: string;
  readonly token: string;
}

export interface Percentiles {
  readonly count: number;
  readonly p50?: number;
  readonly p99?: number;
}

/** The figures of one edge, as `/edges` has them. */
export interface Edge {
  readonly edge: string;
  readonly received: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly length: number;
  readonly queue_us: Percentiles;
  readonly age_us: Percentiles;
}

export interface Pipeline {
  readonly pipeline: string;
  readonly environment: string;
  readonly fingerprint: string;
  readonly edges: readonly Edge[];
}

/** The page's server refused, or does not answer. */
export class ServerError extends Error {}

/** How long an answer may take. */
const ANSWER_LIMIT_MS = 5_000;

async function ask(path: string, method = "GET"): Promise<Response> {
  const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
  const answer = await fetch(path, { method, cache: "no-store", signal }).catch(() => {
    throw new ServerError("the playground's process does not answer: is it still running?");
  });
  if (answer.ok) return answer;
  const said = (await answer.text()).trim().slice(0, 300);
  throw new ServerError(said === "" ? `${path} was answered with ${answer.status}` : said);
}

export async function config(): Promise<Config> {
  return (await ask("api/config")).json();
}

export async function ticket(): Promise<Ticket> {
  return (await ask("api/token", "POST")).json();
}

export async function pipelines(): Promise<readonly Pipeline[]> {
  const { pipelines }: { pipelines: Pipeline[] } = await (await ask("edges")).json();
  return pipelines;
}

export async function metrics(): Promise<string> {
  return (await ask("metrics")).text();
}

export async function drawing(): Promise<string> {
  return (await ask("graph?format=svg")).text();
}
