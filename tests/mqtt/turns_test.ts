/** How much is published at once. */

import assert from "node:assert/strict";
import { message, options, Rig } from "./harness.ts";
import { Peer } from "./peer.ts";

const PAYLOAD = new Uint8Array(64 * 1024);
const MESSAGES = 100;
/** 512 KiB, and what other causes add to it in the same turn; the system takes some 4 MiB at once. */
const TURN_MESSAGES = 4 * 8;

Deno.test("however much a broker takes at once, all else has its turn between", async () => {
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port));
  for (let i = 0; i < MESSAGES; i++) rig.queue.offer(message("t", PAYLOAD, { qos: 0 }));
  rig.connection.connect();
  const client = await peer.welcome();
  let most = 0;
  while (rig.queue.length > 0) {
    const before = rig.queue.length;
    await new Promise((turn) => setImmediate(turn));
    most = Math.max(most, before - rig.queue.length);
  }
  assert.ok(most > 0 && most <= TURN_MESSAGES, `${most} messages in one turn`);
  const published = () => client.packets.filter(({ cmd }) => cmd === "publish").length;
  await rig.until("all", () => published() === MESSAGES);
});
