/**
 * What things are known by where they have to be told apart by several names.
 *
 * @module
 */

/** The names as one: no two lists of names give the same, whatever stands in them. */
export function keyOf(...names: readonly string[]): string {
  return names.map(encodeURIComponent).join("/");
}
