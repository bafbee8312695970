/** An event's bytes pass through the agent: nothing parses them, nothing makes a text of them. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { eventName } from "../../lib/esl/event_json.ts";
import { recordedEvents, Simulator } from "../../lib/simulator/simulator.ts";
import { startBroker } from "../support/broker.ts";
import { Watcher } from "../support/watcher.ts";
import { configurationXml, params, RunningAgent } from "./running_agent.ts";

/** A name, a subclass, a topic or a frame's head is shorter. */
const EVENT_BYTES = 400;

/** Calls and jobs; custom events, and such that begin with the headers of who sent them. */
const EVENTS = ["calls-json.esl", "quirks-json.esl"].flatMap((name) =>
  recordedEvents(Deno.readFileSync(new URL(`../fixtures/esl/${name}`, import.meta.url)))
).filter(({ length }) => length > EVENT_BYTES);

const TOPICS = {
  all: ["ALL"],
  some: ["CHANNEL_CREATE", "CHANNEL_ANSWER", "BACKGROUND_JOB"],
  custom: ["CUSTOM"],
  subclass: ["CUSTOM fsmqtt::quirk"],
  none: ["TRAP", "CUSTOM fsmqtt::never"],
};

/** What reads text, and how much of it when it is called on this with these arguments. */
interface Reader {
  readonly owner: object;
  readonly method: string;
  readonly size: (self: unknown, args: readonly unknown[]) => number;
}

const slice = ({ length }: Buffer, start: unknown = 0, end: unknown = length) =>
  Number(end) - Number(start);

const READERS: readonly Reader[] = [
  { owner: JSON, method: "parse", size: (_, [text]) => String(text).length },
  {
    owner: TextDecoder.prototype,
    method: "decode",
    size: (_, [bytes]) => (bytes as Uint8Array | undefined)?.byteLength ?? 0,
  },
  {
    owner: Buffer.prototype,
    method: "toString",
    size: (self, [, start, end]) => slice(self as Buffer, start, end),
  },
  ...["utf8Slice", "latin1Slice", "asciiSlice"].map((method): Reader => ({
    owner: Buffer.prototype,
    method,
    size: (self, [start, end]) => slice(self as Buffer, start, end),
  })),
];

/** Notes who reads as much as an event at once, until it is disposed of. */
class ReadingWatch implements Disposable {
  /** Their methods, once for each call. */
  readonly seen: string[] = [];
  readonly #former: (() => void)[] = [];

  constructor() {
    for (const { owner, method, size } of READERS) {
      const note = () => this.seen.push(method);
      const former = Object.getOwnPropertyDescriptor(owner, method);
      assert.ok(former !== undefined, method);
      Object.defineProperty(owner, method, {
        ...former,
        value(this: unknown, ...args: unknown[]) {
          if (size(this, args) > EVENT_BYTES) note();
          return Reflect.apply(former.value, this, args);
        },
      });
      this.#former.push(() => Object.defineProperty(owner, method, former));
    }
  }

  [Symbol.dispose](): void {
    for (const restore of this.#former) restore();
  }
}

for (const qos of [0, 1, 2]) {
  Deno.test(`at QoS ${qos} an event is neither parsed nor decoded on its way`, async () => {
    await using simulator = await Simulator.start({ heartbeatMs: 0 });
    await using broker = await startBroker();
    await using watcher = await Watcher.start(broker.port);
    await using running = await RunningAgent.start(configurationXml(simulator.port, {
      connections: { c: params({ host: "127.0.0.1", port: broker.port }) },
      published: Object.fromEntries(
        Object.entries(TOPICS).map(([name, events]) => {
          const wanted = events.map((event) => params({ event })).join("");
          return [name, params({ connection_name: "c", pattern: `t/${name}`, qos }) + wanted];
        }),
      ),
    }));
    await running.ready();
    // The simulator looks into what it fires; nothing of that is read before this task ends.
    for (const event of EVENTS) simulator.fireRaw(event);
    using reading = new ReadingWatch();
    await watcher.count("t/all", EVENTS.length);
    await watcher.count("t/subclass", 1);
    assert.deepEqual(reading.seen, []);

    const payloads = watcher.on("t/all").map(({ payload }) => payload);
    EVENTS.forEach((event, index) =>
      assert.ok(Buffer.from(event).equals(payloads[index] ?? new Uint8Array()))
    );
    const named = EVENTS.filter((event) => TOPICS.some.includes(eventName(event) ?? ""));
    assert.ok(named.length > 0);
    await watcher.count("t/some", named.length);
    assert.equal(watcher.on("t/none").length, 0);
  });
}

Deno.test("who reads an event at once is seen, until nobody looks any more", () => {
  const [event = new Uint8Array()] = EVENTS;
  const buffer = Buffer.from(event);
  const read = () => {
    JSON.parse(new TextDecoder().decode(event));
    `${buffer}`;
    buffer.toString("latin1", 0, EVENT_BYTES);
  };
  const reading = new ReadingWatch();
  read();
  reading[Symbol.dispose]();
  assert.deepEqual(reading.seen, ["decode", "parse", "toString"]);
  read();
  assert.equal(reading.seen.length, 3);
});
