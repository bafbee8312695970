/**
 * Asks a running agent over its control socket.
 *
 * @module
 */

import { ExitCode } from "../exit_code.ts";
import { CONTROL_PATH, type ControlReply, type ControlRequest } from "./protocol.ts";

/**
 * Sends a request and returns the agent's reply. That there is no agent, or that it may not be
 * asked, is a reply too.
 */
export async function ask(path: string, request: ControlRequest): Promise<ControlReply> {
  const unreachable = await probe(path);
  if (unreachable !== undefined) return unreachable;
  const client = Deno.createHttpClient({ proxy: { transport: "unix", path } });
  try {
    const response = await fetch(`http://fsmqtt${CONTROL_PATH}`, {
      client,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request),
    });
    return await response.json();
  } catch (error) {
    return {
      kind: "failed",
      error: `The agent did not answer on ${path}: ${(error as Error).message}`,
      exitCode: ExitCode.UNAVAILABLE,
    };
  } finally {
    client.close();
  }
}

/** Why nobody can be asked, with the remedy; `fetch` would only say that it failed. */
async function probe(path: string): Promise<ControlReply | undefined> {
  try {
    const connection = await Deno.connect({ transport: "unix", path });
    connection.close();
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) {
      return {
        kind: "failed",
        error: `Not permitted to use ${path}: run as the agent's user, or set control-group`,
        exitCode: ExitCode.NOT_PERMITTED,
      };
    }
    return {
      kind: "failed",
      error: `No agent is running on ${path}: start one with \`fsmqtt run\`, ` +
        "or name its socket with --control",
      exitCode: ExitCode.UNAVAILABLE,
    };
  }
}
