/**
 * Recorded events of three sizes, and events of the kinds that headers are hard to find in.
 *
 * @module
 */

import { recordedEvents } from "../../../lib/simulator/recording.ts";

/** Every byte of a recorded event socket: calls of two kinds, 125 events of 0.5 to 8.6 KB. */
export const RECORDING: Uint8Array<ArrayBuffer> = await Deno.readFile(
  new URL("../../../tests/fixtures/esl/calls-json.esl", import.meta.url),
);

/** Sizes of events in bytes, by what they are called: a small, a mean and a large one. */
export const SIZES = { "0.9 KB": 900, "4.5 KB": 4_500, "8.6 KB": 8_600 } as const;

const events = recordedEvents(RECORDING);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The recorded event that comes nearest to this size. */
export function eventOf(bytes: number): Uint8Array<ArrayBuffer> {
  const [nearest] = events.toSorted((a, b) =>
    Math.abs(a.length - bytes) - Math.abs(b.length - bytes)
  );
  if (nearest === undefined) throw new Error("the recording holds no event");
  return new Uint8Array(nearest);
}

/** What a listener is sent when an event comes so many times. */
export function streamOf(event: Uint8Array, count: number): Uint8Array<ArrayBuffer> {
  const head = encoder.encode(
    `Content-Length: ${event.length}\nContent-Type: text/event-json\n\n`,
  );
  const frame = new Uint8Array([...head, ...event]);
  const stream = new Uint8Array(frame.length * count);
  for (let i = 0; i < count; i++) stream.set(frame, i * frame.length);
  return stream;
}

/** The event with these headers before its own, where `sendevent` puts those of its sender. */
export function withFirst(
  event: Uint8Array,
  headers: Readonly<Record<string, string>>,
): Uint8Array {
  return encoder.encode(JSON.stringify({ ...headers, ...JSON.parse(decoder.decode(event)) }));
}

/** The event as one of another name and subclass. */
export function named(event: Uint8Array, name: string, subclass?: string): Uint8Array {
  const custom = subclass === undefined ? {} : { "Event-Subclass": subclass };
  const { "Event-Name": _, ...rest } = JSON.parse(decoder.decode(event));
  return encoder.encode(JSON.stringify({ "Event-Name": name, ...custom, ...rest }));
}

/** The text of a header by parsing all of the event: what is to be avoided. */
export function parsedHeader(event: Uint8Array, name: string): string | undefined {
  const value: unknown = JSON.parse(decoder.decode(event))[name];
  return typeof value === "string" ? value : undefined;
}
