/**
 * How fast event socket frames are cut, beside modesl doing the same.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import Parser from "modesl/lib/esl/Parser.js";
import { FrameParser } from "../../lib/esl/frames.ts";

const recording = await Deno.readFile(
  new URL("../../tests/fixtures/esl/calls-json.esl", import.meta.url),
);
const CHUNK_BYTES = 64 * 1024;

function* chunks(): Generator<Uint8Array> {
  for (let at = 0; at < recording.length; at += CHUNK_BYTES) {
    yield recording.subarray(at, at + CHUNK_BYTES);
  }
}

Deno.bench({ name: "fsmqtt, one recording", group: "frames", baseline: true }, () => {
  let frames = 0;
  const parser = new FrameParser(() => frames++);
  for (const chunk of chunks()) parser.push(chunk);
  if (frames === 0) throw new Error("no frame");
});

Deno.bench({ name: "modesl, one recording", group: "frames" }, () => {
  const socket = new EventEmitter();
  let events = 0;
  new Parser(socket).on("esl::event", () => events++);
  for (const chunk of chunks()) socket.emit("data", Buffer.from(chunk));
  if (events === 0) throw new Error("no event");
});
