// The call: a room with the agent in it. Tells what happens there; shows nothing itself.

import {
  ConnectionState, type DisconnectReason, type Participant, type RemoteParticipant,
  type RemoteTrack, Room, RoomEvent, type TextStreamReader, Track,
} from "livekit-client";
import type { Ticket } from "./server";
import type { Update } from "./transcript";

const TRANSCRIPTION = "lk.transcription";
const CHAT = "lk.chat";
const STATE = "lk.agent.state";
const INTERRUPT = "voicegraph.interrupt";

/** What a call tells. */
export interface Listener {
  connection(state: ConnectionState): void;
  /** The agent came, left (`undefined`) or changed its state. */
  agent(state: string | undefined): void;
  said(update: Update): void;
  /** A track whose sound can be heard and measured; `undefined` where it has ended. */
  sound(of: "mic" | "agent", track: MediaStreamTrack | undefined): void;
  /** An element that plays the agent's voice. */
  player(element: HTMLMediaElement): void;
  /** Whether the browser lets the page play sound. */
  playback(isAllowed: boolean): void;
  ended(reason: DisconnectReason | undefined): void;
}

export class Call {
  readonly #room = new Room();
  readonly #listener: Listener;
  /** How many text streams have begun. */
  #streams = 0;

  constructor(listener: Listener) {
    this.#listener = listener;
    this.#hear();
    this.#watch();
    this.#room.registerTextStreamHandler(TRANSCRIPTION, (reader, { identity }) => {
      // A stream that breaks off leaves what it has brought.
      this.#read(reader, identity).catch(() => undefined);
    });
  }

  /** Joins the room; joining is what calls the agent. */
  async join(ticket: Ticket): Promise<void> {
    await this.#room.connect(ticket.url, ticket.token);
    this.#tellAgent();
  }

  async leave(): Promise<void> {
    await this.#room.disconnect();
  }

  /** Opens or closes the microphone. */
  async speak(on: boolean): Promise<void> {
    await this.#room.localParticipant.setMicrophoneEnabled(on);
  }

  /** Writes to the agent, as a turn of the caller. */
  async write(text: string): Promise<void> {
    await this.#room.localParticipant.sendText(text, { topic: CHAT });
  }

  /** Has the agent fall silent. */
  async interrupt(): Promise<void> {
    const agent = this.#agent();
    if (agent === undefined) throw new Error("no agent is in the room");
    await this.#room.localParticipant.performRpc({
      destinationIdentity: agent.identity, method: INTERRUPT, payload: "",
    });
  }

  /** Plays sound that the browser held back; must be called by a click. */
  async unblock(): Promise<void> {
    await this.#room.startAudio();
  }

  /** The agent, by the kind that its token gives it or by the state that it tells. */
  #agent(): RemoteParticipant | undefined {
    const others = [...this.#room.remoteParticipants.values()];
    return others.find((it) => it.isAgent || STATE in it.attributes);
  }

  #tellAgent(): void {
    const agent = this.#agent();
    this.#listener.agent(agent && (agent.attributes[STATE] ?? "initializing"));
  }

  #hear(): void {
    const { agent, mic } = { agent: "agent", mic: "mic" } as const;
    this.#room
      .on(RoomEvent.TrackSubscribed, (track: RemoteTrack) => {
        if (track.kind !== Track.Kind.Audio) return;
        this.#listener.player(track.attach());
        this.#listener.sound(agent, track.mediaStreamTrack);
      })
      .on(RoomEvent.TrackUnsubscribed, (track: RemoteTrack) => {
        for (const player of track.detach()) player.remove();
        this.#listener.sound(agent, undefined);
      })
      .on(RoomEvent.LocalTrackPublished, ({ track }) => {
        this.#listener.sound(mic, track?.mediaStreamTrack);
      })
      .on(RoomEvent.LocalTrackUnpublished, () => this.#listener.sound(mic, undefined))
      .on(RoomEvent.AudioPlaybackStatusChanged, () => {
        this.#listener.playback(this.#room.canPlaybackAudio);
      });
  }

  #watch(): void {
    const tellAgent = () => this.#tellAgent();
    this.#room
      .on(RoomEvent.ConnectionStateChanged, (state) => this.#listener.connection(state))
      .on(RoomEvent.ParticipantConnected, tellAgent)
      .on(RoomEvent.ParticipantDisconnected, tellAgent)
      .on(RoomEvent.ParticipantAttributesChanged, (_: unknown, of: Participant) => {
        if (!of.isLocal) tellAgent();
      })
      .on(RoomEvent.Disconnected, (reason) => {
        this.#listener.agent(undefined);
        this.#listener.ended(reason);
      });
  }

  async #read(reader: TextStreamReader, from: string): Promise<void> {
    const stream = ++this.#streams;
    const segment = reader.info.attributes?.["lk.segment_id"] ?? reader.info.id;
    const speaker = from === this.#room.localParticipant.identity ? "you" : "agent";
    let text = "";
    const tell = () => {
      const isFinal = reader.info.attributes?.["lk.transcription_final"] === "true";
      this.#listener.said({ segment, speaker, stream, text, isFinal });
    };
    try {
      for await (const chunk of reader) {
        text += chunk;
        tell();
      }
    } finally {
      // The trailer's attributes are there now.
      tell();
    }
  }
}
