// The page: buttons on one side, the call and its figures on the other.

import { ConnectionState, LogLevel, setLogLevel } from "livekit-client";
import { Call, type Listener } from "./call";
import { Conversation } from "./conversation";
import { byId, say } from "./dom";
import { Level } from "./level";
import { Live } from "./live";
import * as problem from "./problem";
import { type Config, config, ticket } from "./server";

/** After so long without an agent the page says what may be wrong. */
const AGENT_LIMIT_MS = 10_000;

const CONNECTION: Readonly<Record<ConnectionState, string>> = {
  [ConnectionState.Disconnected]: "not connected",
  [ConnectionState.Connecting]: "connecting",
  [ConnectionState.Connected]: "connected",
  [ConnectionState.Reconnecting]: "reconnecting",
  [ConnectionState.SignalReconnecting]: "reconnecting",
};

const button = (id: string) => byId(id, HTMLButtonElement);
const [connect, mute, interrupt] = [button("connect"), button("mute"), button("interrupt")];
const [unblock, send, words] = [button("unblock"), button("send"), byId("words", HTMLInputElement)];
const [connection, agent] = [byId("connection", HTMLElement), byId("agent", HTMLElement)];
const conversation = new Conversation();
const levels = {
  mic: new Level(byId("mic-level", HTMLMeterElement)),
  agent: new Level(byId("agent-level", HTMLMeterElement)),
};

let live: Live | undefined;
let call: Call | undefined;
let isMuted = false;
let waiting: number | undefined;

/** Shows what is wrong; nothing takes it away. */
function complain(text?: string): void {
  const line = byId("problem", HTMLParagraphElement);
  line.hidden = text === undefined;
  say(line, text ?? "");
}

const listener: Listener = {
  connection: (state) => say(connection, CONNECTION[state]),
  agent(state) {
    say(agent, state ?? "not here");
    agent.dataset["state"] = state ?? "absent";
    interrupt.disabled = state === undefined;
    if (state !== undefined) window.clearTimeout(waiting);
  },
  said: (update) => conversation.said(update),
  sound: (of, track) => levels[of].show(track),
  player: (element) => byId("sound", HTMLDivElement).append(element),
  playback(isAllowed) {
    unblock.hidden = isAllowed;
  },
  ended(reason) {
    call = undefined;
    window.clearTimeout(waiting);
    levels.mic.show(undefined);
    levels.agent.show(undefined);
    enable(false);
    complain(problem.ofDisconnect(reason));
  },
};

/** Whether one is in a call, as the controls show it. */
function enable(inCall: boolean): void {
  for (const control of [mute, send, words]) control.disabled = !inCall;
  connect.disabled = false;
  connect.classList.toggle("primary", !inCall);
  say(connect, inCall ? "Hang up" : "Start talking");
  showMuted(false);
}

function showMuted(muted: boolean): void {
  isMuted = muted;
  say(mute, muted ? "Unmute" : "Mute");
  mute.setAttribute("aria-pressed", String(muted));
}

async function join(name: string): Promise<void> {
  connect.disabled = true;
  complain();
  conversation.clear();
  live?.begin();
  const joining = new Call(listener);
  try {
    await joining.join(await ticket());
  } catch (error) {
    complain(problem.of("The room could not be joined", error));
    connect.disabled = false;
    return;
  }
  call = joining;
  enable(true);
  waiting = window.setTimeout(() => {
    if (agent.dataset["state"] !== "absent") return;
    complain(`No agent has come yet. Is a worker running that answers to "${name}"?`);
  }, AGENT_LIMIT_MS);
  await joining.speak(true).catch((error: unknown) => complain(problem.ofMicrophone(error)));
}

/** Does `what` in the call, and tells in words where it fails. */
async function attempt(failed: string, what: (call: Call) => Promise<void>): Promise<void> {
  if (call === undefined) return;
  complain();
  await what(call).catch((error: unknown) => complain(problem.of(failed, error)));
}

function listen({ agent: name }: Config): void {
  connect.addEventListener("click", () => {
    if (call === undefined) void join(name);
    else void attempt("The call could not be ended", (it) => it.leave());
  });
  mute.addEventListener("click", () => void attempt("Mute failed", async (it) => {
    await it.speak(isMuted);
    showMuted(!isMuted);
  }));
  interrupt.addEventListener("click", () => {
    void attempt("The agent was not interrupted", (it) => it.interrupt());
  });
  unblock.addEventListener("click", () => void attempt("No sound", (it) => it.unblock()));
  byId("chat", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    const text = words.value.trim();
    if (text === "") return;
    void attempt("The text was not sent", async (it) => {
      await it.write(text);
      words.value = "";
      conversation.wrote(text);
    });
  });
}

async function start(): Promise<void> {
  // The client's log would hold what is said.
  setLogLevel(LogLevel.error);
  const told = await config();
  listen(told);
  if (told.pipeline === undefined) {
    document.body.classList.add("without-figures");
    return;
  }
  say(byId("pipeline", HTMLElement), told.pipeline);
  live = new Live(told.pipeline);
  await live.run();
}

start().catch((error: unknown) => {
  connect.disabled = true;
  complain(problem.of("The page could not start", error));
});
