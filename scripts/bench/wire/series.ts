/**
 * The events that are sent: those of a recorded call, in turn.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { bytesOf, byteString } from "../../../lib/simulator/byte_string.ts";
import { headerValue, parseEventJson } from "../../../lib/simulator/event.ts";
import { recordedEvents } from "../../../lib/simulator/recording.ts";
import { EMPTY_STAMP } from "./stamp.ts";

/**
 * Which events.
 *
 * - `mixed`: those of a call without the CHANNEL_STATE before its answer; 4.5 KB on average.
 * - `small`: HEARTBEAT, 0.9 KB.
 * - `large`: CHANNEL_HANGUP_COMPLETE, 8.6 KB.
 * - `call`: all that a call fires.
 */
export type SeriesName = "mixed" | "small" | "large" | "call";

/** All series. */
export const SERIES: readonly SeriesName[] = ["mixed", "small", "large", "call"];

/** A SIP call that is answered and hung up fires this many events. */
export const EVENTS_PER_CALL = 23;

/** The events of a series, in order: JSON, each with an empty stamp. */
export function seriesEvents(name: SeriesName): Uint8Array<ArrayBuffer>[] {
  return chosen(name).map(stamped);
}

/** The names of a series' events. */
export function seriesNames(name: SeriesName): string[] {
  return [...new Set(chosen(name).flatMap((event) => eventName(event) ?? []))];
}

function chosen(name: SeriesName): readonly Uint8Array[] {
  switch (name) {
    case "small":
      return recording("quirks-json").filter((event) => eventName(event) === "HEARTBEAT");
    case "large":
      return firstCall().filter((event) => eventName(event) === "CHANNEL_HANGUP_COMPLETE");
    case "mixed": {
      const call = firstCall();
      const answer = call.findIndex((event) => eventName(event) === "CHANNEL_ANSWER");
      return call.filter((event, i) => i > answer || eventName(event) !== "CHANNEL_STATE");
    }
    case "call":
      return firstCall();
  }
}

/** The recording begins with three SIP calls at a time; the events of the first. */
function firstCall(): readonly Uint8Array[] {
  const events = recording("calls-json");
  const call = events[0] === undefined ? undefined : callOf(events[0]);
  return events.filter((event) => callOf(event) === call);
}

function eventName(event: Uint8Array): string | undefined {
  return headerValue(parseEventJson(event), "Event-Name");
}

function callOf(event: Uint8Array): string | undefined {
  return headerValue(parseEventJson(event), "Unique-ID");
}

function recording(name: string): readonly Uint8Array[] {
  const file = new URL(`../../../tests/fixtures/esl/${name}.esl`, import.meta.url);
  return recordedEvents(Deno.readFileSync(fileURLToPath(file)));
}

function stamped(event: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytesOf(`${byteString(event).slice(0, -1)},"X-Bench":"${EMPTY_STAMP}"}`);
}
