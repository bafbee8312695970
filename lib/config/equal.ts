/**
 * Whether a section means the same as before, for `reload`.
 *
 * @module
 */

import { Secret } from "../secret.ts";
import type { Parameter } from "./parameter.ts";
import { type Parameters, type SectionName, sections, valueOf } from "./parameters.ts";

/**
 * Whether two sections of a kind have the same values. Names, the sections inside, and where they
 * were read from do not count; secrets are compared by what they hold.
 *
 * @param counts Which parameters are compared; all, if it is left out.
 */
export function equalValues(
  section: SectionName,
  a: object,
  b: object,
  counts: (parameter: Parameter<unknown>) => boolean = () => true,
): boolean {
  const parameters: Parameters = sections[section].parameters;
  return Object.entries(parameters)
    .filter(([, parameter]) => counts(parameter))
    .every(([name]) => comparable(valueOf(a, name)) === comparable(valueOf(b, name)));
}

/** Text or `undefined`, equal for equal values of one parameter. */
function comparable(value: unknown): string | undefined {
  return value instanceof Secret ? value.reveal() : JSON.stringify(value);
}
