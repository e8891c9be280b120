// Shows both sides' words. Lines are kept and changed in place, so that a screen reader reads what
// is new.

import { byId, element, say } from "./dom";
import { type Line, Transcript, type Update } from "./transcript";

const NAMES = { you: "You", agent: "Agent" } as const;

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
    if (follows) this.#box.scrollTop = this.#box.scrollHeight;
  }

  /** What was written is a line as it is: nobody transcribes it. */
  wrote(text: string): void {
    const segment = `written ${crypto.randomUUID()}`;
    this.said({ segment, speaker: "you", stream: 0, text, isFinal: true });
  }

  #show({ segment, speaker, text, isFinal }: Line): void {
    const key = `${speaker} ${segment}`;
    let item = this.#shown.get(key);
    if (item === undefined) {
      item = element("li", "", { class: speaker });
      item.append(element("b", NAMES[speaker]), element("span"));
      this.#list.append(item);
      this.#shown.set(key, item);
    }
    item.classList.toggle("open", !isFinal);
    if (item.lastElementChild instanceof HTMLElement) say(item.lastElementChild, text);
  }
}
