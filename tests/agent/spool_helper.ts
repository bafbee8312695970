/**
 * What the tests of spools share: an agent whose events wait on disk.
 *
 * @module
 */

import type { Simulator } from "../../lib/simulator/simulator.ts";
import { configurationXml, params, type RunningAgent } from "./running_agent.ts";

type Values = Parameters<typeof params>[0];

/** Heartbeats over connection `c` with a spool, at QoS 2, to a broker on this port. */
export function spooled(
  esl: number,
  broker: number,
  more: Values = {},
  { settings = {}, name = "c" }: { readonly settings?: Values; readonly name?: string } = {},
): string {
  return configurationXml(esl, {
    settings: params({ "shutdown-timeout": 0, ...settings }),
    connections: {
      [name]: params({
        host: "127.0.0.1",
        port: broker,
        client_id: "agent",
        clean_session: false,
        reconnect_delay_max: 1,
        spool: "disk",
        spool_commit_ms: 5,
        ...more,
      }),
    },
    published: {
      beat: params({ connection_name: name, event: "HEARTBEAT", pattern: "beat", qos: 2 }),
    },
  });
}

/** Fires as many events, and waits until that many more are on disk, and all that waits is. */
export async function fireToDisk(
  simulator: Simulator,
  running: RunningAgent,
  count: number,
): Promise<void> {
  const wanted = (running.connection("c").spool?.messages ?? 0) + count;
  for (let i = 0; i < count; i++) simulator.fireHeartbeat();
  await running.until(`${wanted} are on disk`, () => {
    const { queued, in_flight, spool } = running.connection("c");
    return queued + in_flight === wanted && spool?.messages === wanted;
  });
}
