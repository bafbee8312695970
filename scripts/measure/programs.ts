/**
 * fsmqtt as its users start it, and other modules, with what they take on disk.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeBundle } from "../build/bundle.ts";
import { DIST } from "../build/dist.ts";
import { BuildError } from "../build/error.ts";
import { BUNDLE_FLAGS, TASK_FLAGS, WORKER_OPTIONS } from "../build/flags.ts";
import { runDeno } from "../build/program.ts";

/** What is started. */
export interface Program {
  /** Its command line, without arguments. */
  readonly command: readonly string[];
  /** What it takes on disk, in bytes, without Deno. */
  readonly programBytes: number;
  /** What it takes on disk, in bytes, with all that it needs. */
  readonly diskBytes: number;
}

/** What stands behind the command line of fsmqtt: `{config}` and `{control}` are those of a run. */
export const RUN: readonly string[] = ["run", "--config", "{config}", "--control", "{control}"];

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MAIN = join(ROOT, "main.ts");

/** fsmqtt from source, as the task runs it. */
export async function source(): Promise<Program> {
  return await fromSource(MAIN, [WORKER_OPTIONS, ...TASK_FLAGS]);
}

/**
 * fsmqtt's bundle, which is made in the folder.
 *
 * @throws {BuildError} if it cannot be made.
 */
export async function bundle(folder: string): Promise<Program> {
  const { script } = await makeBundle();
  const path = join(folder, "fsmqtt.js");
  await Deno.writeTextFile(path, script);
  return await fromScript(path, BUNDLE_FLAGS);
}

/**
 * The executable that FSMQTT_BIN names, or that of the folder of what is handed out.
 *
 * @throws {BuildError} if there is none.
 */
export async function executable(): Promise<Program> {
  const path = Deno.env.get("FSMQTT_BIN") ?? join(DIST, "fsmqtt");
  try {
    const size = await fileBytes(path);
    return { command: [path], programBytes: size, diskBytes: size };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new BuildError(`there is no ${path}; \`deno task compile\` makes it`);
  }
}

/** Another module, run with these flags. */
export async function fromSource(module: string, flags: readonly string[]): Promise<Program> {
  return await withDeno(["run", ...flags, module], await graphBytes(module));
}

/** A script of one file, run with these flags. */
export async function fromScript(path: string, flags: readonly string[]): Promise<Program> {
  return await withDeno(["run", ...flags, path], await fileBytes(path));
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
