/**
 * What zsh needs to complete the command line (zshcompsys(1), `_arguments`).
 *
 * @module
 */

import { type Command, type Option, optionsOf, type Place } from "../command.ts";
import { isFile, namesOf, quoted } from "./table.ts";

/** A script for zsh 5 or later: a file `_fsmqtt` in a folder of `fpath`, or sourced. */
export function zshCompletion(commands: readonly Command[]): string {
  const described = commands.map(({ name, summary }) =>
    `        ${quoted(`${name}:${summary.replaceAll(":", "\\:")}`)}`
  );
  return `#compdef fsmqtt
# zsh completion of fsmqtt: source <(fsmqtt completion zsh)

# Asks the running agent for names: of profiles, or of a kind of parts of a profile.
_fsmqtt_names() {
  local -a asked names
  if [[ $1 == part ]]; then asked=("\${(Q)line[2]}" "\${(Q)line[3]}"); fi
  names=(\${(f)"$("$program" completion names -- "\${(Q)opt_args[--control]}" $asked 2>/dev/null)"})
  compadd -a names
}

_fsmqtt() {
  local program=\${(Q)words[1]} state line
  typeset -A opt_args
  _arguments -C '(- *)--help[Shows all commands.]' '(- *)--version[Prints the version.]' \\
    '1:command:->command' '*::word:->word' && return

  case $state in
    command)
      local -a commands=(
${described.join("\n")}
      )
      _describe -t commands command commands
      ;;
    word)
      case $line[1] in
${commands.map((command) => forCommand(command, namesOf(commands))).join("\n")}
      esac
      ;;
  esac
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _fsmqtt "$@"
else
  compdef _fsmqtt fsmqtt
fi
`;
}

function forCommand(command: Command, commands: readonly string[]): string {
  const { name, places = [] } = command;
  const specs = [
    ...optionsOf(command).map(([option, what]) => quoted(optionSpec(option, what))),
    ...places.map((place, i) => quoted(`${i + 1}:${titleOf(place)}:${action(place, commands)}`)),
  ];
  // Beyond the places nothing is offered, options neither: all that follows `bgapi show` is its own.
  const lines = [`        ${name}) _arguments`, ...specs];
  return `${lines.join(" \\\n            ")} ;;`;
}

function optionSpec(name: string, option: Option): string {
  const help = option.help.replace(/[[\]\\]/g, "\\$&");
  if (option.value === undefined) return `--${name}[${help}]`;
  const value = option.value.replaceAll(":", "\\:");
  return `--${name}=[${help}]:${value}:${isFile(option) ? "_files" : " "}`;
}

function titleOf(place: Place): string {
  return typeof place === "string" ? place : "word";
}

function action(place: Place, commands: readonly string[]): string {
  if (typeof place !== "string") return `(${place.join(" ")})`;
  return place === "command" ? `(${commands.join(" ")})` : ` _fsmqtt_names ${place}`;
}
