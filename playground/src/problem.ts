// What went wrong, in words, and what to do about it.

import { ConnectionError, DisconnectReason, RpcError } from "livekit-client";
import { ServerError } from "./server";

const MICROPHONE: Readonly<Record<string, string>> = {
  NotAllowedError:
    "The browser does not let this page use the microphone. Allow it beside the address, or write.",
  NotFoundError: "No microphone was found. Plug one in and unmute, or write to the agent.",
  NotReadableError:
    "The microphone cannot be used: perhaps another program holds it. You may write instead.",
};

/** Why there is no microphone. */
export function ofMicrophone(error: unknown): string {
  const name = error instanceof Error ? error.name : "";
  return MICROPHONE[name] ?? `The microphone cannot be used: ${message(error)}.`;
}

/** Why something else failed; `what` is what failed: "The room could not be joined". */
export function of(what: string, error: unknown): string {
  if (error instanceof ServerError) return `${what}: ${error.message}`;
  if (error instanceof ConnectionError) {
    return `${what}: ${error.message}. Does the room server run, and is this machine allowed in?`;
  }
  if (error instanceof RpcError && error.code === RpcError.ErrorCode.UNSUPPORTED_METHOD) {
    return `${what}: this agent knows no such request.`;
  }
  return `${what}: ${message(error)}`;
}

const LEFT: Partial<Readonly<Record<DisconnectReason, string>>> = {
  [DisconnectReason.DUPLICATE_IDENTITY]: "Someone joined the room in your name.",
  [DisconnectReason.SERVER_SHUTDOWN]: "The room server was shut down.",
  [DisconnectReason.PARTICIPANT_REMOVED]: "You were removed from the room.",
  [DisconnectReason.ROOM_DELETED]: "The room was deleted.",
  [DisconnectReason.ROOM_CLOSED]: "The room was closed.",
  [DisconnectReason.STATE_MISMATCH]: "The room server has lost this call.",
  [DisconnectReason.JOIN_FAILURE]: "The room could not be joined.",
  [DisconnectReason.SIGNAL_CLOSE]: "The connection to the room server was lost.",
};

/** Why the call is over; `undefined` where it ended as it should. */
export function ofDisconnect(reason: DisconnectReason | undefined): string | undefined {
  if (reason === DisconnectReason.CLIENT_INITIATED) return undefined;
  const known = reason === undefined ? undefined : LEFT[reason];
  return known ?? "The connection was lost.";
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
