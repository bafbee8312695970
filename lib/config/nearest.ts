/**
 * The name that was probably meant.
 *
 * @module
 */

/**
 * The candidate nearest to `name`, if it is near enough to be what was meant: at most one slip for
 * every three characters. Case does not count.
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestSlips = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const slips = slipsBetween(name.toLowerCase(), candidate.toLowerCase());
    if (slips < bestSlips) [best, bestSlips] = [candidate, slips];
  }
  return best;
}

/** `: did you mean X?`, or nothing where no candidate is near. */
export function suggestion(
  name: string,
  candidates: Iterable<string>,
  show: (candidate: string) => string = (candidate) => `\`${candidate}\``,
): string {
  const candidate = nearest(name, candidates);
  return candidate === undefined ? "" : `: did you mean ${show(candidate)}?`;
}

/** Letters added, left out, changed or swapped with their neighbour (optimal string alignment). */
function slipsBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let slips = Math.min(at(last, j) + 1, at(row, j - 1) + 1, changed);
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        slips = Math.min(slips, at(beforeLast, j - 2) + 1);
      }
      row.push(slips);
    }
    [beforeLast, last] = [last, row];
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
