/**
 * Makes the bundle `dist/fsmqtt.js`: all of fsmqtt in one script, for machines that have Deno.
 *
 * @module
 */

import { makeBundle } from "./build/bundle.ts";
import { handOutBundle } from "./build/bundle_trial.ts";
import { DIST_OPTION } from "./build/dist.ts";
import { building } from "./build/error.ts";
import { Usage } from "./usage.ts";

const usage = new Usage(`deno task bundle [--dist FOLDER]

  --dist FOLDER  where fsmqtt.js goes (dist)

It is started once before it is handed out. Exit codes: 1 it does not work, 69 what it takes to
bundle cannot be downloaded.`);
const { dist } = usage.read({ dist: DIST_OPTION });

await building(async () => {
  const { script } = await makeBundle();
  return [await handOutBundle(script, dist)];
});
