/**
 * The thread that runs the agent, with no more permissions than its configuration needs.
 *
 * @module
 */

import "./no_environment.ts";
import type { Agent, Loaded } from "../agent/agent.ts";
import { EarlyLink } from "../agent/early_link.ts";
import { unpackConfig } from "../config/transfer.ts";
import { stderrSink } from "../log/sink.ts";
import type { SpoolStarter } from "../queue/spool/spools.ts";
import { Line, type Port } from "./line.ts";
import { LOG_FLUSH_MS, makeAgent } from "./local_agent.ts";
import {
  type AgentCalls,
  type BeginFault,
  type Beginning,
  type HostCalls,
  packCarried,
  type PackedLoaded,
  unpackCarried,
} from "./messages.ts";
import { StartError, starting } from "./served_agent.ts";

let agent: Agent | undefined;
let early: EarlyLink | undefined;
let spools = 0;
const spoolFailures = new Map<number, (reason: string) => void>();

const line = new Line<HostCalls, AgentCalls>(self as unknown as Port, {
  listen(config) {
    early = new EarlyLink(unpackConfig(config));
    return early.listening();
  },
  begin: (beginning) => Promise.resolve(begin(beginning)),
  noteEvents: (wanted) => agent?.noteEvents(wanted),
  adopt: async (loaded) => await (agent?.adopt(unpackLoaded(loaded)) ?? starting),
  giveUp({ given, kept }) {
    for (const each of given) Deno.permissions.revokeSync(each);
    return kept.every((each) => Deno.permissions.querySync(each).state === "granted");
  },
  handle: async (request) => await (agent?.handle(request) ?? starting),
  reopenLogs: () => agent?.reopenLogs(),
  async handOver(first) {
    if (agent === undefined) throw new Error("There is no agent that could be handed over");
    const carried = packCarried(await agent.handOver(first));
    await stderrSink.flush(LOG_FLUSH_MS);
    return carried;
  },
  async stop() {
    await agent?.stop();
    await stderrSink.flush(LOG_FLUSH_MS);
  },
  ping: () => {},
  spoolFailed: ({ spool, reason }) => spoolFailures.get(spool)?.(reason),
});

const startSpool: SpoolStarter = (port, failed) => {
  const spool = ++spools;
  spoolFailures.set(spool, failed);
  line.call("startSpool", { spool, port }, [port]).catch(({ message }: Error) => failed(message));
  return () => {
    spoolFailures.delete(spool);
    // Where the other side is gone, so is the thread.
    line.call("endSpool", spool).catch(() => {});
  };
};

function begin(
  { config, warnings, carried, notice, steered = [] }: Beginning,
): BeginFault | undefined {
  try {
    agent = makeAgent({
      config: unpackConfig(config),
      warnings,
      reload: () => ({ errors: ["Only the starting part of fsmqtt can load a configuration"] }),
      startSpool,
      resolveSrv: (name) => line.call("resolveSrv", name),
      ...(carried === undefined || early === undefined
        ? {}
        : { former: { carried: unpackCarried(carried), steered, link: early, notice } }),
    });
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    const { message, isDenied } = error;
    return { text: message, isDenied };
  }
  early = undefined;
  agent.start();
  return undefined;
}

function unpackLoaded(loaded: PackedLoaded): Loaded {
  return "errors" in loaded ? loaded : { ...loaded, config: unpackConfig(loaded.config) };
}
