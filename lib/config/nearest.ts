/**
 * The name that was probably meant.
 *
 * @module
 */

/**
 * The candidate nearest to `name`, if it is near enough to be what was meant: at most one slip for
 * every three characters. Case does not count, and a part that is cut short is one slip.
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestSlips = Math.max(1, Math.floor(name.length / 3)) + 1;
  let bestLetters = Infinity;
  for (const candidate of candidates) {
    const [written, meant] = [name.toLowerCase(), candidate.toLowerCase()];
    const letters = slipsBetween(written, meant);
    const slips = Math.min(letters, slipsInParts(written, meant));
    // Of two that are as near, the one that takes fewer letters to get to.
    if (slips < bestSlips || (slips === bestSlips && letters < bestLetters && best !== undefined)) {
      [best, bestSlips, bestLetters] = [candidate, slips, letters];
    }
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

/** The same part by part, where `max_msgs` is `max_messages` with one part cut short. */
function slipsInParts(a: string, b: string): number {
  const [parts, others] = [a, b].map((name) => name.split(/[-_]/)) as [string[], string[]];
  if (parts.length !== others.length) return Infinity;
  return parts.reduce((sum, part, i) => {
    const other = others[i] ?? "";
    const slips = slipsBetween(part, other);
    return sum + (isShortFor(part, other) ? Math.min(1, slips) : slips);
  }, 0);
}

/** Whether all of its letters, the first one first, come in a word in their order. */
function isShortFor(short: string, word: string): boolean {
  if (short.length < 2 || short[0] !== word[0]) return false;
  let at = 0;
  for (const letter of word) if (letter === short[at]) at++;
  return at === short.length;
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
