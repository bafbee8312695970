import assert from "node:assert/strict";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { configurationXml, params, RunningAgent } from "./running_agent.ts";

for (const details of [true, false]) {
  Deno.test(`with log-details ${details}, each message is ${details ? "" : "not "}logged`, async () => {
    await using simulator = await Simulator.start({ heartbeatMs: 0 });
    await using running = await RunningAgent.start(configurationXml(simulator.port, {
      settings: params({ "log-details": details }),
      connections: { a: params({ host: "127.0.0.1", port: 1 }) },
      published: {
        t: params({ connection_name: "a", event: "GENERAL", pattern: "pbx/${switchname}" }),
      },
    }));
    await running.until(
      "FreeSWITCH is there",
      ({ freeswitch }) => freeswitch.state === "connected",
    );
    simulator.fire("GENERAL", { "X-Secret": "4711" });
    await running.until("it is queued", () => running.connection("a").queued === 1);
    const bytes = running.connection("a").queued_bytes;
    assert.equal(running.log.some((line) => /p\/a: \d+ bytes for "pbx\/fs1"/.test(line)), details);
    assert(bytes > 0 && !running.log.join("\n").includes("4711"));
  });
}
