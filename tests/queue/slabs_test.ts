/** Memory that is used again, and never while somebody needs what is in it. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { systemClock } from "../../lib/clock.ts";
import { Entry } from "../../lib/queue/entry.ts";
import { EventQueue } from "../../lib/queue/event_queue.ts";
import { Slab, Slabs } from "../../lib/queue/slabs.ts";
import { message, OVERHEAD } from "./helper.ts";
import { numbers } from "./random.ts";

const KIB = 1024;

/** A payload of this length, of one byte. */
function filled(length: number, byte: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).fill(byte);
}

/** A payload in its place. */
function put(slab: Slab, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return slab.view(slab.add(payload), payload.length);
}

/** What is long is not shown where it differs. */
function assertSame(found: Uint8Array | undefined, wanted: Uint8Array): void {
  assert.ok(found !== undefined && Buffer.compare(found, wanted) === 0);
}

Deno.test("payloads that come one after the other lie in one piece, each as it was", () => {
  const slabs = new Slabs();
  const payloads = [filled(3, 1), filled(0, 0), filled(1_000, 2), filled(64 * KIB, 3)];
  const places = payloads.map((payload) => put(slabs.for(payload.length), payload));
  places.forEach((place, i) => assertSame(place, payloads[i] ?? assert.fail()));
  assert.equal(new Set(places.map(({ buffer }) => buffer)).size, 1);
});

Deno.test("a piece is used again when none of its payloads is needed, in whatever order they go", () => {
  const slabs = new Slabs();
  const fill = () =>
    Array.from({ length: 8 }, (_, i) => {
      const slab = slabs.for(60 * KIB);
      return { slab, bytes: put(slab, filled(60 * KIB, i)) };
    });
  const [a, b, c, d, e, f, g, h] = fill();
  assert.ok(a && b && c && d && e && f && g && h);
  assert.equal(a.bytes.buffer, d.bytes.buffer);
  assert.notEqual(d.bytes.buffer, e.bytes.buffer);
  for (const one of [c, a, d]) one.slab.release();
  const third = slabs.for(60 * KIB);
  assert.notEqual(third, a.slab, "one of its payloads is needed still");
  assertSame(b.bytes, filled(60 * KIB, 1));
  b.slab.release();
  for (let i = 0; i < 4; i++) third.add(filled(60 * KIB, 9));
  assert.equal(slabs.for(60 * KIB), a.slab);
  assert.equal(a.slab.room, 256 * KIB);
});

Deno.test("the piece in use is filled from its start again when it is empty", () => {
  const slabs = new Slabs();
  const slab = slabs.for(1_000);
  for (let i = 0; i < 10_000; i++) {
    assert.equal(slabs.for(1_000), slab);
    assert.equal(slab.add(filled(1_000, i)), 0);
    slab.release();
  }
  // It is not one of the spare ones too.
  for (let i = 0; i < 4; i++) slabs.for(64 * KIB).add(filled(64 * KIB, i));
  assert.notEqual(slabs.for(64 * KIB), slab);
});

Deno.test("a long payload has a piece of its own, as long as it is, and which is not kept", () => {
  const slabs = new Slabs();
  const shared = slabs.for(100);
  for (const length of [64 * KIB + 1, 300 * KIB, 2 ** 24]) {
    const slab = slabs.for(length);
    assert.notEqual(slab, shared);
    assert.equal(slab.room, length);
    slab.add(filled(length, 1));
    slab.release();
    assert.notEqual(slabs.for(length), slab);
  }
  assert.equal(slabs.for(64 * KIB), shared);
});

Deno.test("few unused pieces are kept", () => {
  const slabs = new Slabs();
  const fill = (count: number) =>
    Array.from({ length: count }, () => {
      const slab = slabs.for(64 * KIB);
      slab.add(filled(64 * KIB, 1));
      return slab;
    });
  const first = new Set(fill(60));
  assert.equal(first.size, 15);
  // Those of the last piece stay, so that it is in use.
  for (const slab of [...first].slice(0, 14)) for (let i = 0; i < 4; i++) slab.release();
  const again = new Set(fill(60).filter((slab) => first.has(slab)));
  assert.equal(again.size, 8);
});

Deno.test("an entry that leaves twice gives its place back once", () => {
  const slabs = new Slabs();
  const entry = (byte: number) => {
    const payload = filled(100, byte);
    const entry = new Entry({ ...message("t"), payload }, byte, 0);
    assert.ok(!entry.isKept);
    entry.keep(payload, slabs.for(payload.length));
    assert.ok(entry.isKept);
    payload.fill(0xff);
    return entry;
  };
  const [one, other] = [entry(1), entry(2)];
  one.leave();
  one.leave();
  const third = entry(3);
  assert.deepEqual(other.payload, filled(100, 2));
  assert.deepEqual(third.payload, filled(100, 3));
  assert.deepEqual([one.payload.length, one.isKept, one.isGone], [0, false, true]);
});

Deno.test("what leaves while it is being written stays as it is for the disk", () => {
  const slabs = new Slabs();
  const offer = (byte: number) => {
    const payload = filled(60 * KIB, byte);
    const entry = new Entry({ ...message("t"), payload }, byte, 0);
    entry.keep(payload, slabs.for(payload.length));
    return entry;
  };
  const entries = [1, 2, 3, 4].map(offer);
  const [writing] = entries;
  assert.ok(writing);
  const written = writing.payload;
  writing.stored = "writing";
  for (const entry of entries) entry.leave();
  for (let i = 5; i < 50; i++) offer(i).leave();
  assertSame(written, filled(60 * KIB, 1));
});

/** An entry, and what its payload has to be. */
interface Known {
  readonly entry: Entry;
  readonly copy: Uint8Array;
  /** What the disk was given and has not read yet. */
  written?: Uint8Array;
}

for (let seed = 1; seed <= 20; seed++) {
  Deno.test(`payloads stay as they are for as long as they are needed (seed ${seed})`, () => {
    const below = numbers(seed);
    const slabs = new Slabs();
    const lent = new Uint8Array(200_000);
    const known: Known[] = [];
    const onDisk: Known[] = [];
    for (let step = 0; step < 4_000; step++) {
      const choice = below(100);
      const index = below(known.length);
      const one = known[index];
      if (choice < 50) {
        const length = [below(20), below(3_000), below(40_000), below(90_000)][below(4)] ?? 0;
        const payload = lent.subarray(0, length).fill(below(256));
        if (length > 0) payload[below(length)] = below(256);
        const copy = new Uint8Array(payload);
        const entry = new Entry({ ...message("t"), payload }, step, 0);
        // Held ones are apart.
        entry.keep(payload, below(10) === 0 ? new Slab(length) : slabs.for(length));
        known.push({ entry, copy });
        lent.fill(below(256));
      } else if (one !== undefined && choice < 85) {
        // Not in their order: the oldest mostly, any at times.
        const [left] = known.splice(below(4) === 0 ? index : 0, 1);
        left?.entry.leave();
        if (below(5) === 0) left?.entry.leave();
      } else if (one !== undefined && choice < 92) {
        if (one.entry.stored !== "writing") {
          one.entry.stored = "writing";
          one.written = one.entry.payload;
          onDisk.push(one);
        }
      } else {
        const [done] = onDisk.splice(below(onDisk.length), 1);
        if (done?.written !== undefined) assertSame(done.written, done.copy);
        if (done !== undefined) done.entry.stored = "yes";
      }
      const looked = known[below(known.length)];
      if (looked !== undefined) assertSame(looked.entry.payload, looked.copy);
    }
    for (const { entry, copy } of known) assertSame(entry.payload, copy);
    for (const { written, copy } of onDisk) assertSame(written, copy);
  });
}

Deno.test("a queue that is full for long takes no more memory than its bound and a little", () => {
  const bytes = 4 * KIB * KIB;
  const queue = new EventQueue({ limits: { messages: 1e6, bytes } }, { clock: systemClock });
  const pieces = new Set<ArrayBufferLike>();
  const payload = new Uint8Array(4_500);
  for (let i = 0; i < 20_000; i++) {
    for (const qos of [0, 1] as const) queue.offer({ ...message("t"), payload, qos });
    const taken = queue.take();
    assert.ok(taken);
    if (taken.qos > 0) pieces.add(taken.payload.buffer);
    queue.acknowledge(taken);
  }
  // Of all that went through, each piece was used again and again.
  const most = 2 * Math.ceil(bytes / (256 * KIB));
  assert.ok(pieces.size <= most, `${pieces.size} pieces, ${most} at most`);
  assert.ok(queue.bytes <= bytes + OVERHEAD);
});
