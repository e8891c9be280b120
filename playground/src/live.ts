// The figures beside the call: asked for again and again, and shown as graph and tables.

import { byId, say } from "./dom";
import { count, time } from "./figures";
import { Graph } from "./graph";
import { type Edge, type Pipeline, type Turn, pipelines, turns } from "./server";
import { Table } from "./table";
import { TIMES, type Time, Turns } from "./turns";

/** The time between two questions: so that new figures come as they are made. */
const PERIOD_MS = 500;

const ALL_TIMES = Object.keys(TIMES) as Time[];
const EDGE_COLUMNS = [
  "edge", "received", "dropped", "waiting", "wait p50", "wait p99", "age p50", "age p99",
];

export class Live {
  readonly #pipeline: string;
  readonly #graph = new Graph();
  readonly #turns = new Turns();
  readonly #edgeTable = new Table(byId("edges", HTMLTableElement), EDGE_COLUMNS);
  readonly #turnTable = new Table(
    byId("turns", HTMLTableElement), ["turn", "outcome", ...Object.values(TIMES)],
  );
  readonly #problem = byId("figures-problem", HTMLParagraphElement);

  constructor(pipeline: string) {
    this.#pipeline = pipeline;
  }

  /** Asks for ever. One question is answered before the next is asked. */
  async run(): Promise<never> {
    for (;;) {
      try {
        await this.#refresh();
        say(this.#problem, "");
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        say(this.#problem, `No new figures: ${why}`);
      }
      await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
    }
  }

  /** Takes away the turns of the last call. */
  begin(): void {
    this.#turns.clear();
    this.#turnTable.show([]);
  }

  async #refresh(): Promise<void> {
    const [all, ended] = await Promise.all([pipelines(), turns(this.#pipeline)]);
    const own = all.find(({ pipeline }) => pipeline === this.#pipeline);
    if (own === undefined) throw new Error(`nothing is told of the pipeline ${this.#pipeline}`);
    await this.#graph.show(own.fingerprint, own.edges);
    this.#edgeTable.show(own.edges.map(edgeCells), (at) => overflowed(own, at));
    if (this.#turns.take(ended)) this.#turnTable.show(this.#turns.rows.map(turnCells));
  }
}

function overflowed({ edges }: Pipeline, at: number): boolean {
  return (edges[at]?.dropped["overflow"] ?? 0) > 0;
}

function edgeCells({ edge, received, dropped, length, queue_us, age_us }: Edge): string[] {
  const times = [queue_us.p50, queue_us.p99, age_us.p50, age_us.p99].map(time);
  return [edge, count(received), reasons(dropped), count(length), ...times];
}

/** Why messages were dropped: `2 overflow, 1 stale`. */
function reasons(dropped: Readonly<Record<string, number>>): string {
  const some = Object.entries(dropped).filter(([, n]) => n > 0);
  return some.map(([reason, n]) => `${count(n)} ${reason}`).join(", ") || "0";
}

function turnCells(turn: Turn): string[] {
  const times = ALL_TIMES.map((name) => time(turn[name] ?? undefined));
  return [`${turn.turn}`, turn.outcome, ...times];
}
