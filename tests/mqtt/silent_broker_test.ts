import assert from "node:assert/strict";
import { options, Rig } from "./harness.ts";
import { Peer } from "./peer.ts";

Deno.test("a broker that accepts and never answers is left after 10 s", async () => {
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port));
  const began = performance.now();
  rig.connection.connect();
  const client = await peer.accept();
  rig.offer("t", ["kept"]);
  await client.ended();
  assert.ok(performance.now() - began > 9_000);
  const reason = await rig.reason("waiting");
  assert.equal(reason, "the port accepts connections, but no broker answers");
  assert.equal(rig.queue.length, 1);
});
