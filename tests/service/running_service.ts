/**
 * A confined agent in this process, on a configuration of a test's own, whose thread can be told to
 * try things.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import type { Loaded } from "../../lib/agent/agent.ts";
import { loadAndCheck } from "../../lib/config/check.ts";
import { withPaths } from "../../lib/config/paths.ts";
import { formatFinding } from "../../lib/config/position.ts";
import type { ControlReply, ControlRequest } from "../../lib/control/protocol.ts";
import type { ConnectionStatus, StatusReport } from "../../lib/control/status.ts";
import type { SrvResolver } from "../../lib/mqtt/srv.ts";
import type { ThreadStarter } from "../../lib/service/agent_host.ts";
import { ConfinedAgent } from "../../lib/service/confined_agent.ts";
import { startThread } from "../../lib/threads.ts";
import { eventually, isReady } from "../support/agent_process.ts";

/** What a test may have otherwise. */
export interface RunningServiceOptions {
  readonly resolveSrv?: SrvResolver;
  readonly mayGrantOpenSsl?: boolean;
}

/** A confined agent, and what it can be asked. */
export class RunningService implements AsyncDisposable {
  readonly agent: ConfinedAgent;
  readonly folder: string;
  /** The threads of the agent so far, the present one last. */
  readonly threads: Worker[];
  #stopped: Promise<void> | undefined;

  private constructor(agent: ConfinedAgent, folder: string, threads: Worker[]) {
    this.agent = agent;
    this.folder = folder;
    this.threads = threads;
  }

  /** Starts an agent; `{folder}` in the XML stands for a folder of its own. */
  static async start(xml: string, options: RunningServiceOptions = {}): Promise<RunningService> {
    const folder = await Deno.makeTempDir({ prefix: "fsmqtt-service-test-" });
    const file = join(folder, "mosquitto.conf.xml");
    await Deno.writeTextFile(file, xml.replaceAll("{folder}", folder));
    const loaded = load(file);
    assert("config" in loaded, JSON.stringify(loaded));
    const threads: Worker[] = [];
    const probingThread: ThreadStarter = (name, permissions) => {
      if (name !== "agent" || permissions === undefined) return startThread(name, permissions);
      const module = new URL("./probing_thread.ts", import.meta.url);
      const worker = new Worker(module, { type: "module", name, deno: { permissions } });
      threads.push(worker);
      return worker;
    };
    const { resolveSrv, mayGrantOpenSsl = true } = options;
    const agent = await ConfinedAgent.start({
      config: loaded.config,
      warnings: [],
      load: () => load(file),
      startThread: probingThread,
      mayGrantOpenSsl: () => mayGrantOpenSsl,
      ...(resolveSrv === undefined ? {} : { resolveSrv }),
    });
    return new RunningService(agent, folder, threads);
  }

  /** Has the thread try something; tells what came of it. */
  async attempt(probe: string, argument = ""): Promise<string> {
    const { port1, port2 } = new MessageChannel();
    try {
      return await new Promise((resolve) => {
        port1.onmessage = ({ data }) => resolve(data);
        this.threads.at(-1)?.postMessage({ probe, argument, port: port2 }, [port2]);
      });
    } finally {
      port1.close();
    }
  }

  /** Has the thread do something from which nothing comes back. */
  inflict(probe: "throw" | "spin", argument = ""): void {
    this.threads.at(-1)?.postMessage({ probe, argument });
  }

  /** Writes another configuration and takes it up. */
  async reload(xml: string): Promise<ControlReply> {
    const file = join(this.folder, "mosquitto.conf.xml");
    await Deno.writeTextFile(file, xml.replaceAll("{folder}", this.folder));
    return await this.agent.handle({ do: "reload" });
  }

  /** Asks for something that must be done. */
  async done(request: ControlRequest): Promise<string> {
    const reply = await this.agent.handle(request);
    assert(reply.kind === "done", JSON.stringify(reply));
    return reply.text;
  }

  /** The status. */
  async status(): Promise<StatusReport> {
    const reply = await this.agent.handle({ do: "status" });
    assert(reply.kind === "status", JSON.stringify(reply));
    return reply.status;
  }

  /** The status of the connection of this name. */
  async connection(name: string): Promise<ConnectionStatus> {
    const { profiles: [profile] } = await this.status();
    const connection = profile?.connections.find((each) => each.name === name);
    assert(connection !== undefined, `no connection ${name}`);
    return connection;
  }

  /** Waits until a connection is as wanted. */
  async until(name: string, wanted: (connection: ConnectionStatus) => boolean): Promise<void> {
    let last: ConnectionStatus | undefined;
    try {
      await eventually(`${name} is as wanted`, async () => {
        last = await this.connection(name);
        return wanted(last) || undefined;
      });
    } catch (error) {
      throw new Error(`${(error as Error).message}: ${JSON.stringify(last)}`);
    }
  }

  /** Waits until FreeSWITCH and all enabled connections are connected. */
  async ready(): Promise<void> {
    await eventually("all is connected", async () => isReady(await this.status()) || undefined);
  }

  /** Stops the agent. */
  stop(): Promise<void> {
    return this.#stopped ??= this.agent.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {});
    await Deno.remove(this.folder, { recursive: true }).catch(() => {});
  }
}

function load(file: string): Loaded {
  const { config, findings } = loadAndCheck(file);
  return config === undefined
    ? { errors: findings.map(formatFinding) }
    : { config: withPaths(config), warnings: [] };
}
