/** Runs the scripts of `scripts/` as their tasks do. */

import { fileURLToPath } from "node:url";

/** What a script came to. */
export interface ScriptEnd {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a script to its end. */
export async function runScript(name: string, args: readonly string[]): Promise<ScriptEnd> {
  const script = fileURLToPath(new URL(`../../scripts/${name}`, import.meta.url));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", script, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}
