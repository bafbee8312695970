/**
 * The agent in the main thread: in less memory, and with all that the process may do.
 *
 * @module
 */

import { Agent } from "../agent/agent.ts";
import { StateDirError } from "../agent/state_dir.ts";
import { stderrSink } from "../log/sink.ts";
import { type ServedAgent, type ServedAgentOptions, StartError } from "./served_agent.ts";

/** At the end, a reader of standard error may take this long. */
export const LOG_FLUSH_MS = 500;

/**
 * Starts an agent in this thread.
 *
 * @throws {StartError} if it cannot be started.
 */
export function startLocalAgent({ config, warnings, load }: ServedAgentOptions): ServedAgent {
  const agent = makeAgent({ config, warnings, reload: load });
  agent.start();
  return {
    died: new Promise(() => {}),
    handle: (request) => agent.handle(request),
    reopenLogs: () => agent.reopenLogs(),
    ping: () => Promise.resolve(),
    get shutdownTimeoutMs() {
      return agent.shutdownTimeoutMs;
    },
    async stop() {
      await agent.stop();
      await stderrSink.flush(LOG_FLUSH_MS);
    },
  };
}

/**
 * Makes an agent.
 *
 * @throws {StartError} if there can be none.
 */
export function makeAgent(options: ConstructorParameters<typeof Agent>[0]): Agent {
  try {
    return new Agent(options);
  } catch (error) {
    if (!(error instanceof StateDirError)) throw error;
    throw new StartError(error.message, error.cause instanceof Deno.errors.PermissionDenied);
  }
}
