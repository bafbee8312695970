/**
 * Reads a recording of an event socket (`.esl`: every byte that FreeSWITCH sent).
 *
 * @module
 */

import { byteString } from "./byte_string.ts";

/** One frame of a recording. */
export interface RecordedFrame {
  /** The header lines, without the blank line that ends them. */
  readonly head: string;
  /** The body; empty where the frame has none. */
  readonly body: Uint8Array;
}

/** The frames of a recording, in order. */
export function readRecording(bytes: Uint8Array): RecordedFrame[] {
  const text = byteString(bytes);
  const frames: RecordedFrame[] = [];
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\n\n", at);
    if (end < 0) throw new SyntaxError(`Cannot read recording: no frame at byte ${at}`);
    const head = text.slice(at, end);
    const length = Number(/^Content-Length: (\d+)$/m.exec(head)?.[1] ?? 0);
    at = end + 2 + length;
    if (at > text.length) throw new SyntaxError("Cannot read recording: the last frame is cut off");
    frames.push({ head, body: bytes.subarray(end + 2, at) });
  }
  return frames;
}

/** The JSON bodies of the events in a recording, in order. */
export function recordedEvents(bytes: Uint8Array): Uint8Array[] {
  return readRecording(bytes)
    .filter((frame) => frame.head.includes("Content-Type: text/event-json"))
    .map((frame) => frame.body);
}
