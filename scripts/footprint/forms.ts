/**
 * What is measured: the forms of fsmqtt, and what they are compared with.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BuildError } from "../build/error.ts";
import { complaint, runDeno } from "../build/program.ts";
import {
  bundle,
  executable,
  fromScript,
  fromSource,
  type Program,
  RUN,
  source,
} from "../measure/programs.ts";

/** A form of fsmqtt, or what it is compared with. */
export interface Form extends Program {
  /** Its name. */
  readonly name: string;
  /** Its command line; `{port}`, `{config}` and `{control}` in it stand for those of a run. */
  readonly command: readonly string[];
  /** Whether it connects to the broker; without that there is no CONNACK to wait for. */
  readonly connects: boolean;
  /** Whether it is fsmqtt, and not what that is compared with. */
  readonly isFsmqtt: boolean;
}

/** A form that cannot be measured here. */
export interface MissingForm {
  /** Its name. */
  readonly name: string;
  /** Why not. */
  readonly missing: string;
}

/** The form that the memory of all others is compared with. */
export const REFERENCE = "MQTT.js alone";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BARE_CLIENT = fileURLToPath(new URL("bare_client.ts", import.meta.url));
const NOTHING = fileURLToPath(new URL("nothing.ts", import.meta.url));
const BUNDLE_LIMIT_MS = 300_000;

/**
 * The forms with one of these texts in their name, or all, in the order of the table; the reference
 * always. What has to be made for them goes into the folder.
 */
export async function makeForms(
  folder: string,
  wanted: readonly string[] = [],
): Promise<readonly (Form | MissingForm)[]> {
  const forms: (Form | MissingForm)[] = [];
  for (const { names, make, ...rest } of recipes(folder)) {
    const isWanted = (name: string) =>
      name === REFERENCE || wanted.length === 0 || wanted.some((text) => name.includes(text));
    const chosen = names.filter(([name]) => isWanted(name));
    if (chosen.length === 0) continue;
    const made = await program(make);
    for (const [name, more] of chosen) {
      forms.push(
        "missing" in made
          ? { name, ...made }
          : { name, ...rest, ...made, command: [...made.command, ...more] },
      );
    }
  }
  return forms;
}

/** How forms that are the same program are made. */
interface Recipe extends Pick<Form, "connects" | "isFsmqtt"> {
  /** Their names, each with what its command line has beside the others. */
  readonly names: readonly (readonly [string, readonly string[]])[];
  /** Makes the program. */
  readonly make: () => Promise<Program>;
}

function recipes(folder: string): readonly Recipe[] {
  const alone = (name: string, connects: boolean, make: Recipe["make"]) => ({
    names: [[name, connects ? ["{port}"] : []]] as const,
    connects,
    isFsmqtt: false,
    make,
  });
  const fsmqtt = (name: string, make: Recipe["make"]) => ({
    names: [[`${name}, confined`, RUN], [`${name}, unconfined`, [...RUN, "--unconfined"]]] as const,
    connects: true,
    isFsmqtt: true,
    make,
  });
  return [
    alone("Deno alone", false, () => fromSource(NOTHING, [])),
    alone(REFERENCE, true, () => fromSource(BARE_CLIENT, ["-A"])),
    alone(`${REFERENCE}, bundled`, true, () => bareBundle(folder)),
    fsmqtt("source", source),
    fsmqtt("bundle", () => bundle(folder)),
    fsmqtt("executable", executable),
  ];
}

async function program(make: Recipe["make"]): Promise<Program | Pick<MissingForm, "missing">> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    return { missing: error.message };
  }
}

async function bareBundle(folder: string): Promise<Program> {
  const path = join(folder, "bare_client.js");
  const ended = await runDeno(
    ["bundle", "--quiet", "--minify", "--platform", "deno", "--output", path, BARE_CLIENT],
    { cwd: ROOT, limitMs: BUNDLE_LIMIT_MS },
  );
  if (ended.code !== 0) throw new BuildError(`Cannot bundle: ${complaint(ended)}`);
  return await fromScript(path, ["-A", "--no-config"]);
}
