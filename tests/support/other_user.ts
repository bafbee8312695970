/** Runs code as a user who is nobody here. */

import { fileURLToPath } from "node:url";

/** A user that owns nothing. */
export const NOBODY = 65_534;

/** Whether this process may become another user. */
export const mayBecomeOthers: boolean = Deno.uid() === 0;

/**
 * Runs `code`, which finds what a module exports as `module`, as another user, and returns what it
 * printed. What that user needs, Deno and the module, is not left in a folder of root's own.
 *
 * @param module The module's path from the root of the repository.
 * @param groups The groups beside the first one.
 */
export async function runAsNobody(
  module: string,
  code: string,
  groups: readonly number[] = [],
): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "fsmqtt-other-user-" });
  try {
    const source = fileURLToPath(new URL(`../../${module}`, import.meta.url));
    await new Deno.Command("deno", {
      args: ["bundle", "--quiet", "-o", `${folder}/module.js`, source],
    }).output();
    await Deno.copyFile(Deno.execPath(), `${folder}/deno`);
    await Deno.chmod(folder, 0o777);
    const script = `import * as module from "./module.js";\n${code}`;
    await Deno.writeTextFile(`${folder}/main.js`, script);
    const { stdout, stderr } = await new Deno.Command("setpriv", {
      args: [
        `--reuid=${NOBODY}`,
        `--regid=${NOBODY}`,
        groups.length === 0 ? "--clear-groups" : `--groups=${groups.join(",")}`,
        `${folder}/deno`,
        "run",
        "-A",
        "--no-config",
        `${folder}/main.js`,
      ],
      env: { DENO_DIR: `${folder}/cache`, HOME: folder },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    if (stdout.length === 0) throw new Error(text(stderr));
    return text(stdout);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
