/**
 * `fsmqtt completion`
 *
 * @module
 */

import { findControlSocket } from "../config/paths.ts";
import { ask } from "../control/client.ts";
import { PART_KINDS } from "../control/protocol.ts";
import type { ProfileStatus } from "../control/status.ts";
import { ExitCode } from "../exit_code.ts";
import { type Command, type CommandGroup, noWords, type Output, UsageError } from "./command.ts";
import { bashCompletion } from "./completion/bash.ts";
import { fishCompletion } from "./completion/fish.ts";
import { zshCompletion } from "./completion/zsh.ts";

/** What writes the script of each shell. */
const SHELLS: ReadonlyMap<string, (commands: readonly Command[]) => string> = new Map([
  ["bash", bashCompletion],
  ["zsh", zshCompletion],
  ["fish", fishCompletion],
]);

/** Whoever presses Tab does not wait for an agent that is stuck. */
const ANSWER_TIMEOUT_MS = 2_000;

/** Makes the subcommand that prints what a shell needs to complete all of them. */
export function completionOf(groups: () => readonly CommandGroup[]): Command {
  return {
    name: "completion",
    words: [...SHELLS.keys()].join("|"),
    places: [[...SHELLS.keys()]],
    summary: "Prints a script that completes command lines in a shell.",
    options: {},
    async run([word, ...more], _options, output) {
      if (word === "names") return await printNames(more, output);
      noWords("completion", more);
      const script = SHELLS.get(word ?? "");
      if (script === undefined) {
        throw new UsageError(
          word === undefined
            ? "fsmqtt completion: the shell is missing"
            : `fsmqtt completion: there is no shell "${word}"`,
        );
      }
      output.out(script(groups().flatMap(({ commands }) => commands)));
      return ExitCode.OK;
    },
  };
}

/**
 * What the scripts ask for: the profiles of the running agent, or the parts of a kind in a profile,
 * a name a line. Whoever presses Tab gets no message: without an agent there are no names. An empty
 * socket is the usual one.
 */
async function printNames(
  [socket, profile, kind]: readonly string[],
  output: Output,
): Promise<number> {
  const reply = await ask(socket || findControlSocket(), { do: "status" }, ANSWER_TIMEOUT_MS);
  if (reply.kind !== "status") return ExitCode.UNAVAILABLE;
  const { profiles } = reply.status;
  const found = profile === undefined
    ? profiles
    : profiles.filter(({ name }) => name === profile).flatMap((one) => partsOf(one, kind));
  // A name that would not stay on its line cannot be completed.
  const names = found.map(({ name }) => name).filter((name) => !/\p{Cc}/u.test(name));
  if (names.length > 0) output.out(names.join("\n"));
  return ExitCode.OK;
}

function partsOf(profile: ProfileStatus, kind: string | undefined): readonly { name: string }[] {
  const known = PART_KINDS.find((each) => each === kind);
  return known === undefined ? [] : profile[`${known}s`];
}
