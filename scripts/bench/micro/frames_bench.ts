/**
 * How fast event socket frames are cut, beside modesl doing the same.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import Parser from "modesl/lib/esl/Parser.js";
import { FrameParser } from "../../../lib/esl/frames.ts";
import { eventOf, RECORDING, SIZES, streamOf } from "./events.ts";

/** What one read of a busy socket gives, and what one segment of Ethernet holds. */
const CHUNKS = { "64 KiB": 64 * 1024, "1,448 B": 1_448 } as const;
const EVENTS = 100;

function compare(group: string, stream: Uint8Array<ArrayBuffer>, chunkBytes: number): void {
  const chunks = Array.from(
    { length: Math.ceil(stream.length / chunkBytes) },
    (_, i) => stream.subarray(i * chunkBytes, (i + 1) * chunkBytes),
  );
  const buffers = chunks.map(({ buffer, byteOffset, length }) =>
    Buffer.from(buffer, byteOffset, length)
  );

  Deno.bench({ name: `fsmqtt, ${group}`, group, baseline: true }, () => {
    let frames = 0;
    const parser = new FrameParser(() => frames++);
    for (const chunk of chunks) parser.push(chunk);
    if (frames === 0) throw new Error("no frame");
  });

  Deno.bench({ name: `modesl, ${group}`, group }, () => {
    const socket = new EventEmitter();
    let events = 0;
    new Parser(socket).on("esl::event", () => events++);
    for (const buffer of buffers) socket.emit("data", buffer);
    if (events === 0) throw new Error("no event");
  });
}

compare("one recording", RECORDING, CHUNKS["64 KiB"]);
for (const [size, bytes] of Object.entries(SIZES)) {
  const stream = streamOf(eventOf(bytes), EVENTS);
  for (const [chunk, chunkBytes] of Object.entries(CHUNKS)) {
    compare(`${EVENTS} events of ${size} in chunks of ${chunk}`, stream, chunkBytes);
  }
}
