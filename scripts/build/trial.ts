/**
 * Nothing is handed out that was not started once.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { VERSION } from "../../lib/version.ts";
import { BuildError } from "./error.ts";
import { type Ended, runProgram } from "./program.ts";

const ROOT = new URL("../../", import.meta.url);
/** What has not ended by then hangs; an emulator is slow. */
const LIMIT_MS = 120_000;

/** What is tried, and what it must print. */
const TRIALS: readonly { readonly args: readonly string[]; readonly prints: string }[] = [
  { args: ["version"], prints: `fsmqtt ${VERSION} ` },
  {
    args: ["check", "--config", fileURLToPath(new URL("conf/mosquitto.conf.xml", ROOT))],
    prints: "",
  },
  { args: ["demo", "--seconds", "2"], prints: "The broker took " },
];

/**
 * Starts a form of fsmqtt, given as the beginning of its command line, in an empty folder and an
 * environment with nothing but, if it is wanted, this Deno.
 *
 * @throws {BuildError} with all that it printed, if it does not do what it should.
 */
export async function tryOut(
  command: readonly string[],
  { needsDeno }: { readonly needsDeno: boolean },
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "fsmqtt-trial-" });
  try {
    const bin = join(folder, "bin");
    const empty = join(folder, "empty");
    await Deno.mkdir(bin);
    await Deno.mkdir(empty);
    if (needsDeno) await Deno.symlink(Deno.execPath(), join(bin, "deno"));
    const env = { PATH: bin, HOME: folder, NO_COLOR: "1" };
    for (const { args, prints } of TRIALS) {
      const line = [...command, ...args];
      const ended = await start(line, { cwd: empty, env });
      if (ended.code === 0 && ended.out.includes(prints)) continue;
      throw new BuildError(
        `Not handed out: ${line.join(" ")} ${fate(ended)}\n${ended.out}\n${ended.err}`.trimEnd(),
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function start(
  command: readonly string[],
  options: { readonly cwd: string; readonly env: Record<string, string> },
): Promise<Ended> {
  try {
    return await runProgram(command, { ...options, clearEnv: true, limitMs: LIMIT_MS });
  } catch (error) {
    const why = (error as Error).message;
    throw new BuildError(`Not handed out: ${command[0]} cannot be started: ${why}`);
  }
}

function fate({ code }: Ended): string {
  if (code === undefined) return `has not ended within ${LIMIT_MS / 1000} s`;
  return code === 0 ? "prints something else than it should" : `ends with ${code}`;
}
