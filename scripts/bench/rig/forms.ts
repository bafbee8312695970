/**
 * The forms of fsmqtt that can be measured.
 *
 * @module
 */

import { bundle, executable, RUN, source } from "../../measure/programs.ts";
import { firstEvent } from "./load.ts";
import { Scene } from "./scene.ts";

/** How a form is made, in a folder, and what stands at the end of its command line. */
const FORMS = {
  bundle: [bundle, []],
  source: [source, []],
  executable: [executable, []],
  unconfined: [bundle, ["--unconfined"]],
  "source-unconfined": [source, ["--unconfined"]],
} as const;

/** The names of the forms. */
export const FORM_NAMES: readonly string[] = Object.keys(FORMS);

/**
 * Makes a form, and starts it once: Deno keeps what it compiles then, and later starts are alike.
 *
 * @returns its command line; `{config}` and `{control}` in it stand for those of a run.
 * @throws {BuildError} if it cannot be made.
 */
export async function makeForm(name: string, folder: string): Promise<readonly string[]> {
  const [make, options] = FORMS[name as keyof typeof FORMS];
  const { command } = await make(folder);
  const fsmqtt = [...command, ...RUN, ...options];
  await using scene = await Scene.start({ contender: "fsmqtt", qos: 0, series: "mixed", fsmqtt });
  await firstEvent(scene);
  return fsmqtt;
}
