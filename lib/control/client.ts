/**
 * Asks a running agent over its control socket.
 *
 * @module
 */

import { request as httpRequest } from "node:http";
import { text } from "node:stream/consumers";
import { ExitCode } from "../exit_code.ts";
import { CONTROL_PATH, type ControlReply, type ControlRequest, isReply } from "./protocol.ts";

/** An agent that is well answers at once; only a job of FreeSWITCH's may take its time. */
const ANSWER_TIMEOUT_MS = 10_000;

/**
 * Sends a request and returns the agent's reply. That there is no agent, that it may not be asked,
 * or that it does not answer in time is a reply too.
 */
export async function ask(
  path: string,
  request: ControlRequest,
  timeoutMs: number = ANSWER_TIMEOUT_MS,
): Promise<ControlReply> {
  const late = new AbortController();
  const giveUp = () => late.abort(new DOMException("", "TimeoutError"));
  const timer = request.do === "bgapi" ? undefined : setTimeout(giveUp, timeoutMs);
  try {
    const reply: unknown = JSON.parse(await post(path, JSON.stringify(request), late.signal));
    return isReply(reply) ? reply : unavailable(`What answers on ${path} is no agent of fsmqtt`);
  } catch (error) {
    return unanswered(path, error as Error & { code?: string });
  } finally {
    clearTimeout(timer);
  }
}

function post(socketPath: string, body: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => request.destroy(signal.reason), { once: true });
    const headers = {
      "content-type": "application/json",
      "content-length": new TextEncoder().encode(body).length,
    };
    const options = { socketPath, path: CONTROL_PATH, method: "POST", headers, agent: false };
    const request = httpRequest(options, (response) => text(response).then(resolve, reject))
      .on("error", reject)
      .end(body);
  });
}

/** Why there is no answer, with the remedy. */
function unanswered(
  path: string,
  { name, code, message }: Error & { code?: string },
): ControlReply {
  if (name === "TimeoutError") {
    return unavailable(`The agent on ${path} does not answer: it is stuck, or stopped`);
  }
  switch (code) {
    case "EACCES":
    case "EPERM":
      return {
        kind: "failed",
        error: `Not permitted to use ${path}: run as the agent's user, or set control-group`,
        exitCode: ExitCode.NOT_PERMITTED,
      };
    case "ENOENT":
    case "ECONNREFUSED":
      return unavailable(
        `No agent is running on ${path}: start one with \`fsmqtt run\`, ` +
          "or name its socket with --control",
      );
    case "ECONNRESET":
      return unavailable(`The agent on ${path} went away before it answered`);
    default:
      return unavailable(`The agent did not answer on ${path}: ${message}`);
  }
}

function unavailable(error: string): ControlReply {
  return { kind: "failed", error, exitCode: ExitCode.UNAVAILABLE };
}
