/** What docs/delivery.md says of looking after a spool. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { statusText } from "../../lib/cli/status_text.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { freePort, mosquittoTest, startBroker } from "../support/broker.ts";
import { Watcher } from "../support/watcher.ts";
import { RunningAgent } from "./running_agent.ts";
import { fireToDisk, spooled } from "./spool_helper.ts";

/** Little memory: most of what waits is on disk alone. */
const LITTLE = { settings: { "event-queue-size": 20 } };

Deno.test("a backlog is given up by its age, and counted", async () => {
  await using simulator = await Simulator.start();
  const port = freePort();
  await using running = await RunningAgent.start(spooled(simulator.port, port, {}, LITTLE));
  await simulator.waitForSubscription("HEARTBEAT");
  await fireToDisk(simulator, running, 200);
  await running.reload(spooled(simulator.port, port, { spool_max_age: 1 }, LITTLE));
  await running.until("nothing waits", () => {
    const { queued, spool } = running.connection("c");
    return queued === 0 && spool?.messages === 0;
  });
  const { offered, dropped } = running.connection("c");
  assert.deepEqual([offered, dropped], [200, { expired: 200 }]);
  await running.reload(spooled(simulator.port, port, {}, LITTLE));
  await fireToDisk(simulator, running, 10);
});

mosquittoTest("a spool goes with its connection to a new name", async () => {
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  await using watcher = await Watcher.start(broker.port, { clientId: "watcher" });
  await broker.stop();
  await using first = await RunningAgent.start(spooled(simulator.port, broker.port, {}, LITTLE));
  await simulator.waitForSubscription("HEARTBEAT");
  await fireToDisk(simulator, first, 50);
  const file = join(first.folder, "state", "p+c.spool");
  assert.equal(first.connection("c").spool?.file, file);
  const lines = statusText(first.agent.status()).split("\n").map((line) => line.trim());
  assert.ok(lines.includes(`in ${file}`));
  await first.stop();
  await assert.rejects(Deno.stat(`${file}-wal`), "after an orderly end it is one file");
  const renamed = join(first.folder, "state", "p+my%20broker.spool");
  await Deno.rename(file, renamed);
  await broker.start();
  await using second = await RunningAgent.start(
    spooled(simulator.port, broker.port, {}, { ...LITTLE, name: "my broker" }),
    first.folder,
  );
  await watcher.count("beat", 50);
  assert.equal(second.connection("my broker").spool?.file, renamed);
});
