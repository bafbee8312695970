/**
 * Refusals, for tests.
 *
 * @module
 */

import assert from "node:assert/strict";
import { TlsRefusal } from "../../lib/tls/errors.ts";

/** The refusal that `attempt` ends with: the parameter at fault, and the reason. */
export function refusal(attempt: () => unknown): [parameter: string, message: string] {
  try {
    attempt();
  } catch (error) {
    assert(error instanceof TlsRefusal, String(error));
    return [error.parameter, error.message];
  }
  throw new assert.AssertionError({ message: "it was not refused" });
}
