// Shows both sides' words. Lines are kept and changed in place, so that a screen reader reads what
// is new.

import { byId, element, say } from "./dom";
import { type Line, Transcript, type Update } from "./transcript";

const NAMES = { you: "You", agent: "Agent" } as const;

const key = ({ speaker, segment }: Line) => `${speaker} ${segment}`;

/** How far from its end, in pixels, the conversation still follows what is said. */
const NEAR_PX = 80;

export class Conversation {
  readonly #transcript = new Transcript();
  readonly #shown = new Map<string, HTMLLIElement>();
  readonly #box = byId("conversation", HTMLDivElement);
  readonly #list = byId("lines", HTMLOListElement);

  clear(): void {
    this.#transcript.clear();
    this.#shown.clear();
    this.#list.replaceChildren();
  }

  said(update: Update): void {
    if (!this.#transcript.take(update)) return;
    const { scrollHeight, scrollTop, clientHeight } = this.#box;
    const follows = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    const lines = this.#transcript.lines;
    byId("hint", HTMLParagraphElement).hidden = lines.length > 0;
    for (const line of lines) this.#show(line);
    this.#withdraw(lines);
    if (follows) this.#box.scrollTop = this.#box.scrollHeight;
  }

  /** What was written is a line as it is: nobody transcribes it. */
  wrote(text: string): void {
    const segment = `written ${crypto.randomUUID()}`;
    this.said({ segment, speaker: "you", stream: 0, text, isFinal: true });
  }

  /** Takes away lines that turned out to be nothing: an answer of which no word was heard. */
  #withdraw(lines: readonly Line[]): void {
    const keys = new Set(lines.map(key));
    for (const [shown, item] of this.#shown) {
      if (keys.has(shown)) continue;
      item.remove();
      this.#shown.delete(shown);
    }
  }

  #show(line: Line): void {
    const { speaker, text, isFinal } = line;
    let item = this.#shown.get(key(line));
    if (item === undefined) {
      item = element("li", "", { class: speaker });
      item.append(element("b", NAMES[speaker]), element("span"));
      this.#list.append(item);
      this.#shown.set(key(line), item);
    }
    item.classList.toggle("open", !isFinal);
    if (item.lastElementChild instanceof HTMLElement) say(item.lastElementChild, text);
  }
}
