/**
 * fsmqtt as its users run it: a process of its own, from source or, if `FSMQTT_BIN` names one, the
 * executable.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TextLineStream } from "./lines.ts";
import { ask } from "../../lib/control/client.ts";
import type { ConnectionStatus, StatusReport } from "../../lib/control/status.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** The command line of fsmqtt. */
export function fsmqtt(...args: string[]): Deno.Command {
  return fsmqttWithin([], args);
}

/** The command line of fsmqtt behind that of another program, which has to become it (`exec`). */
function fsmqttWithin(wrap: readonly string[], args: readonly string[]): Deno.Command {
  const executable = Deno.env.get("FSMQTT_BIN");
  const own = executable === undefined ? [Deno.execPath(), "run", "-A", MAIN] : [executable];
  const [program = "", ...rest] = [...wrap, ...own, ...args];
  return new Deno.Command(program, {
    args: rest,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** How an agent is started. */
export interface AgentProcessOptions {
  /** Arguments beside the configuration and the control socket. */
  readonly args?: readonly string[];
  /**
   * A command line that becomes the agent's, which follows it: limits, another view of the disk.
   * `{folder}` in it stands for the agent's folder.
   */
  readonly wrap?: readonly string[];
}

/** Resolves with the first value that `attempt` gives; what never comes is an error. */
export async function eventually<T>(
  what: string,
  attempt: () => T | undefined | Promise<T | undefined>,
  deadlineMs = 30_000,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await attempt();
    if (value !== undefined) return value;
    if (performance.now() > end) throw new Error(`This never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Whether FreeSWITCH and all enabled connections are connected. */
export function isReady({ freeswitch, profiles }: StatusReport): boolean {
  return freeswitch.state === "connected" &&
    profiles.every(({ connections }) =>
      connections.every(({ enabled, state }) => !enabled || state === "connected")
    );
}

/** A running `fsmqtt run`. */
export class AgentProcess implements AsyncDisposable {
  readonly #folder: string;
  readonly #options: AgentProcessOptions;
  readonly #logged: string[] = [];
  #process: Deno.ChildProcess;
  #logEnd: Promise<void>;
  #exit: Promise<Deno.CommandStatus>;

  private constructor(folder: string, options: AgentProcessOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#process = this.#spawn();
    this.#exit = this.#process.status;
    this.#logEnd = this.#readLog();
  }

  /** Starts the agent on a configuration; `{folder}` in it stands for a folder of its own. */
  static async start(
    configuration: string,
    options: AgentProcessOptions = {},
  ): Promise<AgentProcess> {
    const folder = await Deno.makeTempDir({ prefix: "fsmqtt-e2e-" });
    const file = join(folder, "mosquitto.conf.xml");
    await Deno.writeTextFile(file, configuration.replaceAll("{folder}", folder));
    const agent = new AgentProcess(folder, options);
    await agent.#answers();
    return agent;
  }

  /** Starts it anew on the same folder, after it was stopped. */
  async startAgain(): Promise<void> {
    await this.#process.stdout.cancel();
    this.#process = this.#spawn();
    this.#exit = this.#process.status;
    this.#logEnd = this.#readLog();
    await this.#answers();
  }

  /** The folder that is its own. */
  get folder(): string {
    return this.#folder;
  }

  /** The id of its process. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Its configuration file. */
  get configFile(): string {
    return join(this.#folder, "mosquitto.conf.xml");
  }

  /** Its control socket. */
  get control(): string {
    return join(this.#folder, "control.sock");
  }

  /** What it has logged so far. */
  get log(): string {
    return this.#logged.join("\n");
  }

  /** Its status. */
  async status(): Promise<StatusReport> {
    const status = await this.#askStatus();
    assert(status !== undefined, `the agent does not answer:\n${this.log}`);
    return status;
  }

  /** The status of its connection of this name, in the first profile. */
  async connection(name: string): Promise<ConnectionStatus> {
    const { profiles: [profile] } = await this.status();
    const connection = profile?.connections.find((each) => each.name === name);
    assert(connection !== undefined);
    return connection;
  }

  /** Waits until the status is as wanted, and returns it. */
  async until(what: string, wanted: (status: StatusReport) => boolean): Promise<StatusReport> {
    try {
      return await eventually(what, async () => {
        const status = await this.status();
        return wanted(status) ? status : undefined;
      });
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.log}`);
    }
  }

  /** Waits until FreeSWITCH and all enabled connections are connected. */
  async ready(): Promise<void> {
    await this.until("all is connected", isReady);
  }

  /** Waits until it logs a line that matches. */
  async logs(pattern: RegExp): Promise<string> {
    return await eventually(
      `the log has ${pattern}; it has\n${this.log}`,
      () => this.#logged.find((line) => pattern.test(line)),
    );
  }

  /** Tells it to stop and returns its exit code. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    try {
      this.#process.kill(signal);
    } catch {
      // It has ended already.
    }
    const { code } = await this.#exit;
    await this.#logEnd;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
    await this.#process.stdout.cancel();
    await Deno.remove(this.#folder, { recursive: true });
  }

  #spawn(): Deno.ChildProcess {
    const { wrap = [], args = [] } = this.#options;
    return fsmqttWithin(wrap.map((word) => word.replaceAll("{folder}", this.#folder)), [
      "run",
      "--config",
      this.configFile,
      "--control",
      this.control,
      ...args,
    ]).spawn();
  }

  async #answers(): Promise<void> {
    let ended = false;
    this.#exit.then(() => ended = true);
    await eventually("the agent answers", () => {
      if (ended) throw new Error(`the agent ended:\n${this.log}`);
      return this.#askStatus();
    });
  }

  async #askStatus(): Promise<StatusReport | undefined> {
    const reply = await ask(this.control, { do: "status" });
    return reply.kind === "status" ? reply.status : undefined;
  }

  async #readLog(): Promise<void> {
    const lines = this.#process.stderr
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) this.#logged.push(line);
  }
}
