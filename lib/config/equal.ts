/**
 * Whether a section means the same as before, for `reload`.
 *
 * @module
 */

import { Secret } from "../secret.ts";
import { type SectionName, sections, valueOf } from "./parameters.ts";

/**
 * Whether two sections of a kind have the same values. Names, the sections inside, and where they
 * were read from do not count; secrets are compared by what they hold.
 */
export function equalValues(section: SectionName, a: object, b: object): boolean {
  return Object.keys(sections[section].parameters)
    .every((name) => comparable(valueOf(a, name)) === comparable(valueOf(b, name)));
}

/** Text or `undefined`, equal for equal values of one parameter. */
function comparable(value: unknown): string | undefined {
  return value instanceof Secret ? value.reveal() : JSON.stringify(value);
}
