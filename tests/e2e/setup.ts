/**
 * What the end-to-end tests share: configurations, and a FreeSWITCH to fire events in.
 *
 * @module
 */

import { Simulator } from "../../lib/simulator/simulator.ts";
import { EslClient, realFreeswitch, type Target } from "../support/esl_client.ts";

/** A FreeSWITCH, and a connection of the test's own to it. */
export class Switch implements AsyncDisposable {
  readonly #simulator: Simulator | undefined;
  readonly #client: EslClient;

  private constructor(
    readonly target: Target,
    simulator: Simulator | undefined,
    client: EslClient,
  ) {
    this.#simulator = simulator;
    this.#client = client;
  }

  /** The real one that `FSMQTT_TEST_ESL` names, else the simulator. */
  static async start(): Promise<Switch> {
    const real = realFreeswitch();
    const simulator = real === undefined ? await Simulator.start() : undefined;
    const target = real ?? simulator as Target;
    return new Switch(target, simulator, await EslClient.login(target));
  }

  /** Fires a CUSTOM event of a subclass; `number` tells it from others. */
  async fire(subclass: string, number: number): Promise<void> {
    await this.#client.ask(
      `sendevent CUSTOM\nEvent-Subclass: ${subclass}\nX-Number: ${number}`,
    );
  }

  /** Runs an API command. */
  async api(command: string): Promise<string> {
    return await this.#client.ask(`api ${command}`);
  }

  /** A second connection that hears the same events as the agent. */
  async listen(events: string): Promise<EslClient> {
    const client = await EslClient.login(this.target);
    await client.ask(`event json ${events}`);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await this.#simulator?.stop();
  }
}

/** A parameter as XML. */
export function param(name: string, value: string | number | boolean): string {
  return `<param name="${name}" value="${value}"/>`;
}

/** Parts of a configuration; each a list of parameters or elements. */
export interface Parts {
  readonly esl: Target;
  readonly broker: number;
  readonly settings?: readonly string[];
  readonly connection?: readonly string[];
  /** More connections. */
  readonly connections?: string;
  readonly publish?: readonly (readonly string[])[];
  readonly subscribe?: readonly (readonly string[])[];
}

/** A configuration of one profile with the connection `main`. */
export function configuration(parts: Parts): string {
  const { esl, broker, settings = [], connection = [], publish = [], subscribe = [] } = parts;
  const topics = (each: readonly (readonly string[])[], kind: string) =>
    each.length === 0 ? "" : `
      <${kind}s><${kind} name="p"><topics>
        ${
      each.map((params, i) =>
        `<topic name="t${i}">${[param("connection_name", "main"), ...params].join("")}</topic>`
      ).join("\n        ")
    }
      </topics></${kind}></${kind}s>`;
  return `<configuration name="mosquitto.conf">
  <settings>
    ${param("esl-host", esl.hostname)}
    ${param("esl-port", esl.port)}
    ${param("esl-password", esl.password)}
    ${param("state-dir", "{folder}/state")}
    ${settings.join("\n    ")}
  </settings>
  <profiles>
    <profile name="test">
      <connections>
        <connection name="main">
          ${param("host", "127.0.0.1")}
          ${param("port", broker)}
          ${connection.join("\n          ")}
        </connection>
        ${parts.connections ?? ""}
      </connections>${topics(publish, "publisher")}${topics(subscribe, "subscriber")}
    </profile>
  </profiles>
</configuration>
`;
}

/** The number that {@linkcode Switch.fire} put into an event. */
export function numberOf(payload: Uint8Array): number {
  const [, number] = /"X-Number":"(\d+)"/.exec(new TextDecoder().decode(payload)) ?? [];
  if (number === undefined) throw new Error("an event without a number");
  return Number(number);
}
