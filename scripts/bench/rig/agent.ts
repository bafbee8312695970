/**
 * fsmqtt as a process of a measurement.
 *
 * @module
 */

import { join } from "node:path";
import { agentConfiguration, type AgentOptions } from "./agent_configuration.ts";
import { Child, type ChildOptions } from "./child.ts";

/** A running fsmqtt, with a folder of its own. */
export class Agent extends Child {
  readonly #folder: string;

  private constructor(options: ChildOptions, folder: string) {
    super(options);
    this.#folder = folder;
  }

  /**
   * Starts it.
   *
   * @param command Its command line; `{config}` and `{control}` in it stand for its files.
   * @param wrap What else belongs to its start.
   */
  static async start(
    command: readonly string[],
    options: AgentOptions,
    wrap: (options: ChildOptions) => ChildOptions = (same) => same,
  ): Promise<Agent> {
    const folder = await Deno.makeTempDir({ prefix: "fsmqtt-bench-" });
    const config = join(folder, "mosquitto.conf.xml");
    await Deno.writeTextFile(config, agentConfiguration(options, folder));
    const own = command.map((word) =>
      word.replace("{config}", config).replace("{control}", join(folder, "control.sock"))
    );
    return new Agent(wrap({ name: "fsmqtt", command: own }), folder);
  }

  /** Ends it. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}
