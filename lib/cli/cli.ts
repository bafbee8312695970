/**
 * The command line of fsmqtt.
 *
 * @module
 */

import type { Output } from "./command.ts";
import { commandGroups } from "./commands.ts";
import { dispatch } from "./dispatch.ts";
import { openView } from "./view.ts";

/** Standard output and standard error. */
export const terminal: Output = {
  out: (text) => writeLine(Deno.stdout, text),
  err: (text) => writeLine(Deno.stderr, text),
  view: () => openView(),
};

/** Runs what the arguments say and returns the exit code. */
export function main(args: readonly string[], output: Output = terminal): Promise<number> {
  return dispatch(commandGroups, args, output);
}

function writeLine(to: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  const bytes = new TextEncoder().encode(text.endsWith("\n") ? text : text + "\n");
  try {
    for (let at = 0; at < bytes.length;) at += to.writeSync(bytes.subarray(at));
  } catch (error) {
    // `fsmqtt events | head` closes its end early.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
