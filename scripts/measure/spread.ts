/**
 * What several measurements of the same come to.
 *
 * @module
 */

/** The middle of some numbers, and how far they lie apart. */
export interface Spread {
  /** As many are below it as above. */
  readonly median: number;
  /** The lowest. */
  readonly least: number;
  /** The highest. */
  readonly most: number;
}

/** The spread of some numbers; `undefined` of none. */
export function spreadOf(numbers: readonly number[]): Spread | undefined {
  const sorted = numbers.toSorted((a, b) => a - b);
  const [least] = sorted;
  const most = sorted.at(-1);
  if (least === undefined || most === undefined) return undefined;
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  const median = middle.reduce((sum, each) => sum + each, 0) / middle.length;
  return { median, least, most };
}
