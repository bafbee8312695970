/**
 * The commands as FreeSWITCH's console gives them.
 *
 * FreeSWITCH leaves what it starts a stack too small for this executable, so its console asks over
 * HTTP and is answered with what a terminal would show.
 *
 * @module
 */

import type { CommandGroup } from "./command.ts";
import { dispatch } from "./dispatch.ts";
import { status } from "./status.ts";
import { bgapi, connect, disable, disconnect, enable, loglevel, reload, remove } from "./steer.ts";

/** The commands that ask a running agent. */
export const steering: CommandGroup = {
  title: "Steer the running agent",
  commands: [status, loglevel, enable, disable, remove, connect, disconnect, bgapi, reload],
};

/** Runs a command of the agent that answers on this control socket; gives all that it prints. */
export async function answerConsole(words: readonly string[], control: string): Promise<string> {
  const printed: string[] = [];
  const print = (text: string) => printed.push(text);
  const [name = "help", ...rest] = words;
  const asks = steering.commands.some((command) => command.name === name);
  const args = name === "help"
    ? ["--help"]
    : [name, ...(asks ? ["--control", control] : []), ...rest];
  await dispatch([steering], args, { out: print, err: print });
  return printed.join("\n") + "\n";
}
