/**
 * Tells a change from noise.
 *
 * @module
 */

/**
 * How likely it is that chance alone makes the first values at least as high, against the second, as
 * they are: the Wilcoxon-Mann-Whitney rank test, one-sided and exact. It asks nothing of how values
 * are distributed, and one outlier counts for no more than its rank. Equal values count for the second
 * being higher, so that what did not change never seems to have.
 */
export function chanceOfHigher(first: readonly number[], second: readonly number[]): number {
  const higher = first.reduce((sum, a) => sum + second.filter((b) => a > b).length, 0);
  const counts = arrangements(first.length, second.length);
  const all = counts.reduce((sum, count) => sum + count, 0);
  return counts.slice(higher).reduce((sum, count) => sum + count, 0) / all;
}

/** In how many orders of `a` and `b` values so many pairs have the first one higher, by that number. */
function arrangements(a: number, b: number, known = new Map<string, number[]>()): number[] {
  if (a === 0 || b === 0) return [1];
  const key = `${a} ${b}`;
  const counts = known.get(key);
  if (counts !== undefined) return counts;
  // The highest of all is either one of the first, which is above all of the second, or it is not.
  const ofFirst = arrangements(a - 1, b, known);
  const ofSecond = arrangements(a, b - 1, known);
  const made = Array.from(
    { length: a * b + 1 },
    (_, higher) => (ofFirst[higher - b] ?? 0) + (ofSecond[higher] ?? 0),
  );
  known.set(key, made);
  return made;
}

/** The least that {@linkcode chanceOfHigher} can be for so many values. */
export function leastChance(first: number, second: number): number {
  return chanceOfHigher(Array(first).fill(1), Array(second).fill(0));
}
