/**
 * What the queue of a connection costs an event: offered, looked at, taken and acknowledged.
 *
 * @module
 */

import { systemClock } from "../../../lib/clock.ts";
import type { Message } from "../../../lib/mqtt/outbox.ts";
import { Deque } from "../../../lib/queue/deque.ts";
import { EventQueue, type QueueSettings } from "../../../lib/queue/event_queue.ts";
import type { RateLimit } from "../../../lib/queue/holding.ts";
import { TokenBucket } from "../../../lib/queue/token_bucket.ts";
import { eventOf, SIZES } from "./events.ts";

const payload = eventOf(SIZES["4.5 KB"]);
const limits = { messages: 20_000, bytes: 2 ** 30 };
const WAITING = 10_000;
const HOUR_MS = 3_600_000;

function messageAt(qos: 0 | 1): Message {
  const counter = { name: "bench/topic", messages: 0 };
  return { topic: "bench/topic", payload, qos, retain: false, counter };
}

/** A limit that lets everything pass, so that only its price is seen. */
function limit(): RateLimit {
  const unreached = 1_000_000_000;
  return { bucket: new TokenBucket({ rate: unreached }, systemClock), over: "hold" };
}

interface Case {
  readonly name: string;
  readonly qos: 0 | 1;
  readonly waiting?: number;
  readonly limit?: RateLimit;
  readonly settings?: Partial<QueueSettings>;
}

const CASES: readonly Case[] = [
  { name: "QoS 0", qos: 0 },
  { name: "QoS 1", qos: 1 },
  { name: "QoS 0, 10,000 waiting", qos: 0, waiting: WAITING },
  { name: "QoS 1, 10,000 waiting", qos: 1, waiting: WAITING },
  { name: "QoS 0, with a rate limit", qos: 0, limit: limit() },
  { name: "QoS 1, with a rate limit", qos: 1, limit: limit() },
  { name: "QoS 1, with a rate limit, 10,000 waiting", qos: 1, limit: limit(), waiting: WAITING },
  { name: "QoS 0, with a maximum age", qos: 0, settings: { maxAgeMs: HOUR_MS } },
  {
    name: "QoS 1, with a maximum age, 10,000 waiting",
    qos: 1,
    settings: { maxAgeMs: HOUR_MS },
    waiting: WAITING,
  },
];

const GROUP = "queue";
for (const { name, qos, waiting = 0, limit, settings = {} } of CASES) {
  const queue = new EventQueue({ limits, ...settings });
  const message = messageAt(qos);
  for (let i = 0; i < waiting; i++) queue.offer(message, limit);
  Deno.bench({ name, group: GROUP, baseline: name === "QoS 0" }, () => {
    queue.offer(message, limit);
    queue.peek();
    const taken = queue.take();
    if (taken === undefined) throw new Error("nothing was queued");
    queue.acknowledge(taken);
  });
}

const message = messageAt(0);
const direct = new EventQueue({ limits });
let published: Message | undefined;
direct.wakes(() => {}, (message) => {
  published = message;
  return true;
});
Deno.bench({ name: "QoS 0, published at once", group: GROUP }, () => {
  direct.offer(message);
  if (published === undefined) throw new Error("nothing was published");
  direct.acknowledge(published);
});

const row = new Deque<Message>();
Deno.bench({ name: "a row without books or bounds", group: GROUP }, () => {
  row.push(message);
  row.shift();
});

for (const waiting of [10, WAITING]) {
  const group = "a full queue, of which each event pushes out the oldest";
  const queue = new EventQueue({ limits: { ...limits, messages: waiting } });
  const message = messageAt(1);
  for (let i = 0; i < waiting; i++) queue.offer(message);
  Deno.bench({ name: `${waiting} waiting`, group, baseline: waiting === 10 }, () => {
    queue.offer(message);
  });
}
