/**
 * Makes the Debian package `dist/fsmqtt_VERSION_all.deb` of the bundle, or one of the executable.
 *
 * @module
 */

import { VERSION } from "../lib/version.ts";
import { makeBundle } from "./build/bundle.ts";
import { debName, makeDeb } from "./build/deb.ts";
import { ARCHITECTURES, type Form } from "./build/debian.ts";
import { DIST_OPTION, handOut } from "./build/dist.ts";
import { building } from "./build/error.ts";
import { handOutBundle } from "./build/bundle_trial.ts";
import { handOutExecutable } from "./build/executable_trial.ts";
import { lastChange } from "./build/last_change.ts";
import { Usage } from "./usage.ts";

/** The runtime base of an executable is downloaded once. */
const DOWNLOAD_LIMIT_MS = 600_000;

const usage = new Usage(`deno task package [--form bundle|executable] [--target TRIPLE]
                  [--emulator COMMAND] [--version VERSION] [--dist FOLDER]

  --form F            what is packed: bundle, which needs Deno on the machine, or executable (bundle)
  --target TRIPLE     for another machine: ${Object.keys(ARCHITECTURES).join(", ")}
  --emulator COMMAND  what starts the programs of that machine here
  --version VERSION   the package's version (${VERSION})
  --dist FOLDER       where it goes, and what is packed (dist)

The form is made first, and started once. DEBFULLNAME and DEBEMAIL name the maintainer,
SOURCE_DATE_EPOCH the time of the sources, which is that of the last commit otherwise. Exit codes:
1 it does not work, 69 there is no dpkg-deb, or what the form takes cannot be had.`);
const values = usage.read({
  form: { type: "string", default: "bundle" },
  target: { type: "string", default: Deno.build.target },
  emulator: { type: "string" },
  version: { type: "string", default: VERSION },
  dist: DIST_OPTION,
});
const { form: kind, target, emulator, version, dist } = values;
const architecture = ARCHITECTURES[target] ?? usage.refuse(`There is no target ${target}`);
if (kind !== "bundle" && kind !== "executable") usage.refuse(`There is no form ${kind}`);
if (!/^\d[A-Za-z0-9.+~]*$/.test(version)) usage.refuse(`${version} is no version of a package`);

await building(async () => {
  const { script, notices } = await makeBundle();
  const form = kind === "bundle" ? await bundleForm(script) : await executableForm(script);
  const name = Deno.env.get("DEBFULLNAME") || "The fsmqtt maintainers";
  const address = Deno.env.get("DEBEMAIL") || "fsmqtt@localhost";
  const facts = { version, maintainer: `${name} <${address}>`, date: await lastChange(), notices };
  const make = (path: string) => makeDeb(form, facts, path);
  return [form.file, await handOut(dist, debName(form, facts), make)];
});

async function bundleForm(script: string): Promise<Form> {
  return { kind: "bundle", file: await handOutBundle(script, dist) };
}

async function executableForm(script: string): Promise<Form> {
  const base = Deno.env.get("DENORT_BIN") || undefined;
  const options = { target, base, waitMs: DOWNLOAD_LIMIT_MS, emulator, untested: false };
  const file = await handOutExecutable(script, dist, options);
  return { kind: "executable", architecture, file };
}
