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

/** A turn that has ended, as `/turns` has it; what was not measured is null. */
export interface Turn {
  /** How many turns had ended with this one, in all calls. */
  readonly ended: number;
  /** Its number in its call. */
  readonly turn: number;
  /** How it ended: `completed`, `interrupted`, … */
  readonly outcome: string;
  readonly e2e_us: number | null;
  readonly end_of_turn_delay_us: number | null;
  readonly transcription_delay_us: number | null;
  readonly llm_ttft_us: number | null;
  readonly tts_ttfb_us: number | null;
  readonly engine_added_us: number | null;
  readonly barge_in_stop_us: number | null;
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

/** The last turns of `pipeline`, the latest last. */
export async function turns(pipeline: string): Promise<readonly Turn[]> {
  interface Told { readonly pipeline: string; readonly turns: readonly Turn[] }
  const { pipelines }: { pipelines: Told[] } = await (await ask("turns")).json();
  return pipelines.find((told) => told.pipeline === pipeline)?.turns ?? [];
}

export async function drawing(): Promise<string> {
  return (await ask("graph?format=svg")).text();
}
