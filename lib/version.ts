/**
 * Which fsmqtt this is.
 *
 * @module
 */

import manifest from "../deno.json" with { type: "json" };

/** fsmqtt's version, as deno.json has it. */
export const VERSION: string = manifest.version;
