/**
 * Amounts that were written with a unit, in the unit that is meant.
 *
 * @module
 */

/** How many of a parameter's unit an amount's own unit is. */
const FACTORS: Readonly<Record<string, readonly (readonly [RegExp, number])[]>> = {
  bytes: [
    [/^b(ytes?)?$/i, 1],
    [/^kb?$/i, 1e3],
    [/^mb?$/i, 1e6],
    [/^gb?$/i, 1e9],
    [/^tb?$/i, 1e12],
    [/^kib?$/i, 2 ** 10],
    [/^mib?$/i, 2 ** 20],
    [/^gib?$/i, 2 ** 30],
    [/^tib?$/i, 2 ** 40],
  ],
  seconds: [
    [/^s(ec(onds?)?)?$/i, 1],
    [/^m(in(utes?)?)?$/i, 60],
    [/^h(ours?)?$/i, 3_600],
    [/^d(ays?)?$/i, 86_400],
    [/^w(eeks?)?$/i, 604_800],
  ],
  milliseconds: [
    [/^ms(ec)?$|^milliseconds?$/i, 1],
    [/^s(ec(onds?)?)?$/i, 1_000],
    [/^m(in(utes?)?)?$/i, 60_000],
  ],
  percent: [[/^%$/, 1]],
};

/**
 * How many of `unit` an amount such as `10MB` or `1 day` is.
 *
 * @returns Nothing where that is not known, or not a whole number.
 */
export function amountIn(unit: string, text: string): number | undefined {
  const [, number = "", written = ""] = /^(\d+(?:\.\d+)?)\s*([a-z%]+)$/i.exec(text) ?? [];
  const [, factor] = FACTORS[unit]?.find(([pattern]) => pattern.test(written)) ?? [];
  const amount = Number(number) * (factor ?? NaN);
  return Number.isSafeInteger(amount) ? amount : undefined;
}
