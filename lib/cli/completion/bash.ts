/**
 * What bash needs to complete the command line (bash(1), "Programmable Completion").
 *
 * @module
 */

import { type Command, optionsOf, type Place } from "../command.ts";
import { isFile, namesOf, optionsWithValue } from "./table.ts";

/** A script for bash 4.4 or later; the package bash-completion need not be there. */
export function bashCompletion(commands: readonly Command[]): string {
  const withValue = optionsWithValue(commands);
  const files = withValue.filter(([, option]) => isFile(option));
  return `# bash completion of fsmqtt: source <(fsmqtt completion bash)

_fsmqtt_offer() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")
}

# Asks the running agent for names.
_fsmqtt_names() {
  local name
  while IFS= read -r name; do
    if [[ $name == "$current"* ]]; then COMPREPLY+=("$(printf %q "$name")"); fi
  done < <("$program" completion names -- "$control" "$@" 2>/dev/null)
}

_fsmqtt() {
  local program=$1 current=\${COMP_WORDS[COMP_CWORD]} option="" options="" control="" word i
  local -a words=()
  COMPREPLY=()

  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]//\\\\/}
    if [[ -n $option ]]; then
      # Readline takes --config=FILE for three words.
      if [[ $word == = ]]; then continue; fi
      if [[ $option == --control ]]; then control=$word; fi
      option=""
    else
      case $word in
        ${cases(withValue.map(([name]) => name))}) option=$word ;;
        -*) ;;
        *) words+=("$word") ;;
      esac
    fi
  done

  if [[ -n $option ]]; then
    case $option in
      ${cases(files.map(([name]) => name))}) compopt -o default ;;
    esac
    return
  fi

  local command=\${words[0]-} place=$((\${#words[@]} - 1))
  case $command in
${commands.map(optionsCase).join("\n")}
    "") options="--help --version" ;;
  esac
  case $command:$place in
    :*) _fsmqtt_offer "${namesOf(commands).join(" ")}" ;;
${commands.flatMap((command) => placeCases(command, namesOf(commands))).join("\n")}
  esac
  if [[ \${#COMPREPLY[@]} == 0 ]]; then _fsmqtt_offer "$options"; fi
}

complete -F _fsmqtt fsmqtt
`;
}

function cases(names: readonly string[]): string {
  return names.map((name) => `--${name}`).join(" | ");
}

/** After the first word of a command that takes all as it is, nothing is an option. */
function optionsCase(command: Command): string {
  const { name, verbatim } = command;
  const options = optionsOf(command).map(([option]) => `--${option}`).join(" ");
  const condition = verbatim === true ? "if ((place == 0)); then " : "";
  return `    ${name}) ${condition}options="${options}"${condition === "" ? "" : "; fi"} ;;`;
}

function placeCases({ name, places = [] }: Command, commands: readonly string[]): string[] {
  return places.map((place, i) => `    ${name}:${i}) ${offer(place, commands)} ;;`);
}

function offer(place: Place, commands: readonly string[]): string {
  switch (place) {
    case "command":
      return `_fsmqtt_offer "${commands.join(" ")}"`;
    case "profile":
      return "_fsmqtt_names";
    case "part":
      return '_fsmqtt_names "${words[2]}" "${words[3]}"';
    default:
      return `_fsmqtt_offer "${place.join(" ")}"`;
  }
}
