/**
 * The process: starts the agent, lets it be steered, tells the service manager, and ends it.
 *
 * @module
 */

import { type Clock, systemClock } from "../clock.ts";
import { type ConsoleHandler, ControlServer } from "../control/server.ts";
import type { ControlReply, ControlRequest } from "../control/protocol.ts";
import type { StatusReport } from "../control/status.ts";
import { ExitCode } from "../exit_code.ts";
import { ConfinedAgent } from "./confined_agent.ts";
import { liftsConfinement } from "./grants.ts";
import { Libc } from "./libc.ts";
import { type ServedAgent, type ServedAgentOptions, starting } from "./served_agent.ts";
import { ServiceManager } from "./systemd.ts";
import { watchLoop } from "./watch.ts";

/** What a service is made from. */
export interface ServiceOptions extends ServedAgentOptions {
  /** The environment as it was at the start. */
  readonly env: Readonly<Record<string, string>>;
  /** Starts the agent. */
  readonly start: (options: ServedAgentOptions) => Promise<ServedAgent>;
  /** Answers FreeSWITCH's console on this control socket. */
  readonly console: (words: readonly string[], socket: string) => ReturnType<ConsoleHandler>;
  /** A status in one line. */
  readonly summary: (status: StatusReport) => string;
  /** What is to be told beside the agent's log. */
  readonly complain: (text: string) => void;
  /**
   * Time.
   * @default systemClock
   */
  readonly clock?: Clock;
}

/** Where nobody else watches, the loop is looked at so often. */
const WATCH_INTERVAL_MS = 10_000;
/** The status that the service manager shows is not older, and is that of a start which went well. */
const STATUS_INTERVAL_MS = 10_000;
const FIRST_STATUS_MS = 1_000;
/** So long after the start, what only that needed is given back. */
const TIDY_DELAY_MS = 2_000;
/** After the queues were waited for, the disk may take so long at the end. */
const STOP_RESERVE_MS = 40_000;

/**
 * Runs an agent until it is told to stop, and returns the exit code.
 *
 * @throws {ControlSocketError} if it cannot be steered.
 * @throws {StartError} if there can be no agent.
 */
export async function runService(options: ServiceOptions): Promise<number> {
  const { config: { settings }, env, complain, clock = systemClock } = options;
  const { controlSocket = "", controlGroup } = settings;
  const libc = openLibc(env, complain);
  const manager = managerOf(env, libc);
  let agent: ServedAgent | undefined;
  let reloads = 0;
  const handle = async (request: ControlRequest): Promise<ControlReply> => {
    if (agent === undefined) return starting;
    if (request.do !== "reload") return await agent.handle(request);
    reloads++;
    manager.reloading();
    try {
      return await agent.handle(request);
    } finally {
      if (--reloads === 0) manager.ready();
    }
  };
  const control = await ControlServer.listen(controlSocket, controlGroup, handle, {
    console: (words) => options.console(words, controlSocket),
  });
  const told = signals({
    hangUp: () => {
      // The log files are opened anew even if the configuration is refused.
      agent?.reopenLogs();
      handle({ do: "reload" }).catch(({ message }: Error) => {
        complain(`Cannot reload: ${message}`);
      });
    },
  });
  try {
    agent = await options.start(options);
  } catch (error) {
    await control.close();
    throw error;
  }
  manager.ready();
  const endTidying = clock.after(TIDY_DELAY_MS, () => libc?.giveBackMemory());
  const watching = watch(agent, manager, options);
  let fault = await Promise.race([told.end, agent.died, watching.stuck]);
  if (fault === undefined) {
    const withinMs = agent.shutdownTimeoutMs + STOP_RESERVE_MS;
    manager.stopping(withinMs);
    fault = await Promise.race([stop(agent, control), agent.died, late(clock, withinMs)]);
  }
  watching.end();
  endTidying();
  if (fault === undefined) return ExitCode.OK;
  // What may be amiss in it cannot be asked to end in order: the spool is made for that.
  complain(`A fault of fsmqtt's own, please report it: ${fault}`);
  return ExitCode.FAILED;
}

async function stop(agent: ServedAgent, control: ControlServer): Promise<string | undefined> {
  try {
    await Promise.all([agent.stop(), control.close()]);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

async function late(clock: Clock, ms: number): Promise<string> {
  await new Promise<void>((resolve) => clock.after(ms, resolve));
  return "it does not come to its end";
}

/** Looks after the agent while it runs, and tells the service manager how it is. */
function watch(
  agent: ServedAgent,
  manager: ServiceManager,
  { summary, clock = systemClock }: Pick<ServiceOptions, "summary" | "clock">,
): { readonly stuck: Promise<string>; end(): void } {
  const endStatus = manager.isThere
    ? showStatus(agent, clock, (status) => manager.status(summary(status)))
    : () => {};
  const stuck = Promise.withResolvers<string>();
  const endWatch = watchLoop({
    ping: () => agent.ping(),
    alive: () => manager.alive(),
    stuck: () => stuck.resolve("the loop that moves events does not go round any more"),
    intervalMs: manager.watchdogIntervalMs ?? WATCH_INTERVAL_MS,
    clock,
  });
  const end = () => {
    endStatus();
    endWatch();
  };
  return { stuck: stuck.promise, end };
}

/**
 * Starts an agent in a thread that may do no more than its configuration needs, and gives up what
 * the process needs no more: the environment, subprocesses, and foreign code if no connection is
 * for OpenSSL. What a later configuration may need to be granted is kept, by this thread alone,
 * which reads nothing from the network but DNS's answers.
 *
 * @throws {StartError} if there can be no agent.
 */
export async function startConfined(options: ServedAgentOptions): Promise<ServedAgent> {
  const mayGrantOpenSsl = () => Deno.permissions.querySync({ name: "ffi" }).state === "granted";
  const agent = await ConfinedAgent.start({ ...options, mayGrantOpenSsl });
  Deno.permissions.revokeSync({ name: "env" });
  Deno.permissions.revokeSync({ name: "run" });
  if (!liftsConfinement(agent.grants)) Deno.permissions.revokeSync({ name: "ffi" });
  return agent;
}

/** Shows the status now and then; what is returned ends that. */
function showStatus(
  agent: ServedAgent,
  clock: Clock,
  show: (status: StatusReport) => void,
): () => void {
  let cancel = () => {};
  const look = async () => {
    cancel = clock.after(STATUS_INTERVAL_MS, look);
    try {
      const reply = await agent.handle({ do: "status" });
      if (reply.kind === "status") show(reply.status);
    } catch {
      // Why there is none is told where the agent's end is.
    }
  };
  cancel = clock.after(FIRST_STATUS_MS, look);
  return () => cancel();
}

function openLibc(env: ServiceOptions["env"], complain: (text: string) => void): Libc | undefined {
  try {
    const libc = new Libc();
    libc.keepInspectorShut();
    return libc;
  } catch (error) {
    const told = env["NOTIFY_SOCKET"] === undefined ? "" : " and the service manager is not told";
    complain(
      `${(error as Error).message}: SIGUSR1 opens Deno's inspector to users of this machine${told}`,
    );
    return undefined;
  }
}

function managerOf(env: ServiceOptions["env"], libc: Libc | undefined): ServiceManager {
  return new ServiceManager({
    env,
    pid: Deno.pid,
    send: (address, text) => libc?.send(address, text) ?? false,
    monotonicUsec: () => libc?.monotonicUsec() ?? 0n,
  });
}

/** Listens for signals; `end` resolves when the process is told to end. */
function signals({ hangUp }: { hangUp(): void }): { readonly end: Promise<undefined> } {
  Deno.addSignalListener("SIGHUP", hangUp);
  const end = new Promise<undefined>((resolve) => {
    // `deno task` passes Ctrl-C on besides the terminal: a second one means nothing of its own.
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      Deno.addSignalListener(signal, () => resolve(undefined));
    }
  });
  return { end };
}
