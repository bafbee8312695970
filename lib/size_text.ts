/**
 * Sizes for people.
 *
 * @module
 */

const UNITS = ["KiB", "MiB", "GiB", "TiB"];

/**
 * A size in the largest unit of which it is at least 1, such as `1.5 GiB`; a decimal below 10 only.
 * `round` tells which way what is left over goes.
 */
export function sizeText(bytes: number, round: (value: number) => number = Math.round): string {
  let [value, name] = [bytes, bytes === 1 ? "byte" : "bytes"];
  for (const unit of UNITS) {
    // What would be rounded to 1024 belongs into the next unit.
    if (rounded(value, round) < 1024) break;
    [value, name] = [value / 1024, unit];
  }
  return `${rounded(value, round)} ${name}`;
}

function rounded(value: number, round: (value: number) => number): number {
  return value < 10 ? round(value * 10) / 10 : round(value);
}
