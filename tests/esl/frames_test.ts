/** Frames cut out of a stream, wherever its chunks end. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  type Frame,
  FrameError,
  type FrameLimits,
  FrameParser,
  type LongFrame,
} from "../../lib/esl/frames.ts";
import { readRecording } from "../../lib/simulator/recording.ts";

const folder = new URL("../fixtures/esl/", import.meta.url);
const recordings = [...Deno.readDirSync(folder)]
  .map(({ name }) => name)
  .filter((name) => name.endsWith(".esl"))
  .map((name) => ({ name, bytes: Deno.readFileSync(new URL(name, folder)) }));

const encoder = new TextEncoder();
const T = "Content-Type: a/b\n";

/** Pushes the chunks one after the other through one buffer, which is scribbled over each time. */
function framesOf(chunks: Iterable<Uint8Array>, limits: FrameLimits = {}): Frame[] {
  const frames: Frame[] = [];
  const keep = (frame: Frame) => frames.push({ ...frame, body: new Uint8Array(frame.body) });
  const parser = new FrameParser(keep, limits);
  for (const chunk of chunks) {
    const buffer = new Uint8Array(chunk);
    parser.push(buffer);
    buffer.fill(0x58);
  }
  assert.equal(parser.betweenFrames, true);
  return frames;
}

function framesOfText(text: string, limits: FrameLimits = {}): Frame[] {
  return framesOf([encoder.encode(text)], limits);
}

function* chunksOf(bytes: Uint8Array, size: number): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Compared by hand: assert's own comparison takes minutes for so many. */
function assertSameFrames(frames: readonly Frame[], expected: readonly Frame[], where: string) {
  assert.equal(frames.length, expected.length, where);
  for (const [i, frame] of frames.entries()) {
    const other = expected[i];
    assert.equal(frame.contentType, other?.contentType, where);
    assert.equal(Buffer.compare(frame.body, other?.body ?? new Uint8Array()), 0, where);
    assert.equal(frame.headers.size, other?.headers.size, where);
    for (const [name, value] of frame.headers) assert.equal(value, other?.headers.get(name), where);
  }
}

/** The recording's frames as bytes, found by another reader than the one under test. */
function recordedFrames(bytes: Uint8Array): Uint8Array[] {
  let at = 0;
  return readRecording(bytes).map(({ head, body }) => {
    const start = at;
    at += head.length + 2 + body.length;
    return bytes.subarray(start, at);
  });
}

Deno.test("there are recordings with many frames to test with", () => {
  assert.ok(recordings.length >= 5);
  assert.ok(recordings.some(({ bytes }) => readRecording(bytes).length > 100));
});

for (const { name, bytes } of recordings) {
  Deno.test(`${name}: the frames have the recorded bodies and headers`, () => {
    const frames = framesOf([bytes]);
    const expected = readRecording(bytes);
    assert.equal(frames.length, expected.length);
    for (const [i, { head, body }] of expected.entries()) {
      const frame = frames[i];
      assert.equal(Buffer.compare(frame?.body ?? new Uint8Array(), body), 0);
      assert.ok(head.includes(`Content-Type: ${frame?.contentType}`));
      const lines = frame?.contentType === "text/event-json" ? [] : head.split("\n");
      assert.deepEqual([...frame?.headers ?? []].map(([key, value]) => `${key}: ${value}`), lines);
    }
  });

  // Between two frames a parser remembers nothing (`framesOf` asserts that after each frame), so a
  // cut touches only the frame it is in and the one behind it.
  Deno.test(`${name}: cut in two at every byte, the frames are the same`, () => {
    const parts = recordedFrames(bytes);
    for (const [i, part] of parts.entries()) {
      const both = Buffer.concat([part, parts[i + 1] ?? new Uint8Array()]);
      const expected = [...framesOf([part]), ...framesOf(parts.slice(i + 1, i + 2))];
      for (let cut = 0; cut <= part.length; cut++) {
        const frames = framesOf([both.subarray(0, cut), both.subarray(cut)]);
        assertSameFrames(frames, expected, `frame ${i}, cut at byte ${cut}`);
      }
    }
  });

  Deno.test(`${name}: in chunks of any size, the frames are the same`, () => {
    const expected = framesOf([bytes]);
    for (const size of [1, 2, 3, 7, 13, 64, 1021, 1460, 4096, 65_537]) {
      assertSameFrames(framesOf(chunksOf(bytes, size)), expected, `chunks of ${size}`);
    }
  });
}

Deno.test("a body that looks like frames stays a body", () => {
  const body = "\n\nContent-Type: text/event-json\nContent-Length: 2\n\n{}";
  const stream = `Content-Type: api/response\nContent-Length: ${body.length}\n\n${body}` +
    "Content-Type: auth/request\n\n";
  for (const size of [1, 5, stream.length]) {
    const frames = framesOf(chunksOf(encoder.encode(stream), size));
    assert.deepEqual(frames.map(({ contentType }) => contentType), [
      "api/response",
      "auth/request",
    ]);
    assert.equal(new TextDecoder().decode(frames[0]?.body), body);
  }
});

Deno.test("a body is bytes, UTF-8 or not, and its length counts bytes", () => {
  const body = new Uint8Array(256).map((_, i) => 255 - i);
  const head = encoder.encode("Content-Length: 256\nContent-Type: text/event-json\n\n");
  for (const size of [1, 100, 1000]) {
    const frames = framesOf(chunksOf(Buffer.concat([head, body, head, body]), size));
    assert.deepEqual(frames.map((frame) => frame.body), [body, body]);
  }
});

Deno.test("a body that comes whole is lent, not copied; one that comes in parts is put together", () => {
  const head = "Content-Length: 4\nContent-Type: text/event-json\n\n";
  const stream = encoder.encode(`${head}abcd${head}efgh`);
  for (let cut = 0; cut <= stream.length; cut++) {
    const told: string[] = [];
    const parser = new FrameParser(({ body }) => {
      const isLent = chunk.buffer === body.buffer;
      const text = new TextDecoder().decode(body);
      // The start of a frame may have come before.
      if (cut === 0 || cut === stream.length) assert.equal(isLent, true);
      told.push(text);
    });
    let chunk = new Uint8Array();
    for (const part of [stream.subarray(0, cut), stream.subarray(cut)]) {
      chunk = new Uint8Array(part);
      parser.push(chunk);
      chunk.fill(0x58);
    }
    assert.deepEqual(told, ["abcd", "efgh"], `cut at ${cut}`);
  }
});

Deno.test("empty lines where a frame should start are passed over", () => {
  const frames = framesOfText("\n\n\nContent-Type: a/b\n\n\n\nContent-Type: c/d\n\n\n");
  assert.deepEqual(frames.map(({ contentType }) => contentType), ["a/b", "c/d"]);
});

Deno.test("a header value keeps its colons and spaces, and any character but LF", () => {
  const value = "-ERR a: b  c \r \u2028 é ";
  const [frame] = framesOfText(`Content-Type: command/reply\nReply-Text: ${value}\n\n`);
  assert.equal(frame?.headers.get("Reply-Text"), value);
});

Deno.test("a header block may be as long as the limit, and no longer", () => {
  const limits = { headerBytes: 100 };
  // The limit counts the header lines with their ends, not the empty line.
  const block = (length: number) => `${T}X: ${"x".repeat(length - T.length - 4)}\n\n`;
  for (const size of [1, 7, 1000]) {
    const frames = framesOf(chunksOf(encoder.encode(block(100)), size), limits);
    assert.equal(frames[0]?.headers.get("X")?.length, 96 - T.length);
    assert.throws(
      () => framesOf(chunksOf(encoder.encode(block(101)), size), limits),
      (error) => error instanceof FrameError && error.message.includes("over 100 bytes"),
    );
  }
});

Deno.test("headers that never end are given up at the limit, not kept for ever", () => {
  const parser = new FrameParser(() => {}, { headerBytes: 1000 });
  const line = encoder.encode("A: b\n");
  assert.throws(() => {
    for (let i = 0; i < 1000; i++) parser.push(line);
  }, FrameError);
});

Deno.test("a body may be as long as the limit, and is refused before its bytes are awaited", () => {
  const limits = { bodyBytes: 10 };
  const [frame] = framesOfText(T + "Content-Length: 10\n\n0123456789", limits);
  assert.equal(frame?.body.length, 10);
  assert.throws(
    () => framesOfText(T + "Content-Length: 11\n\n", limits),
    (error) => error instanceof FrameError && error.message.includes("Content-Length is 11"),
  );
});

Deno.test("without limits given, 64 KiB of headers and 16 MiB of body are the limits", () => {
  assert.throws(() => framesOfText(`${T}Content-Length: ${16 * 1024 * 1024 + 1}\n\n`), FrameError);
  const parser = new FrameParser(() => {});
  parser.push(encoder.encode(`${T}Content-Length: ${16 * 1024 * 1024}\n\n`));
  assert.equal(parser.betweenFrames, false);
  assert.throws(() => framesOfText(`${T}X: ${"x".repeat(64 * 1024)}\n\n`), FrameError);
  assert.equal(framesOfText(`${T}X: ${"x".repeat(60 * 1024)}\n\n`).length, 1);
});

for (const type of ["text/event-json", "api/response"]) {
  const body = `{"Event-Name":"X"}\n\nContent-Type: auth/request\n\n${"x".repeat(50)}`;
  const stream = encoder.encode(
    `${T}\nContent-Length: ${body.length}\nContent-Type: ${type}\n\n${body}` +
      `${T}Content-Length: 2\n\nab`,
  );

  Deno.test(`${type} over the limit is read past, wherever the stream is cut`, () => {
    for (let cut = 0; cut <= stream.length; cut++) {
      const told: (Frame | LongFrame)[] = [];
      const tell = (frame: Frame | LongFrame) => told.push(frame);
      const parser = new FrameParser(tell, { bodyBytes: 30 }, tell);
      for (const part of [stream.subarray(0, cut), stream.subarray(cut)]) parser.push(part);
      assert.equal(parser.betweenFrames, true);
      assert.deepEqual(told.map(({ contentType }) => contentType), ["a/b", type, "a/b"]);
      const start = encoder.encode(body.slice(0, 30));
      assert.deepEqual(told[1], { contentType: type, length: body.length, start });
    }
  });

  Deno.test(`${type} over the limit is told at its end, and not kept meanwhile`, () => {
    const long: LongFrame[] = [];
    const parser = new FrameParser(() => {}, {}, (frame) => long.push(frame));
    const length = 2 ** 32;
    parser.push(encoder.encode(`Content-Type: ${type}\nContent-Length: ${length}\n\n`));
    const chunk = new Uint8Array(2 ** 26);
    for (let left = length; left > 0; left -= chunk.length) {
      assert.deepEqual([long, parser.betweenFrames], [[], false]);
      parser.push(chunk);
    }
    assert.deepEqual([long.length, long[0]?.length, parser.betweenFrames], [1, length, true]);
    assert.equal(long[0]?.start.buffer.byteLength, 8 * 1024);
    assert.throws(
      () => parser.push(encoder.encode(`Content-Type: ${type}\nContent-Length: ${length + 1}\n\n`)),
      (error) => error instanceof FrameError && error.message.includes("limit is 4294967296"),
    );
  });
}

for (
  const garbage of [
    "HTTP/1.1 400 Bad Request\n\n",
    "no colon here\n\n",
    ": no name\n\n",
    "two words: x\n\n",
    "é: x\n\n",
    "Content-Type: a/b\nfolded\n\n",
    "Content-Length: 2\n\nab",
    `${T}Content-Length: -1\n\n`,
    `${T}Content-Length: 1e3\n\n`,
    `${T}Content-Length: 0x10\n\n`,
    `${T}Content-Length: \n\n`,
    `${T}Content-Length: 99999999999999999999\n\n`,
    "Content-Type: text/event-json\nContent-Length: 99999999999999999999\n\n",
    "Content-Type: text/event-json\nContent-Length: 1e3\n\n",
    '{"Event-Name":"HEARTBEAT"}\n\n',
    "\0\0\0\n\n",
  ]
) {
  Deno.test(`${JSON.stringify(garbage)} is no frame`, () => {
    assert.throws(() => framesOfText(garbage), FrameError);
    assert.throws(() => framesOf(chunksOf(encoder.encode(garbage), 1)), FrameError);
  });
}

Deno.test("a parser knows whether the stream may end", () => {
  const parser = new FrameParser(() => {});
  assert.equal(parser.betweenFrames, true);
  for (const part of [T, "Content-", "Length: 2\n", "\n", "a"]) {
    parser.push(encoder.encode(part));
    assert.equal(parser.betweenFrames, false, part);
  }
  parser.push(encoder.encode("b"));
  assert.equal(parser.betweenFrames, true);
});
