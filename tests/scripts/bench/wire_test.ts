/** What goes over the wire in a measurement. */

import assert from "node:assert/strict";
import { recordedEvents } from "../../../lib/simulator/recording.ts";
import { Blocks, EventBlock } from "../../../scripts/bench/wire/block.ts";
import { FrameCounter } from "../../../scripts/bench/wire/frame_counter.ts";
import { PacketType, PublishReader } from "../../../scripts/bench/wire/publish_reader.ts";
import { Reached } from "../../../scripts/bench/wire/reached.ts";
import {
  EVENTS_PER_CALL,
  SERIES,
  seriesEvents,
  seriesNames,
} from "../../../scripts/bench/wire/series.ts";
import {
  EMPTY_STAMP,
  findStamp,
  stampedMicros,
  stampedSequence,
  writeStamp,
} from "../../../scripts/bench/wire/stamp.ts";
import { Tally } from "../../../scripts/bench/wire/tally.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

for (
  const [sequence, micros] of [
    [0, 0],
    [1, 1_795_000_000_123_456],
    [9_999_999_999, 4_000_000_000_000_001],
  ] as const
) {
  Deno.test(`a stamp of ${sequence} and ${micros} is read as it was written`, () => {
    for (const behind of ['"}', '",\n  "Content-Length": "0"\n}']) {
      const bytes = encoder.encode(`{"from":"a@b","X-Bench":"${EMPTY_STAMP}${behind}`);
      writeStamp(bytes, decoder.decode(bytes).indexOf(EMPTY_STAMP), sequence, micros + 0.5);
      const at = findStamp(bytes, 0, bytes.length);
      assert.deepEqual([stampedSequence(bytes, at), stampedMicros(bytes, at)], [sequence, micros]);
    }
  });
}

Deno.test("what has no stamp, or one of another message, has none", () => {
  const bytes = encoder.encode(`{"X-Bench":"${EMPTY_STAMP}"}{"Event-Name":"HEARTBEAT"}`);
  assert.equal(findStamp(bytes, bytes.indexOf(0x7b, 1), bytes.length), -1);
  assert.equal(findStamp(encoder.encode("{}"), 0, 2), -1);
});

for (
  const [name, count, mean, names] of [
    ["mixed", 19, 4_461, 10],
    ["small", 1, 951, 1],
    ["large", 1, 8_624, 1],
    ["call", EVENTS_PER_CALL, 4_006, 10],
  ] as const
) {
  Deno.test(`the events of the series ${name} are recorded ones with a stamp`, () => {
    const events = seriesEvents(name);
    assert.equal(events.length, count);
    const bytes = events.reduce((sum, { length }) => sum + length, 0);
    assert.equal(Math.round(bytes / count), mean);
    for (const event of events) {
      const parsed = JSON.parse(decoder.decode(event));
      assert.equal(parsed["X-Bench"], EMPTY_STAMP);
      assert(seriesNames(name).includes(parsed["Event-Name"]));
    }
    assert.equal(seriesNames(name).length, names);
  });
}

Deno.test("a block is a stream of frames, stamped in place, again and again", () => {
  for (const series of SERIES) {
    const events = seriesEvents(series);
    const block = new Blocks().of(series);
    assert(block.length >= 128 * 1024);
    assert.equal(block.count % events.length, 0);
    const stream = block.stamped(0, block.count, 100, 5_000_000);
    const frames = recordedEvents(stream);
    assert.equal(frames.length, block.count);
    frames.forEach((frame, i) => {
      const at = findStamp(frame, 0, frame.length);
      assert.deepEqual([stampedSequence(frame, at), stampedMicros(frame, at)], [100 + i, 5e6]);
      const length = events[i % events.length]?.length;
      assert.equal(frame.length, length);
    });
    assert.equal(block.lengthOf(block.count), block.length);
    assert.equal(block.lengthOf(2 * block.count + 1) - 2 * block.length, block.lengthOf(1));
  }
});

Deno.test("part of a block is those events", () => {
  const events = seriesEvents("mixed");
  const block = new EventBlock(events, { head: () => "", leastBytes: 1 });
  assert.equal(block.count, events.length);
  const part = decoder.decode(block.stamped(3, 2, 7, 0));
  const plain = part.replace(/\d{10}@/g, "0000000000@");
  assert.equal(plain, events.slice(3, 5).map((event) => decoder.decode(event)).join(""));
  assert(part.includes("0000000007@") && part.includes("0000000008@"));
});

/** A PUBLISH of QoS 0. */
function publish(topic: string, payload: string): number[] {
  const [name, text] = [encoder.encode(topic), encoder.encode(payload)];
  const length = 2 + name.length + text.length;
  const size = length < 128 ? [length] : [0x80 | (length & 0x7f), length >> 7];
  return [0x30, ...size, 0, name.length, ...name, ...text];
}

Deno.test("messages are read out of a stream that is cut anywhere", () => {
  const long = "x".repeat(300);
  const stream = Uint8Array.from([
    ...[0x20, 2, 0, 0],
    ...publish("a/b", "one"),
    ...publish("a", long),
    ...[0x90, 3, 0, 1, 0],
    ...publish("c", ""),
  ]);
  for (let size = 1; size <= stream.length; size++) {
    const seen: [number, string][] = [];
    const reader = new PublishReader((type, bytes, start, end) => {
      seen.push([
        type,
        type === PacketType.PUBLISH ? decoder.decode(bytes.subarray(start, end)) : "",
      ]);
    }, 400);
    for (let at = 0; at < stream.length; at += size) {
      const part = stream.subarray(at, at + Math.min(size, reader.room.length));
      reader.room.set(part);
      reader.read(part.length);
    }
    assert.deepEqual(seen, [[2, ""], [3, "one"], [3, long], [9, ""], [3, ""]], `by ${size}`);
  }
});

Deno.test("a message of QoS 1, and one that is too long, are errors", () => {
  const read = (bytes: number[], capacity: number) => {
    const reader = new PublishReader(() => {}, capacity);
    reader.room.set(bytes);
    reader.read(bytes.length);
  };
  assert.throws(() => read([0x32, 5, 0, 1, 97, 0, 1], 100), /not of QoS 0/);
  assert.throws(() => read(publish("a", "x".repeat(40)).slice(0, 20), 20), /too long/);
});

/** A tally that has been given stamped messages of these numbers. */
function tallied(expected: { first: number; events: number; copies: number }, numbers: number[]) {
  const tally = new Tally();
  tally.expect(expected);
  const bytes = encoder.encode(`{"X-Bench":"${EMPTY_STAMP}"}`);
  for (const number of numbers) {
    writeStamp(bytes, 12, number, 1_000_000);
    tally.take(bytes, 0, bytes.length, 1_002_500);
  }
  return tally.report();
}

for (
  const [what, expected, numbers, books] of [
    ["all", { first: 5, events: 3, copies: 1 }, [5, 6, 7], [3, 0, 0, 0]],
    ["all in another order", { first: 5, events: 3, copies: 1 }, [7, 5, 6], [3, 0, 0, 0]],
    ["one too few", { first: 5, events: 3, copies: 1 }, [5, 7], [2, 1, 0, 0]],
    ["one twice", { first: 5, events: 3, copies: 1 }, [5, 6, 6, 7], [4, 0, 1, 0]],
    ["one twice and one not", { first: 5, events: 2, copies: 1 }, [5, 5], [2, 1, 1, 0]],
    ["others", { first: 5, events: 1, copies: 1 }, [4, 5, 6], [3, 0, 0, 2]],
    ["each twice, as expected", { first: 0, events: 2, copies: 2 }, [0, 0, 1, 1], [4, 0, 0, 0]],
    ["each twice, but one", { first: 0, events: 2, copies: 2 }, [0, 0, 1], [3, 1, 0, 0]],
  ] as const
) {
  Deno.test(`counted: ${what}`, () => {
    const { messages, missing, repeated, strange } = tallied(expected, [...numbers]);
    assert.deepEqual([messages, missing, repeated, strange], books);
  });
}

Deno.test("times are from the stamp to the reading, and the first reading is known", () => {
  const { latency, firstAt } = tallied({ first: 0, events: 2, copies: 1 }, [0, 1]);
  assert.deepEqual([latency, firstAt], [{ p50: 2.5, max: 2.5 }, 1_002_500]);
});

Deno.test("what has no stamp is strange", () => {
  const tally = new Tally();
  tally.expect({ first: 0, events: 1, copies: 1 });
  tally.take(encoder.encode("{}"), 0, 2, 0);
  assert.equal(tally.report().strange, 1);
  tally.expect({ first: 0, events: 1, copies: 1 });
  assert.deepEqual(tally.report(), {
    ...{ messages: 0, firstAt: 0, missing: 1, repeated: 0, strange: 0, latency: {} },
  });
});

Deno.test("who waits for a count hears when it is reached, and at once if it has been", async () => {
  const reached = new Reached();
  const [two, three] = [reached.reach(2, 0), reached.reach(3, 0)];
  reached.at(1, 10);
  reached.at(2, 20);
  reached.at(5, 50);
  assert.deepEqual(await Promise.all([two, three]), [20, 50]);
  assert(await reached.reach(4, 5) > 0);
});

Deno.test("events are counted in a stream that is cut anywhere", async () => {
  const file = new URL("../../fixtures/esl/quirks-json.esl", import.meta.url);
  const stream = await Deno.readFile(file);
  for (const size of [1, 2, 7, 100, 4096, stream.length]) {
    const counter = new FrameCounter();
    for (let at = 0; at < stream.length; at += size) counter.push(stream.subarray(at, at + size));
    assert.equal(counter.events, recordedEvents(stream).length);
  }
});
