/**
 * Makes the executable `dist/fsmqtt`. `--target TRIPLE` makes one for another machine, and
 * `DENORT_BIN` names the runtime base where it cannot be downloaded.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { ExitCode } from "../lib/exit_code.ts";

/**
 * What the executable may do. Running programs is not among it; foreign code is, for OpenSSL where a
 * connection asks for what Deno's TLS cannot do.
 */
const PERMISSIONS = [
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys=hostname,uid,gid,statfs",
  "--allow-ffi",
];

/** Modules that are started as workers, which no import names. */
const WORKERS = ["lib/queue/spool/worker.ts"];

const { values: { target } } = parseArgs({ options: { target: { type: "string" } } });
const output = target === undefined ? "dist/fsmqtt" : `dist/fsmqtt-${target}`;
const command = new Deno.Command(Deno.execPath(), {
  args: [
    "compile",
    "--no-prompt",
    ...PERMISSIONS,
    ...WORKERS.map((path) => `--include=${path}`),
    ...(target === undefined ? [] : ["--target", target]),
    "--output",
    output,
    "main.ts",
  ],
  stdout: "inherit",
  stderr: "piped",
});
const { success, stderr } = await command.output();
if (success) {
  console.log(output);
} else {
  const message = new TextDecoder().decode(stderr).trim();
  const noBase = /denort|download/i.test(message);
  console.error(
    noBase
      ? "Cannot compile: the runtime base denort cannot be downloaded; name a local one in DENORT_BIN"
      : message,
  );
  Deno.exit(noBase ? ExitCode.UNAVAILABLE : ExitCode.FAILED);
}
