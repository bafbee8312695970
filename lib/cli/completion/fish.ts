/**
 * What fish needs to complete the command line (fish's manual, `complete`).
 *
 * @module
 */

import { type Command, type Option, optionsOf, type Place } from "../command.ts";
import { isFile, namesOf, optionsWithValue, quoted } from "./table.ts";

/** A script for fish 3 or later. */
export function fishCompletion(commands: readonly Command[]): string {
  const withValue = optionsWithValue(commands).map(([name]) => `--${name}`).join(" ");
  return `# fish completion of fsmqtt: fsmqtt completion fish | source

# The command and its words before the cursor.
function __fsmqtt_words
    set -l tokens (commandline -opc)
    set -l option
    for token in $tokens[2..]
        if set -q option[1]
            set -e option
        else
            switch $token
                case ${withValue}
                    set option $token
                case '-*'
                case '*'
                    printf '%s\\n' $token
            end
        end
    end
end

# Whether a word of a command is being written: of any place, or of this one.
function __fsmqtt_at -a command place
    set -l words (__fsmqtt_words)
    test "$words[1]" = $command; and test -z "$place" -o (count $words) = "$place"
end

# Asks the running agent for names: of profiles, or of a kind of parts of a profile.
function __fsmqtt_names -a what
    set -l tokens (commandline -opc)
    set -l words (__fsmqtt_words)
    set -l control ''
    if set -l i (contains -i -- --control $tokens)
        set control $tokens[(math $i + 1)]
    else if set -l given (string replace -f -- '--control=' '' $tokens)
        set control $given[1]
    end
    set -l asked
    test "$what" = part; and set asked $words[3] $words[4]
    $tokens[1] completion names -- "$control" $asked 2>/dev/null
end

complete -c fsmqtt -f
complete -c fsmqtt -n '__fsmqtt_at ""' -l help -d 'Shows all commands.'
complete -c fsmqtt -n '__fsmqtt_at ""' -l version -d 'Prints the version.'
${commands.flatMap((command) => [...forCommand(command, namesOf(commands))]).join("\n")}
`;
}

function* forCommand(command: Command, commands: readonly string[]): Generator<string> {
  const { name, summary, places = [], verbatim } = command;
  yield `complete -c fsmqtt -n '__fsmqtt_at ""' -a ${name} -d ${quoted(summary)}`;
  // After the first word of a command that takes all as it is, nothing is an option.
  const at = verbatim === true ? `'__fsmqtt_at ${name} 1'` : `'__fsmqtt_at ${name}'`;
  for (const [option, what] of optionsOf(command)) {
    const text = [`-l ${option}`, ...takes(what), `-d ${quoted(what.help)}`].join(" ");
    yield `complete -c fsmqtt -n ${at} ${text}`;
  }
  for (const [i, place] of places.entries()) {
    const words = quoted(wordsAt(place, commands));
    yield `complete -c fsmqtt -n '__fsmqtt_at ${name} ${i + 1}' -a ${words}`;
  }
}

function takes(option: Option): string[] {
  if (option.value === undefined) return [];
  return isFile(option) ? ["-r", "-F"] : ["-x"];
}

function wordsAt(place: Place, commands: readonly string[]): string {
  if (typeof place !== "string") return place.join(" ");
  return place === "command" ? commands.join(" ") : `(__fsmqtt_names ${place})`;
}
