/**
 * The limit of a real FreeSWITCH: takes its events, counts them, and throws them away.
 *
 * @module
 */

import { FrameCounter } from "../wire/frame_counter.ts";
import { Reached } from "../wire/reached.ts";
import type { EventSocket, Receiver } from "../wire/roles.ts";
import { options, serve } from "../wire/steering.ts";
import { nowMicros } from "../wire/time.ts";

/** What it is started with. */
export interface DrainLimitOptions {
  /** The event socket. */
  readonly esl: EventSocket;
  /** The names of the events. */
  readonly events: readonly string[];
}

const { esl: { hostname, port, password }, events } = options<DrainLimitOptions>();
const connection = await Deno.connect({ hostname, port });
const counter = new FrameCounter();
const reached = new Reached();
let before = 0;
let firstAt = 0;

async function drain(): Promise<void> {
  const command = `auth ${password}\n\nevent json ${events.join(" ")}\n\n`;
  await connection.write(new TextEncoder().encode(command));
  const bytes = new Uint8Array(256 * 1024);
  for (;;) {
    const count = await connection.read(bytes);
    if (count === null) throw new Error("FreeSWITCH has closed the connection");
    const readAt = nowMicros();
    const known = counter.events;
    counter.push(bytes.subarray(0, count));
    if (known === before && counter.events > known) firstAt = readAt;
    reached.at(counter.events - before, readAt);
  }
}

drain();
await serve<Receiver>({
  expect: () => Promise.resolve(void (before = counter.events)),
  reach: (messages) => reached.reach(messages, counter.events - before),
  report: () => {
    const messages = counter.events - before;
    return Promise.resolve({
      ...{ messages, firstAt, missing: 0, repeated: 0, strange: 0, latency: {} },
    });
  },
});
