/** The worker of the spools, which dies when a row of a certain number is to be written. */

import type { SpoolRequest } from "../../../lib/queue/spool/messages.ts";

self.addEventListener("message", (event) => {
  const { ports: [port] } = event as MessageEvent;
  port?.addEventListener("message", (event) => {
    const request = (event as MessageEvent<SpoolRequest>).data;
    if (request.kind === "write" && request.batch.rows.numbers[0] === 666) {
      event.stopImmediatePropagation();
      throw new Error("out of order");
    }
  });
});

await import("../../../lib/queue/spool/worker.ts");
