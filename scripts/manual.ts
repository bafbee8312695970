/**
 * Writes the manual page fsmqtt(1) in roff, made from the tables in the code (man(7)).
 *
 * @module
 */

import type { Command, Option } from "../lib/cli/command.ts";
import { commandGroups } from "../lib/cli/commands.ts";
import { CONFIG_PLACES } from "../lib/config/find.ts";
import { EXIT_CODE_MEANINGS } from "../lib/exit_code.ts";
import { VERSION } from "../lib/version.ts";
import { Usage } from "./usage.ts";

/** A term and what it means. */
type Entry = readonly [term: string, meaning: string];

const [OWN_PLACE, ...FREESWITCH_PLACES] = CONFIG_PLACES;

const DESCRIPTION = [
  "fsmqtt publishes the events of a FreeSWITCH to MQTT brokers and takes `bgapi` and `originate` " +
  "commands back from them. It runs beside FreeSWITCH, which it reaches over the event socket, and " +
  "reads the `mosquitto.conf.xml` of the module mod_mosquitto.",
  "`fsmqtt run` is the agent. The other commands check its configuration, or steer the agent that " +
  "runs, over its control socket. Data goes to standard output, messages to standard error.",
];

const COMMANDS = "Each of them has `--help` besides.";

const FILES: readonly Entry[] = [
  [OWN_PLACE, "The configuration that the service reads."],
  ...FREESWITCH_PLACES.map((place): Entry => [
    place,
    "The configuration of mod_mosquitto, which can be used where it is.",
  ]),
  ["/etc/default/fsmqtt", "`FSMQTT_CONFIG` in it names the configuration of the service."],
  [
    "/run/fsmqtt/control.sock",
    "The control socket, unless `control-socket` names another. Without the rights for it, " +
    "`$XDG_RUNTIME_DIR/fsmqtt/control.sock`.",
  ],
  [
    "/var/lib/fsmqtt",
    "What outlives a restart, spools among it, unless `state-dir` names another folder. Without " +
    "the rights for it, `$XDG_STATE_HOME/fsmqtt` or `~/.local/state/fsmqtt`.",
  ],
  [
    "/var/log/freeswitch, /var/log/fsmqtt",
    "The log, if `log-enable` is set, unless `log-dir` names another folder: FreeSWITCH's own " +
    "where there is one.",
  ],
];

const SIGNALS: readonly Entry[] = [
  [
    "SIGTERM, SIGINT",
    "End the agent. What is queued may still be delivered, for `shutdown-timeout` at most.",
  ],
  [
    "SIGHUP",
    "Takes up the configuration anew, unless it has errors, and opens the log files anew.",
  ],
];

const ENVIRONMENT: readonly Entry[] = [
  ["XDG_RUNTIME_DIR, XDG_STATE_HOME, HOME", "See FILES."],
  ["CREDENTIALS_DIRECTORY", "Where a secret's file is looked up whose name has no folder."],
  [
    "NOTIFY_SOCKET, WATCHDOG_USEC",
    "Set by systemd, which is told that the agent is ready, and that it still works.",
  ],
  ["TERM", "Where it is `dumb`, `status --watch` writes one block after another."],
];

const EXAMPLES: readonly Entry[] = [
  ["fsmqtt check", "What is wrong with the configuration, by line and column."],
  [`fsmqtt run --config ${OWN_PLACE}`, "Runs until Ctrl-C."],
  ["fsmqtt status --brief", "One line for a monitoring system, and an exit code."],
  ["fsmqtt status --watch", "What moves, and how fast."],
  ["fsmqtt disconnect profile pbx connection broker", "Its events wait meanwhile."],
  ["fsmqtt bgapi show channels", "Waits for the job and prints its result."],
  ["source <(fsmqtt completion bash)", "From now on Tab completes what follows `fsmqtt`."],
];

const SEE_ALSO = [
  "systemctl(1), mosquitto_sub(1), mosquitto(8)",
  "The parameters of the configuration are in docs/reference.md of fsmqtt.",
];

/** The whole page. */
export function manual(): string {
  return [
    `.TH FSMQTT 1 "" ${argument(`fsmqtt ${VERSION}`)} "User Commands"`,
    // Paths are too long to be set flush.
    ".ad l",
    ...chapter("NAME", [
      String.raw`fsmqtt \- FreeSWITCH events to MQTT brokers, and commands back`,
    ]),
    ...chapter("SYNOPSIS", [".B fsmqtt", ".I COMMAND", String.raw`[\fIOPTION\fR\[u2026]]`]),
    ...chapter("DESCRIPTION", DESCRIPTION.flatMap((text) => [".PP", prose(text)])),
    ...chapter("COMMANDS", [prose(COMMANDS), ...commandGroups.flatMap(groupText)]),
    ...chapter("FILES", FILES.flatMap(entryText)),
    ...chapter("EXIT STATUS", Object.entries(EXIT_CODE_MEANINGS).flatMap(entryText)),
    ...chapter("SIGNALS", SIGNALS.flatMap(entryText)),
    ...chapter("ENVIRONMENT", ENVIRONMENT.flatMap(entryText)),
    ...chapter("EXAMPLES", EXAMPLES.flatMap(entryText)),
    ...chapter("SEE ALSO", SEE_ALSO.flatMap((text) => [".PP", prose(text)])),
  ].join("\n") + "\n";
}

function chapter(title: string, lines: readonly string[]): string[] {
  // A paragraph begins with its chapter anyway.
  return [`.SH ${argument(title)}`, ...(lines[0] === ".PP" ? lines.slice(1) : lines)];
}

function groupText({ title, commands }: typeof commandGroups[number]): string[] {
  return [`.SS ${argument(title)}`, ...commands.flatMap(commandText)];
}

function commandText(command: Command): string[] {
  const { name, words, summary, options } = command;
  const entries = Object.entries(options).flatMap(optionText);
  return [
    ".TP",
    `.B ${escaped(`fsmqtt ${name}`)}${words === "" ? "" : String.raw` \fI${escaped(words)}\fR`}`,
    prose(summary),
    ...(entries.length === 0 ? [] : [".RS", ...entries, ".RE"]),
  ];
}

function optionText([name, { value, required, help }]: readonly [string, Option]): string[] {
  const placeholder = value === undefined ? "" : String.raw` \fI${escaped(value)}\fR`;
  return [
    ".TP",
    String.raw`\fB${escaped(`--${name}`)}\fR${placeholder}`,
    prose(required === true ? `${help} It has to be given.` : help),
  ];
}

function entryText([term, meaning]: Entry): string[] {
  return [".TP", `.B ${escaped(term)}`, prose(meaning)];
}

/** Text in which `` `…` `` is bold. */
function prose(text: string): string {
  const parts = text.split("`");
  const line = parts.map((part, i) => i % 2 === 0 ? escaped(part) : `\\fB${escaped(part)}\\fR`);
  return line.join("");
}

/** Text that means nothing to roff: a hyphen stays one that can be copied. */
function escaped(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("'", "\\(aq")
    .replaceAll("^", "\\(ha").replaceAll("~", "\\(ti").replaceAll("`", "\\(ga")
    .replace(
      /\P{ASCII}/gu,
      (c) => `\\[u${c.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}]`,
    );
}

/** Text as one argument of a macro. */
function argument(text: string): string {
  return `"${escaped(text).replaceAll('"', "\\(dq")}"`;
}

if (import.meta.main) {
  const usage = new Usage(`deno task manual [--output FILE]

  --output FILE  where it is written; standard output if it is left out`);
  const { output } = usage.read({ output: { type: "string" } });
  if (output === undefined) console.log(manual().trimEnd());
  else await Deno.writeTextFile(output, manual());
}
