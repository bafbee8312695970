/** What the tests of the queue share. */

import type { Message } from "../../lib/mqtt/outbox.ts";
import type { Books } from "../../lib/queue/books.ts";

/** What a message takes beside its topic and payload. */
export const OVERHEAD = 128;

/** A message whose name is its topic, and which takes this many bytes of the queue. */
export function message(topic: string, bytes: number = OVERHEAD + topic.length): Message {
  return {
    topic,
    payload: new Uint8Array(bytes - OVERHEAD - topic.length),
    qos: 1,
    retain: false,
    counter: { name: "pub/topic", messages: 0 },
  };
}

/** What the books say was dropped. */
export function droppedIn({ dropped }: Books): number {
  return Object.values(dropped).reduce((sum, count) => sum + count, 0);
}
