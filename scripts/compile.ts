/**
 * Makes the executable `dist/fsmqtt`, which needs no Deno, or one for another machine.
 *
 * @module
 */

import { makeBundle } from "./build/bundle.ts";
import { DIST_OPTION } from "./build/dist.ts";
import { building } from "./build/error.ts";
import { TARGETS } from "./build/executable.ts";
import { handOutExecutable } from "./build/executable_trial.ts";
import { Usage } from "./usage.ts";

const usage = new Usage(`deno task compile [--target TRIPLE] [--emulator COMMAND | --untested]
                  [--wait SECONDS] [--dist FOLDER]

  --target TRIPLE     for another machine: ${Object.keys(TARGETS).join(", ")}
  --emulator COMMAND  what starts the programs of that machine here: qemu-aarch64-static
                      (not needed where binfmt_misc knows it)
  --untested          hands out what nothing here can start, as fsmqtt-TRIPLE.untested
  --wait SECONDS      how long the download of Deno's runtime base may take (600)
  --dist FOLDER       where it goes (dist)

The runtime base is downloaded once, unless DENORT_BIN names one: the program in denort-TARGET.zip of
this release of Deno. The executable is started once
before it is handed out. Exit codes: 1 it does not work, 69 there is no runtime base, or nothing here
that can start it.`);
const values = usage.read({
  target: { type: "string", default: Deno.build.target },
  emulator: { type: "string" },
  untested: { type: "boolean", default: false },
  wait: { type: "string", default: "600" },
  dist: DIST_OPTION,
});
const { target, emulator, untested, dist } = values;
if (!(target in TARGETS)) {
  usage.refuse(`There is no target ${target}; there are ${Object.keys(TARGETS).join(" and ")}`);
}
const waitMs = 1000 * usage.number(values.wait, "wait");
const base = Deno.env.get("DENORT_BIN") || undefined;

await building(async () => {
  const { script } = await makeBundle();
  return [await handOutExecutable(script, dist, { target, base, waitMs, emulator, untested })];
});
