/**
 * An agent in this process, between a simulator and a broker, on a configuration of a test's own.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { Agent } from "../../lib/agent/agent.ts";
import { loadAndCheck } from "../../lib/config/check.ts";
import type { Config } from "../../lib/config/config.ts";
import { formatFinding } from "../../lib/config/position.ts";
import type { ControlReply, ControlRequest } from "../../lib/control/protocol.ts";
import type { ConnectionStatus, StatusReport } from "../../lib/control/status.ts";
import { logsOptions } from "../../lib/agent/logs_options.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { Logs } from "../../lib/log/logs.ts";
import { eventually, isReady } from "../support/agent_process.ts";

/** Parameters as XML. */
export function params(values: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(values)
    .map(([name, value]) => `<param name="${name}" value="${value}"/>`)
    .join("");
}

/** What a test's configuration may say. Everything is in profile `p`. */
export interface Wiring {
  /** `<settings>` beside the event socket and the state folder. */
  readonly settings?: string;
  /** The profile's own parameters. */
  readonly profile?: string;
  /** The connections' content by name. */
  readonly connections: Readonly<Record<string, string>>;
  /** The published topics by name, of publisher `pub`. */
  readonly published?: Readonly<Record<string, string>>;
  /** The subscribed topics by name, of subscriber `sub`. */
  readonly subscribed?: Readonly<Record<string, string>>;
}

/** The wiring as XML; `{folder}` stands for the agent's own folder. */
export function configurationXml(eslPort: number, wiring: Wiring): string {
  const { settings = "", profile = "", connections, published = {}, subscribed = {} } = wiring;
  const elements = (kind: string, contents: Readonly<Record<string, string>>) =>
    Object.entries(contents)
      .map(([name, content]) => `<${kind} name="${name}">${content}</${kind}>`).join("\n");
  return `<configuration name="mosquitto.conf">
  <settings>
    ${params({ "esl-port": eslPort, "esl-password": "ClueCon", "state-dir": "{folder}/state" })}
    ${settings}
  </settings>
  <profiles><profile name="p">${profile}
    <connections>${elements("connection", connections)}</connections>
    <publishers><publisher name="pub"><topics>
      ${elements("topic", published)}
    </topics></publisher></publishers>
    <subscribers><subscriber name="sub"><topics>
      ${elements("topic", subscribed)}
    </topics></subscriber></subscribers>
  </profile></profiles>
</configuration>`;
}

/** An agent, its log, and how to change its configuration. */
export class RunningAgent implements AsyncDisposable {
  readonly agent: Agent;
  readonly folder: string;
  readonly log: string[];
  #stopped: Promise<void> | undefined;

  private constructor(agent: Agent, folder: string, log: string[]) {
    this.agent = agent;
    this.folder = folder;
    this.log = log;
  }

  /** Starts an agent; a folder that is given is left to the giver. */
  static async start(
    xml: string,
    folder?: string,
    clock: Clock = systemClock,
  ): Promise<RunningAgent> {
    const home = folder ?? await Deno.makeTempDir({ prefix: "fsmqtt-agent-test-" });
    const file = join(home, "mosquitto.conf.xml");
    await Deno.writeTextFile(file, xml.replaceAll("{folder}", home));
    const config = load(file);
    assert("config" in config, JSON.stringify(config));
    const log: string[] = [];
    const logs = new Logs(logsOptions(config.config), clock, { write: (l) => log.push(l) });
    const agent = new Agent({ config: config.config, reload: () => load(file), logs, clock });
    agent.start();
    return new RunningAgent(agent, home, log);
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
    assert.equal(reply.kind, "done", JSON.stringify(reply));
    return reply.kind === "done" ? reply.text : "";
  }

  /** The status of the connection of this name. */
  connection(name: string): ConnectionStatus {
    const connection = this.agent.status().profiles[0]?.connections
      .find((each) => each.name === name);
    assert(connection !== undefined, `no connection ${name}`);
    return connection;
  }

  /** Waits until the status is as wanted. */
  async until(what: string, wanted: (status: StatusReport) => boolean): Promise<void> {
    try {
      await eventually(what, () => wanted(this.agent.status()) || undefined);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.log.join("\n")}`);
    }
  }

  /** Waits until a connection is in this state. */
  async untilConnection(name: string, state: ConnectionStatus["state"]): Promise<void> {
    await this.until(`${name} is ${state}`, () => this.connection(name).state === state);
  }

  /** Waits until FreeSWITCH and all enabled connections are connected. */
  async ready(): Promise<void> {
    await this.until("all is connected", isReady);
  }

  /** Stops the agent. */
  stop(): Promise<void> {
    this.#stopped ??= this.agent.stop();
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.folder, { recursive: true }).catch(() => {});
  }
}

function load(file: string): { config: Config } | { errors: string[] } {
  const { config, findings } = loadAndCheck(file);
  return config === undefined ? { errors: findings.map(formatFinding) } : { config };
}
