/** Whatever happens to a queue, its broker, its disk and its process: nothing is lost uncounted. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Message, MessageCounter } from "../../lib/mqtt/outbox.ts";
import { EventQueue, type QueueSettings } from "../../lib/queue/event_queue.ts";
import type { RateLimit } from "../../lib/queue/holding.ts";
import { TokenBucket } from "../../lib/queue/token_bucket.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { FakeSpools, settled } from "./fake_spools.ts";
import { droppedIn } from "./helper.ts";
import { numbers } from "./random.ts";

const COMMIT_MS = 50;
const TOPICS = ["free/0", "free/1", "held", "limited"] as const;

interface Known {
  readonly id: number;
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  readonly offeredAt: number;
  /** `queue` is wherever the queue has put it, or dropped. */
  where: "queue" | "in flight" | "done";
}

interface InFlight {
  readonly message: Message;
  readonly known: Known;
  /** What was written of it, at QoS 0. */
  readonly written?: Uint8Array<ArrayBuffer>;
}

interface Asked {
  readonly known: Known;
  readonly packetId: number;
  calls: number;
  /** It was put back since: the delivery is forgotten. */
  isOver: boolean;
}

/** What a seed never does, so that more can be asked of it. */
interface Without {
  readonly bounds?: boolean;
  readonly faults?: boolean;
  readonly damage?: boolean;
  readonly crashes?: boolean;
}

/** One queue after the other on one disk, and what is known of each message. */
class Bench {
  clock = new ManualClock();
  spools = new FakeSpools();
  queue: EventQueue;
  readonly known = new Map<number, Known>();
  inFlight: InFlight[] = [];
  /** The payloads of all that was ever offered. */
  readonly contents = new Map<number, Uint8Array>();
  asked: Asked[] = [];
  limits: Record<string, RateLimit> = {};
  readonly counters: Record<string, MessageCounter> = {};
  settings: QueueSettings;
  offered = 0;
  isOpening = false;
  gone = 0;
  /** What went wrong where nobody waits for it. */
  readonly faults: string[] = [];

  constructor(readonly below: (below: number) => number, readonly without: Without) {
    this.settings = this.chooseSettings();
    this.queue = this.make();
  }

  chooseSettings(): QueueSettings {
    const { below, without } = this;
    const bounds = (scale: number) =>
      without.bounds
        ? { messages: 1_000_000, bytes: 1_000_000_000 }
        : { messages: 4 + below(30) * scale, bytes: 1_500 + below(30) * 200 * scale };
    return {
      limits: bounds(1),
      spool: !without.bounds && below(5) === 0
        ? undefined
        : { limits: bounds(4), commitMs: COMMIT_MS },
      full: below(2) === 0 ? "drop_oldest" : "drop_newest",
      maxAgeMs: without.bounds || below(3) > 0 ? 0 : 1_000 + below(20_000),
      drainRate: below(3) === 0 ? 1 + below(50) : 0,
    };
  }

  make(): EventQueue {
    this.setLimits(20);
    const queue = new EventQueue(this.settings, { clock: this.clock });
    queue.wakes(() => {}, (message) => this.publishAtOnce(queue, message));
    return queue;
  }

  /** Of the limited topics, as another configuration may have it. */
  setLimits(rate: number): void {
    const bucket = () => new TokenBucket({ rate: rate || 20, burst: 3 }, this.clock);
    this.limits = {
      ...(rate === 0 ? {} : { held: { bucket: bucket(), over: "hold" } }),
      limited: { bucket: bucket(), over: "drop" },
    };
  }

  idOf({ payload }: { readonly payload: Uint8Array }): number {
    return Number(new TextDecoder().decode(payload).trimEnd());
  }

  offer(topic: string = TOPICS[this.below(4)] ?? "held"): void {
    const { below } = this;
    const id = ++this.offered;
    const qos = below(3) as 0 | 1 | 2;
    // Some are long, so that pieces of memory are filled and used again.
    const length = this.without.bounds && below(10) === 0 ? 20_000 : 6 + below(200);
    const payload = new TextEncoder().encode(String(id).padEnd(length));
    this.contents.set(id, new Uint8Array(payload));
    this.known.set(id, { id, topic, qos, offeredAt: this.clock.now(), where: "queue" });
    const counter = this.counters[topic] ??= { name: topic, messages: 0 };
    this.queue.offer({ topic, payload, qos, retain: false, counter }, this.limits[topic]);
    // It was only lent.
    payload.fill(0x2a);
  }

  /** As a connection does it, whose socket is full at times. */
  publishAtOnce(queue: EventQueue, message: Message): boolean {
    assert.deepEqual([message.qos, queue.length], [0, 0], "nothing waits before it");
    if (this.below(3) === 0) return false;
    const known = this.find(message);
    known.where = "in flight";
    this.inFlight.push({ message, known, written: new Uint8Array(message.payload) });
    return true;
  }

  take(): void {
    const peeked = this.queue.peek();
    const message = this.queue.take();
    assert.equal(message, peeked, "what was looked at is taken");
    if (message === undefined) return;
    const known = this.find(message);
    assert.equal(known.where, "queue", `${known.id} is handed out though ${known.where}`);
    known.where = "in flight";
    const written = message.qos === 0 ? { written: new Uint8Array(message.payload) } : {};
    this.inFlight.push({ message, known, ...written });
  }

  find(message: Message): Known {
    const known = this.known.get(this.idOf(message));
    assert.ok(known !== undefined, `nobody offered "${this.idOf(message)}"`);
    assert.deepEqual([message.topic, message.qos], [known.topic, known.qos]);
    this.assertContent(message);
    return known;
  }

  assertContent(one: { readonly payload: Uint8Array }): void {
    const content = this.contents.get(this.idOf(one)) ?? assert.fail();
    assert.equal(Buffer.compare(one.payload, content), 0, `the payload of ${this.idOf(one)}`);
  }

  acknowledge(index = this.below(this.inFlight.length)): void {
    const [one] = this.inFlight.splice(index, 1);
    if (one === undefined) return;
    one.known.where = "done";
    this.gone++;
    this.queue.acknowledge(one.message);
  }

  drop(): void {
    const [one] = this.inFlight.splice(this.below(this.inFlight.length), 1);
    if (one === undefined) return;
    one.known.where = "done";
    this.gone++;
    this.queue.drop(one.message, "refused");
  }

  putBack(count: number): void {
    const back = this.inFlight.splice(this.inFlight.length - count);
    for (const { known } of back) known.where = "queue";
    this.queue.putBack(back.flatMap(({ message, written }) => written ? [] : [message]));
    const unwritten = back.flatMap(({ message, written: payload }) =>
      payload ? [{ message, payload }] : []
    );
    this.queue.takeBack(unwritten);
    for (const { payload } of unwritten) payload.fill(0x2a);
    for (const asked of this.asked) asked.isOver ||= asked.known.where === "queue";
  }

  remember(): void {
    const one = this.inFlight[this.below(this.inFlight.length)];
    if (one?.known.qos !== 2) return;
    const { message, known } = one;
    const packetId = this.packetIdOf(message);
    const asked: Asked = { known, packetId, calls: 0, isOver: false };
    this.asked.push(asked);
    const released = this.below(2) === 0;
    this.queue.remember(message, { packetId: asked.packetId, released }, () => {
      asked.calls++;
      const row = this.rowOf(known.id);
      if (this.without.faults !== true || row === undefined || asked.isOver) return;
      // A disk that does not answer is not waited for.
      if (!this.asked.includes(asked) || this.queue.spool?.trouble !== undefined) return;
      const later = this.asked.slice(this.asked.indexOf(asked));
      const isThere = later.some((one) =>
        one.known === known && one.packetId === row.delivery?.packetId
      );
      if (!isThere) this.faults.push(`what is remembered of ${known.id} is not on disk`);
    });
  }

  /** As MQTT does: the same one while a delivery lasts, and one that no other delivery has. */
  packetIdOf(message: Message): number {
    const known = this.queue.deliveryOf(message);
    if (known !== undefined) return known.packetId;
    const taken = new Set(this.inFlight.map((one) => this.queue.deliveryOf(one.message)?.packetId));
    for (let packetId = 1;; packetId++) if (!taken.has(packetId)) return packetId;
  }

  rowOf(id: number) {
    return this.spools.disk.ordered.find((row) => this.idOf(row) === id);
  }

  /** What the queue finds is known from then on. */
  async open(found: readonly Known[] = []): Promise<void> {
    const { queue } = this;
    const mayFail = this.without.faults !== true && this.below(2) === 0;
    if (mayFail) this.spools.openFault = "the disk says no";
    this.isOpening = true;
    queue.open(this.spools, "x").then((begun) => {
      if (queue !== this.queue) return;
      this.isOpening = false;
      for (const known of found) this.known.set(known.id, known);
      for (const message of begun) {
        const known = this.find(message);
        known.where = "in flight";
        this.inFlight.push({ message, known });
      }
    });
    await settled();
  }

  /** The process dies: what is on disk is all that there is. */
  async crash(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      await settled();
      this.clock.advance(0);
    }
    await settled();
    if (this.without.faults && this.without.bounds && this.without.damage) {
      const now = this.clock.now();
      const ids = new Set(this.spools.disk.ordered.map((row) => this.idOf(row)));
      for (const { id, topic, qos, offeredAt, where } of this.known.values()) {
        if (qos === 0 || where === "done" || now - offeredAt <= COMMIT_MS) continue;
        if (topic === "limited") continue;
        if (this.spools.prompt) assert.ok(ids.has(id), `${id} is on disk after ${now - offeredAt}`);
      }
    }
    const disk = this.spools.disk.copy();
    const at = this.clock.now();
    this.clock = new ManualClock();
    this.clock.advance(at + this.below(2_000));
    this.spools = new FakeSpools(disk);
    this.known.clear();
    const found = disk.ordered.map((row): Known => {
      this.assertContent(row);
      const { topic, qos } = row;
      return { id: this.idOf(row), topic, qos, offeredAt: at, where: "queue" };
    });
    this.inFlight = [];
    this.asked = [];
    this.gone = 0;
    this.queue = this.make();
    await this.open(found);
  }

  check(): void {
    const { books } = this.queue;
    const { offered, acknowledged, inFlight, queued } = books;
    assert.equal(offered, acknowledged + inFlight + queued + droppedIn(books), "the books balance");
    assert.equal(offered, this.known.size, "everything offered is known");
    assert.equal(inFlight, this.inFlight.length);
    assert.ok(queued >= 0 && this.queue.bytes >= 0 && this.queue.onDiskAlone >= 0, "no debts");
    if (queued === 0) assert.equal(this.queue.bytes, 0);
    for (const { calls } of this.asked) assert.ok(calls <= 1, "called back once");
    assert.deepEqual(this.faults, []);
    for (const { message } of this.inFlight) if (message.qos > 0) this.assertContent(message);
    if (this.without.faults && this.without.damage) {
      assert.equal(this.spools.disk.clashes, 0, "two rows have one packet identifier");
    }
  }

  async step(): Promise<void> {
    const { below, queue, spools, without } = this;
    const choice = below(200);
    if (choice < 70) this.offer();
    else if (choice < 100) this.take();
    else if (choice < 120) this.acknowledge();
    else if (choice < 123) this.drop();
    else if (choice < 127) this.putBack(below(this.inFlight.length + 1));
    else if (choice < 140) this.remember();
    else if (choice < 145) queue.resumed();
    else if (choice < 150) {
      this.settings = this.chooseSettings();
      queue.configure(this.settings);
      if (below(3) === 0) this.setLimits(below(3) * 20);
    } else if (choice < 175) this.clock.advance(below(40));
    else if (choice < 178) this.clock.advance(below(6_000));
    else if (choice < 182) spools.prompt = !spools.prompt;
    else if (choice < 190) spools.answer(1 + below(3));
    else if (choice < 195 && !without.faults) {
      const fault = () => below(2) === 0 ? "the disk says no" : undefined;
      spools.writeFault = fault();
      spools.readFault = fault();
      spools.insertFault = fault();
      spools.openFault = fault();
    } else if (choice < 196 && !without.damage && !this.isOpening) {
      const kept = below(4);
      spools.damage(() => below(4) < kept);
    } else if (choice < 198 && !without.crashes) await this.crash();
    if (spools === this.spools && spools.prompt) spools.answer();
    if (below(3) > 0 || this.isOpening) await settled();
  }

  /** Without trouble, everything comes out, in its order. */
  async drain(): Promise<void> {
    const { spools, queue } = this;
    spools.prompt = true;
    spools.writeFault = spools.readFault = undefined;
    spools.insertFault = spools.openFault = undefined;
    spools.answer();
    await settled();
    this.putBack(this.inFlight.length);
    const spool = this.settings.spool ?? { limits: { messages: 50, bytes: 50_000 }, commitMs: 0 };
    this.settings = { ...this.settings, spool, drainRate: 0 };
    queue.configure(this.settings);
    for (let i = 0; i < 20; i++) {
      this.clock.advance(1_000);
      await settled();
    }
    this.putBack(this.inFlight.length);
    queue.resumed();
    const order: Known[] = [];
    for (let i = 0; i < 2_000 && queue.length > 0; i++) {
      while (queue.peek() !== undefined) {
        this.take();
        order.push(this.inFlight[0]?.known ?? assert.fail());
        this.acknowledge(0);
      }
      this.clock.advance(100);
      await settled();
      this.check();
    }
    assert.equal(queue.length, 0, "nothing is left");
    for (const { known, calls } of this.asked) assert.equal(calls, 1, `${known.id} is called back`);
    const left = [...this.known.values()].filter(({ where }) => where !== "done").length;
    const { refused = 0, ...byQueue } = queue.books.dropped;
    assert.ok(refused <= this.gone);
    const dropped = Object.values(byQueue).reduce((sum, count) => sum + count, 0);
    assert.equal(left, dropped, "what never came out was dropped");
    const last = new Map<string, number>();
    for (const { topic, qos, id } of order) {
      const kind = `${topic} ${qos}`;
      assert.ok(id > (last.get(kind) ?? 0), `${id} came after ${last.get(kind)} (${kind})`);
      last.set(kind, id);
    }
    await queue.close();
    await settled();
    assert.equal(this.clock.pending, 0, "no timer is left");
    assert.deepEqual([...spools.disk.rows.keys()], [], "nothing is left on disk");
  }
}

const KINDS: Record<string, Without> = {
  "all that can happen": {},
  "a disk without damage": { damage: true },
  "a good disk": { damage: true, faults: true },
  "a good disk and bounds that are not reached": { damage: true, faults: true, bounds: true },
  "one process": { damage: true, crashes: true },
};
for (const [name, without] of Object.entries(KINDS)) {
  for (let seed = 1; seed <= Number(Deno.env.get("SEEDS") ?? 60); seed++) {
    Deno.test(`nothing is lost uncounted: ${name} (seed ${seed})`, async () => {
      const bench = new Bench(numbers(seed), without);
      await bench.open();
      bench.check();
      for (let step = 0; step < 1_500; step++) {
        await bench.step();
        bench.check();
      }
      await bench.drain();
    });
  }
}
