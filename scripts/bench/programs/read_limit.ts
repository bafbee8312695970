/**
 * The limit of reading: takes what the source sends, and throws it away.
 *
 * @module
 */

import { EventBlock } from "../wire/block.ts";
import { PASSWORD } from "../wire/esl_server.ts";
import { Reached } from "../wire/reached.ts";
import type { Receiver } from "../wire/roles.ts";
import { seriesEvents, type SeriesName } from "../wire/series.ts";
import { options, serve } from "../wire/steering.ts";
import { nowMicros } from "../wire/time.ts";

/** What it is started with. */
export interface ReadLimitOptions {
  /** The port of the event socket. */
  readonly esl: number;
  /** The events that come. */
  readonly series: SeriesName;
}

const { esl, series } = options<ReadLimitOptions>();
const lengthOf = lengths();
const connection = await Deno.connect({ hostname: "127.0.0.1", port: esl });
const bytes = new Uint8Array(256 * 1024);
const reached = new Reached();
let read = 0;
let firstAt = 0;

/** How many bytes so many events are. */
function lengths(): (events: number) => number {
  const block = new EventBlock(seriesEvents(series));
  return (events) => block.lengthOf(events);
}

async function ask(command: string): Promise<void> {
  await connection.write(new TextEncoder().encode(command));
  await connection.read(bytes);
}

async function throwAway(): Promise<void> {
  await connection.read(bytes);
  await ask(`auth ${PASSWORD}\n\n`);
  await ask("event json ALL\n\n");
  for (;;) {
    const count = await connection.read(bytes);
    if (count === null) throw new Error("the source has closed the connection");
    const readAt = nowMicros();
    if (read === 0) firstAt = readAt;
    read += count;
    reached.at(read, readAt);
  }
}

throwAway();
await serve<Receiver>({
  expect: () => Promise.resolve(void (read = 0)),
  reach: (events) => reached.reach(lengthOf(events), read),
  report: () =>
    Promise.resolve({ messages: 0, firstAt, missing: 0, repeated: 0, strange: 0, latency: {} }),
});
