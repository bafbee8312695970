/**
 * With which flags Deno runs fsmqtt. They are written once, in the task `fsmqtt` of deno.json.
 *
 * @module
 */

import manifest from "../../deno.json" with { type: "json" };

/** What a thread with permissions of its own needs; in the repository deno.json says it. */
export const WORKER_OPTIONS = "--unstable-worker-options";

/** The flags between `deno run` and the main module. */
export const TASK_FLAGS: readonly string[] = flagsOf(manifest.tasks.fsmqtt.command);

/**
 * The flags of the bundle. It needs no other file and looks for none, it asks nobody at a terminal,
 * and it downloads nothing.
 */
export const BUNDLE_FLAGS: readonly string[] = [
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--no-npm",
  WORKER_OPTIONS,
  ...TASK_FLAGS,
];

/** {@linkcode BUNDLE_FLAGS} for the bundle's first line, of which the kernel reads 255 bytes. */
export const SHORT_FLAGS: readonly string[] = BUNDLE_FLAGS.map((flag) =>
  flag.replace(
    /^--allow-(net|read|write|env|sys)/,
    (_, name: string) => `-${name[0]?.toUpperCase()}`,
  )
);

/** What has to be in the environment: else Deno asks its maker once a day for a later version. */
export const BUNDLE_ENVIRONMENT = "DENO_NO_UPDATE_CHECK=1";

/** The oldest Deno that runs fsmqtt. */
export const OLDEST_DENO = "2.9";

function flagsOf(command: string): string[] {
  const [, flags] = /^deno run (.+) main\.ts$/.exec(command) ?? [];
  if (flags === undefined) throw new Error(`The task fsmqtt is not as expected: ${command}`);
  return flags.split(" ").filter((flag) => flag !== WORKER_OPTIONS);
}
