/**
 * `${hostname}` and `${switchname}` in patterns, wills and client ids.
 *
 * @module
 */

import { filterCovers, filtersOverlap, unshared } from "../protocol/mqtt_topics.ts";

/** The names that a template may hold. */
export const TEMPLATE_NAMES = ["hostname", "switchname"] as const;

/** A name that a template may hold. */
export type TemplateName = typeof TEMPLATE_NAMES[number];

const TEMPLATE = /\$\{([^{}]*)\}/g;

/** Whether the text holds a `${name}`. */
export function holdsTemplate(text: string): boolean {
  return text.search(TEMPLATE) !== -1;
}

/** The first `${name}` that is neither `${hostname}` nor `${switchname}`. */
export function unknownTemplate(text: string): string | undefined {
  return text.matchAll(TEMPLATE).map(([, name = ""]) => name).find((name) => !isTemplateName(name));
}

/** Replaces `${hostname}` and `${switchname}` by what `value` says; other text is left alone. */
export function fillTemplate(text: string, value: (name: TemplateName) => string): string {
  return text.replace(
    TEMPLATE,
    (whole, name: string) => isTemplateName(name) ? value(name) : whole,
  );
}

function isTemplateName(name: string): name is TemplateName {
  return (TEMPLATE_NAMES as readonly string[]).includes(name);
}

/** Whether two patterns may take the same topic, whatever the templates in them stand for. */
export function patternsMayOverlap(a: string, b: string): boolean {
  return filtersOverlap(...withoutTemplates(a, b));
}

/** Whether every topic of pattern `inner` is one of `outer`; a template may be any one level. */
export function patternMayCover(outer: string, inner: string): boolean {
  return filterCovers(...withoutTemplates(outer, inner));
}

/**
 * The two patterns with plain words where levels hold templates: the same word where the two
 * levels may come out equal.
 */
function withoutTemplates(a: string, b: string): [string, string] {
  const left = unshared(a).split("/");
  const right = unshared(b).split("/");
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [l = "", r = ""] = [left[i], right[i]];
    const word = levelsMayEqual(l, r) ? "same" : "other";
    if (holdsTemplate(l) || (holdsTemplate(r) && isWord(l))) left[i] = "same";
    if (holdsTemplate(r) || (holdsTemplate(l) && isWord(r))) right[i] = word;
  }
  return [left.join("/"), right.join("/")];
}

function isWord(level: string): boolean {
  return level !== "" && level !== "+" && level !== "#";
}

/** Whether two levels can be the same text, each template standing for any text at all. */
function levelsMayEqual(a: string, b: string): boolean {
  const ANY = "\0";
  const x = [...a.replace(TEMPLATE, ANY)];
  const y = [...b.replace(TEMPLATE, ANY)];
  const seen = new Map<string, boolean>();
  const meet = (i: number, j: number): boolean => {
    const key = `${i},${j}`;
    const known = seen.get(key);
    if (known !== undefined) return known;
    let result = false;
    if (i === x.length && j === y.length) result = true;
    else if (x[i] === ANY) result = meet(i + 1, j) || (j < y.length && meet(i, j + 1));
    else if (y[j] === ANY) result = meet(i, j + 1) || (i < x.length && meet(i + 1, j));
    else result = x[i] !== undefined && x[i] === y[j] && meet(i + 1, j + 1);
    seen.set(key, result);
    return result;
  };
  return meet(0, 0);
}
