/**
 * `fsmqtt status`
 *
 * @module
 */

import { ask } from "../control/client.ts";
import { troubles } from "../control/status.ts";
import { ExitCode } from "../exit_code.ts";
import { type Command, noWords } from "./command.ts";
import { statusText } from "./status_text.ts";
import { controlOption, controlSocket } from "./steer.ts";

/** Shows how the running agent is. */
export const status: Command = {
  name: "status",
  words: "",
  summary: "Shows how the agent is. Exit code 1 says that it is degraded.",
  options: {
    ...controlOption,
    json: { help: "Prints it as JSON." },
  },
  async run(words, options, output) {
    noWords("status", words);
    const reply = await ask(controlSocket(options), { do: "status" });
    if (reply.kind !== "status") {
      output.err(reply.kind === "failed" ? reply.error : reply.text);
      return reply.kind === "failed" ? reply.exitCode : ExitCode.FAILED;
    }
    const { status } = reply;
    output.out(
      options["json"] === true ? JSON.stringify(status, undefined, 2) : statusText(status),
    );
    return troubles(status).length === 0 ? ExitCode.OK : ExitCode.FAILED;
  },
};
