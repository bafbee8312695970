/**
 * Runs the command line as a process, and hands out configurations.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fsmqtt } from "../support/agent_process.ts";
import { TextLineStream } from "../support/lines.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** What a process came to. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `fsmqtt` to its end. */
export async function cli(...args: string[]): Promise<Ended> {
  const { code, stdout, stderr } = await fsmqtt(...args).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: decode(stdout), err: decode(stderr) };
}

/** The command line of `fsmqtt` for programs that start it, without its arguments. */
export function programLine(): readonly [string, ...string[]] {
  const executable = Deno.env.get("FSMQTT_BIN");
  return executable === undefined ? [Deno.execPath(), "run", "-A", MAIN] : [executable];
}

/** A process of fsmqtt with more in its environment. */
export function spawn(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, ...args],
    env,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** What a process writes, line by line. */
export function lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<string> {
  return stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
}

/** The names of what is in a folder. */
export function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name);
}

/** Calls `use` with a folder that is removed afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "fsmqtt-cli-test-" });
  try {
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Calls `use` with a file of this content, and its folder. */
export async function withFile<T>(
  content: string,
  use: (file: string, folder: string) => Promise<T>,
): Promise<T> {
  return await withFolder(async (folder) => {
    const file = join(folder, "mosquitto.conf.xml");
    await Deno.writeTextFile(file, content);
    return await use(file, folder);
  });
}
