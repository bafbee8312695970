/** Traffic of one's own is no sign that the broker lives. */

import assert from "node:assert/strict";
import { mosquittoTest, startBroker } from "../support/broker.ts";
import { options, Rig } from "./harness.ts";

for (const qos of [0, 1, 2] as const) {
  mosquittoTest(
    `keepalive finds a frozen broker within 1.5 of it, though events keep going at QoS ${qos}`,
    async () => {
      await using broker = await startBroker();
      await using rig = new Rig(options(broker.port, { keepalive: 2 }));
      rig.connection.connect();
      await rig.state("connected");
      broker.freeze(true);
      const began = performance.now();
      // Far less than the kernel takes for the broker.
      const timer = setInterval(() => rig.offer("t", ["x"], qos), 50);
      try {
        await rig.until(
          "the loss seen",
          () => rig.logged("no sign of life within keepalive").length > 0,
        );
        const seconds = (performance.now() - began) / 1000;
        assert.ok(seconds < 4.5, `${seconds} s`);
      } finally {
        clearInterval(timer);
        broker.freeze(false);
      }
    },
  );
}
