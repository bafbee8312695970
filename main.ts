/**
 * fsmqtt: FreeSWITCH events to MQTT brokers, and commands from them back.
 *
 * @module
 */

import { beginThread, currentThread } from "./lib/threads.ts";

// Imported when it is known which thread this is: in a bundle all of them begin here.
switch (currentThread()) {
  case "agent":
    await beginThread(() => import("./lib/service/agent_thread.ts"));
    break;
  case "spool":
    await beginThread(() => import("./lib/queue/spool/worker.ts"));
    break;
  case undefined: {
    const { main } = await import("./lib/cli/cli.ts");
    Deno.exit(await main(Deno.args));
  }
}
