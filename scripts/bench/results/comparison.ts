/**
 * What became worse since an earlier run.
 *
 * Figures that depend on how fast the machine is are compared as multiples of what publishing alone
 * came to in the same run, where that was measured. A figure is worse if the medians say so by more
 * than a tenth, and the rank test that chance does it once in a hundred times at most. Few runs cannot
 * say that: then every value has to be worse than every one before.
 *
 * @module
 */

import { spreadOf } from "../../measure/spread.ts";
import { LABELS } from "../rig/contenders.ts";
import { chanceOfHigher, leastChance } from "./chance.ts";
import { type Figure, Figures, ratios } from "./figures.ts";
import { metric, METRICS } from "./metrics.ts";
import { text } from "./numbers.ts";

/** A figure that became worse. */
export interface Change {
  /** What it is called. */
  readonly name: string;
  /** The median before. */
  readonly before: number;
  /** The median now. */
  readonly now: number;
  /** How much worse it is, as a share: 0.1 is a tenth. */
  readonly worse: number;
}

/** What a comparison came to. */
export interface Comparison {
  /** How many figures were compared. */
  readonly compared: number;
  /** Which became worse. */
  readonly worse: readonly Change[];
  /** Which figures were in the earlier run and are not in this one, or the other way round. */
  readonly unmatched: readonly string[];
}

/** What a figure may become worse by. */
const TOLERANCE = 0.1;
/** How often chance may make it seem worse. */
const MOST_CHANCE = 0.01;

/** Compares fsmqtt's figures. */
export function compare(now: Figures, before: Figures): Comparison {
  const names = (figures: Figures) =>
    new Map(figuresOfFsmqtt(figures).map((figure) => [nameOf(figure), figure]));
  const [current, earlier] = [names(now), names(before)];
  const worse: Change[] = [];
  let compared = 0;
  for (const [name, figure] of current) {
    const old = earlier.get(name);
    if (old === undefined) continue;
    compared++;
    const change = changeOf(name, figure, now, old, before);
    if (change !== undefined) worse.push(change);
  }
  const unmatched = [...new Set([...current.keys()]).symmetricDifference(earlier)];
  return { compared, worse, unmatched };
}

function figuresOfFsmqtt(figures: Figures): Figure[] {
  return [...figures].filter(({ contender, metric: name }) =>
    contender === "fsmqtt" && name in METRICS && !metric(name).isLoose
  );
}

function changeOf(
  name: string,
  figure: Figure,
  now: Figures,
  old: Figure,
  before: Figures,
): Change | undefined {
  const { better, isSpeed } = metric(figure.metric);
  const limit = [limitOf(figure, now), limitOf(old, before)] as const;
  const isShare = isSpeed && limit[0].length > 0 && limit[1].length > 0;
  const values = isShare ? ratios(figure.samples, limit[0]) : figure.samples;
  const oldValues = isShare ? ratios(old.samples, limit[1]) : old.samples;
  const [median, oldMedian] = [spreadOf(values)?.median, spreadOf(oldValues)?.median];
  if (median === undefined || oldMedian === undefined) return undefined;
  const worse = better === "less" ? median / oldMedian - 1 : oldMedian / median - 1;
  const chance = better === "less"
    ? chanceOfHigher(values, oldValues)
    : chanceOfHigher(oldValues, values);
  const most = Math.max(MOST_CHANCE, leastChance(values.length, oldValues.length));
  // What was 0 and is not is worse by any measure; what was and is 0 by none.
  const isWorse = worse > TOLERANCE && chance <= most * (1 + Number.EPSILON);
  if (!isWorse) return undefined;
  const label = isShare ? `${name}, to ${LABELS.publish}` : name;
  return { name: label, before: oldMedian, now: median, worse };
}

function limitOf(figure: Figure, figures: Figures): readonly number[] {
  return figures.samples({ ...figure, contender: "publish" });
}

function nameOf({ suite, case: load, metric: name }: Figure): string {
  return `${suite}, ${load}, ${metric(name).heading}`;
}

/** The comparison for people. */
export function comparisonText({ compared, worse, unmatched }: Comparison): string {
  return [
    `Compared: ${compared} figures, of which ${worse.length} became worse by more than a tenth`,
    ...worse.map(({ name, before, now, worse }) =>
      `  ${name}: ${significant(before)}, now ${significant(now)}: ${
        Number.isFinite(worse) ? `${text(100 * worse)} % worse` : "worse"
      }`
    ),
    ...(unmatched.length === 0 ? [] : [
      `Only in one of the two: ${unmatched.length} figures, such as ${unmatched[0]}`,
    ]),
  ].join("\n");
}

function significant(value: number): string {
  return value.toLocaleString("en", { maximumSignificantDigits: 4 });
}
