/**
 * An agent as the process that serves it sees it, wherever it runs.
 *
 * @module
 */

import type { Loaded } from "../agent/agent.ts";
import type { Config } from "../config/config.ts";
import type { ControlReply, ControlRequest } from "../control/protocol.ts";
import { ExitCode } from "../exit_code.ts";

/** What an agent is started with. */
export interface ServedAgentOptions {
  /** The configuration, its paths absolute. */
  readonly config: Config;
  /** What is to be known of it. */
  readonly warnings: readonly string[];
  /** Loads it again. */
  readonly load: () => Loaded;
}

/** A running agent. */
export interface ServedAgent {
  /** Resolves with the reason if it has died; nothing more comes of it then. */
  readonly died: Promise<string>;
  /** Does what a control request asks for, a reload among them. */
  handle(request: ControlRequest): Promise<ControlReply>;
  /** Opens the log files anew. */
  reopenLogs(): void;
  /** Resolves as soon as the loop that moves events comes round. */
  ping(): Promise<void>;
  /** How long its end waits for the brokers at most, in milliseconds. */
  readonly shutdownTimeoutMs: number;
  /** Ends it in order. */
  stop(): Promise<void>;
}

/** The answer while there is no agent yet. */
export const starting: ControlReply = {
  kind: "failed",
  error: "The agent is starting",
  exitCode: ExitCode.UNAVAILABLE,
};

/** An agent could not be started. */
export class StartError extends Error {
  /** Its name, for logs. */
  override readonly name: string = "StartError";
  /** Whether a permission of the system is missing. */
  readonly isDenied: boolean;

  /** The message says why. */
  constructor(message: string, isDenied: boolean) {
    super(message);
    this.isDenied = isDenied;
  }
}
