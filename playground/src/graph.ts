// The pipeline's graph as the server draws it, with live figures on its edges.

import { byId } from "./dom";
import { count, time } from "./figures";
import { type Edge, drawing } from "./server";

/** At less than this share of its size, the drawing is scrolled instead of shrunk. */
const LEAST_SCALE = 0.7;

export class Graph {
  readonly #place = byId("graph", HTMLDivElement);
  /** Of the graph that is drawn. */
  #fingerprint = "";

  /** Draws the graph where it is another, and writes the figures on its edges. */
  async show(fingerprint: string, edges: readonly Edge[]): Promise<void> {
    if (fingerprint !== this.#fingerprint) {
      this.#draw(await drawing());
      this.#fingerprint = fingerprint;
    }
    for (const edge of edges) this.#label(edge);
  }

  #draw(text: string): void {
    const svg = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    if (!(svg instanceof SVGSVGElement)) throw new Error("the graph is no drawing");
    const drawn = document.importNode(svg, true);
    drawn.style.minWidth = `${drawn.viewBox.baseVal.width * LEAST_SCALE}px`;
    this.#place.replaceChildren(drawn);
  }

  /** Writes the figures on the drawn edge, where its limit stood. */
  #label(edge: Edge): void {
    const drawn = this.#place.querySelector(`[data-edge="${CSS.escape(edge.edge)}"]`);
    const text = drawn?.querySelector("text");
    if (!drawn || !text || edge.received === 0) return;
    const dropped = edge.dropped["overflow"] ?? 0;
    const lost = dropped > 0 ? ` · ${count(dropped)} dropped` : "";
    const { p50, p99 } = edge.queue_us;
    text.textContent = `${time(p50)} / ${time(p99)} · ${count(edge.received)}${lost}`;
    text.classList.add("live");
    drawn.classList.toggle("dropping", dropped > 0);
  }
}
