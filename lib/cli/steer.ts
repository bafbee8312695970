/**
 * The subcommands that steer a running agent, with mod_mosquitto's words.
 *
 * @module
 */

import { findControlSocket } from "../config/paths.ts";
import { ask } from "../control/client.ts";
import { type ControlRequest, PART_KINDS, type SwitchAction } from "../control/protocol.ts";
import { ExitCode } from "../exit_code.ts";
import { LOG_LEVELS, parseLogLevel } from "../log/levels.ts";
import {
  type Command,
  type GivenOptions,
  noWords,
  type Option,
  optionText,
  type Output,
  UsageError,
} from "./command.ts";

/** The option that all of them have. */
export const controlOption: Readonly<Record<"control", Option>> = {
  control: { value: "SOCKET", help: "The agent's control socket, if it is not the usual one." },
};

/** The control socket to ask on. */
export function controlSocket(options: GivenOptions): string {
  return optionText(options, "control") ?? findControlSocket();
}

/** Shows or sets the log level. */
export const loglevel: Command = {
  name: "loglevel",
  words: `[${LOG_LEVELS.toReversed().join("|")}]`,
  places: [LOG_LEVELS.toReversed()],
  summary: "Shows the agent's log level, or sets it until the next reload.",
  options: controlOption,
  run([word, ...more], options, output) {
    noWords("loglevel", more);
    if (word === undefined) return perform({ do: "loglevel" }, options, output);
    const level = parseLogLevel(word);
    if (level === undefined) throw new UsageError(`fsmqtt loglevel: there is no level "${word}"`);
    return perform({ do: "loglevel", level }, options, output);
  },
};

/** Switches a profile or a part of it on. */
export const enable: Command = switching("enable", "Switches a profile, or a part of it, on.");
/** Switches a profile or a part of it off. */
export const disable: Command = switching("disable", "Switches a profile, or a part of it, off.");
/** Forgets a profile or a part of it. */
export const remove: Command = switching(
  "remove",
  "Forgets a profile, or a part of it, until the next reload.",
);

/** Connects a connection. */
export const connect: Command = connecting(
  "connect",
  "Connects a connection that was told to disconnect.",
);
/** Disconnects a connection. */
export const disconnect: Command = connecting(
  "disconnect",
  "Disconnects a connection. Its events wait in the queue.",
);

/** Runs an API command in FreeSWITCH. */
export const bgapi: Command = {
  name: "bgapi",
  words: "COMMAND [ARG…]",
  summary: "Runs an API command in FreeSWITCH and prints its result.",
  options: controlOption,
  verbatim: true,
  run(words, options, output) {
    const command = words.join(" ").trim();
    if (command === "") throw new UsageError("fsmqtt bgapi: the command is missing");
    return perform({ do: "bgapi", command }, options, output);
  },
};

/** Takes up the configuration anew. */
export const reload: Command = {
  name: "reload",
  words: "",
  summary: "Takes up the configuration anew. One with errors is refused.",
  options: controlOption,
  run(words, options, output) {
    noWords("reload", words);
    return perform({ do: "reload" }, options, output);
  },
};

function switching(action: SwitchAction, summary: string): Command {
  return {
    name: action,
    words: `profile PROFILE [${PART_KINDS.join("|")} NAME]`,
    places: [["profile"], "profile", PART_KINDS, "part"],
    summary,
    options: controlOption,
    run(words, options, output) {
      const [profile, rest] = profileOf(action, words);
      if (rest.length === 0) return perform({ do: action, profile }, options, output);
      const [word, name, ...more] = rest;
      const kind = PART_KINDS.find((known) => known === word);
      if (kind === undefined) {
        throw new UsageError(
          `fsmqtt ${action}: expected ${PART_KINDS.join(", ")} after the profile, not "${word}"`,
        );
      }
      if (name === undefined) {
        throw new UsageError(`fsmqtt ${action}: the ${kind}'s name is missing`);
      }
      noWords(action, more);
      return perform({ do: action, profile, part: { kind, name } }, options, output);
    },
  };
}

function connecting(action: "connect" | "disconnect", summary: string): Command {
  return {
    name: action,
    words: "profile PROFILE connection NAME",
    places: [["profile"], "profile", ["connection"], "part"],
    summary,
    options: controlOption,
    run(words, options, output) {
      const [profile, [word, connection, ...more]] = profileOf(action, words);
      if (word !== "connection" || connection === undefined) {
        throw new UsageError(`fsmqtt ${action}: expected \`connection NAME\` after the profile`);
      }
      noWords(action, more);
      return perform({ do: action, profile, connection }, options, output);
    },
  };
}

function profileOf(action: string, words: readonly string[]): [string, readonly string[]] {
  const [word, profile, ...rest] = words;
  if (word !== "profile" || profile === undefined) {
    throw new UsageError(`fsmqtt ${action}: expected \`profile PROFILE\` first`);
  }
  return [profile, rest];
}

async function perform(
  request: ControlRequest,
  options: GivenOptions,
  output: Output,
): Promise<number> {
  const reply = await ask(controlSocket(options), request);
  switch (reply.kind) {
    case "done":
      output.out(reply.text);
      return ExitCode.OK;
    case "failed":
      output.err(reply.error);
      return reply.exitCode;
    case "status":
      throw new Error("The agent answers with a status that nobody asked for");
  }
}
