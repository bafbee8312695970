/**
 * What is measured: the forms of fsmqtt, and what they are compared with.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeBundle } from "../build/bundle.ts";
import { DIST } from "../build/dist.ts";
import { BuildError } from "../build/error.ts";
import { BUNDLE_FLAGS, TASK_FLAGS, WORKER_OPTIONS } from "../build/flags.ts";
import { complaint, runDeno } from "../build/program.ts";

/** A form of fsmqtt, or what it is compared with. */
export interface Form {
  /** Its name. */
  readonly name: string;
  /** Its command line; `{port}`, `{config}` and `{control}` in it stand for those of a run. */
  readonly command: readonly string[];
  /** Whether it connects to the broker; without that there is no CONNACK to wait for. */
  readonly connects: boolean;
  /** Whether it is fsmqtt, and not what that is compared with. */
  readonly isFsmqtt: boolean;
  /** What it takes on disk, in bytes, without Deno. */
  readonly programBytes: number;
  /** What it takes on disk, in bytes, with all that it needs. */
  readonly diskBytes: number;
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
const MAIN = join(ROOT, "main.ts");
const BARE_CLIENT = fileURLToPath(new URL("bare_client.ts", import.meta.url));
const NOTHING = fileURLToPath(new URL("nothing.ts", import.meta.url));
const RUN = ["run", "--config", "{config}", "--control", "{control}"];
const BUNDLE_LIMIT_MS = 300_000;

/** What is started. */
type Program = Pick<Form, "command" | "programBytes" | "diskBytes">;

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
    fsmqtt("source", () => fromSource(MAIN, [WORKER_OPTIONS, ...TASK_FLAGS])),
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

async function fromSource(module: string, flags: readonly string[]): Promise<Program> {
  return await withDeno(["run", ...flags, module], await graphBytes(module));
}

async function bundle(folder: string): Promise<Program> {
  const { script } = await makeBundle();
  const path = join(folder, "fsmqtt.js");
  await Deno.writeTextFile(path, script);
  return await withDeno(["run", ...BUNDLE_FLAGS, path], await fileBytes(path));
}

async function bareBundle(folder: string): Promise<Program> {
  const path = join(folder, "bare_client.js");
  const ended = await runDeno(
    ["bundle", "--quiet", "--minify", "--platform", "deno", "--output", path, BARE_CLIENT],
    { cwd: ROOT, limitMs: BUNDLE_LIMIT_MS },
  );
  if (ended.code !== 0) throw new BuildError(`Cannot bundle: ${complaint(ended)}`);
  return await withDeno(["run", "-A", "--no-config", path], await fileBytes(path));
}

async function executable(): Promise<Program> {
  const path = Deno.env.get("FSMQTT_BIN") ?? join(DIST, "fsmqtt");
  try {
    const size = await fileBytes(path);
    return { command: [path], programBytes: size, diskBytes: size };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new BuildError(`there is no ${path}; \`deno task compile\` makes it`);
  }
}

async function withDeno(args: readonly string[], programBytes: number): Promise<Program> {
  const deno = Deno.execPath();
  const diskBytes = programBytes + await fileBytes(deno);
  return { command: [deno, ...args], programBytes, diskBytes };
}

async function fileBytes(path: string): Promise<number> {
  return (await Deno.stat(path)).size;
}

/** What `deno info --json` tells, as far as it is needed. */
interface Graph {
  readonly modules: readonly { readonly size?: number; readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<
    Record<string, { readonly localPath: string; readonly dependencies: readonly string[] }>
  >;
}

/** The size of a module with all that it imports: modules of ours, and whole packages. */
async function graphBytes(module: string): Promise<number> {
  const { out } = await runDeno(["info", "--json", module], { cwd: ROOT, limitMs: 60_000 });
  const { modules, npmPackages }: Graph = JSON.parse(out);
  const own = modules.reduce((bytes, { size = 0 }) => bytes + size, 0);
  // A set is gone through with what is added meanwhile.
  const packages = new Set(modules.flatMap(({ npmPackage = [] }) => npmPackage));
  let bytes = own;
  for (const name of packages) {
    const { localPath, dependencies } = npmPackages[name] ?? {};
    for (const each of dependencies ?? []) packages.add(each);
    if (localPath !== undefined) bytes += folderBytes(localPath);
  }
  return bytes;
}

function folderBytes(path: string): number {
  let bytes = 0;
  for (const { name, isDirectory } of Deno.readDirSync(path)) {
    const entry = join(path, name);
    bytes += isDirectory ? folderBytes(entry) : Deno.lstatSync(entry).size;
  }
  return bytes;
}
