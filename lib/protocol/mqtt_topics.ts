/**
 * MQTT topic names and topic filters (MQTT 5.0, section 4.7).
 *
 * @module
 */

const encoder = new TextEncoder();

/** Longest topic in UTF-8 bytes (MQTT 5.0, section 1.5.4). */
const MAX_TOPIC_BYTES = 65_535;
/** Levels of the deepest topic that mosquitto takes (its TOPIC_HIERARCHY_LIMIT of 200 slashes). */
const MAX_TOPIC_LEVELS = 201;

function commonFault(text: string): string | undefined {
  if (text === "") return "is empty";
  if (text.includes("\0")) return "holds a NUL character";
  if (encoder.encode(text).length > MAX_TOPIC_BYTES) return `is over ${MAX_TOPIC_BYTES} bytes`;
  return undefined;
}

/** Why `text` is no topic name that can be published to, or `undefined` if it is one. */
export function topicNameFault(text: string): string | undefined {
  const fault = commonFault(text);
  if (fault !== undefined) return fault;
  if (/[#+]/.test(text)) return "holds a wildcard (`#` or `+`), which only a subscription may";
  if (text.startsWith("$")) return "begins with `$`, which brokers keep for themselves";
  return undefined;
}

/**
 * Why nothing should be published to a topic that a stranger chose, or `undefined` if it may be. A
 * broker may end the connection at such ones (section 1.5.4), and mosquitto does, though it passes
 * them on as response topics: a stranger could cut the connection off with them.
 */
export function foreignTopicFault(topic: string): string | undefined {
  if (/[\p{Cc}\p{Noncharacter_Code_Point}]/u.test(topic)) return "holds control characters";
  if (topic.split("/").length > MAX_TOPIC_LEVELS) return `has over ${MAX_TOPIC_LEVELS} levels`;
  return topicNameFault(topic);
}

/** Why `text` is no topic filter that can be subscribed to, or `undefined` if it is one. */
export function topicFilterFault(text: string): string | undefined {
  const fault = commonFault(text);
  if (fault !== undefined) return fault;
  if (text.startsWith("$share/")) {
    const [, group, ...rest] = text.split("/");
    if (group === undefined || group === "" || /[#+]/.test(group)) {
      return "has no valid group name after `$share/`";
    }
    return rest.length === 0 ? "has no filter after its group" : topicFilterFault(rest.join("/"));
  }
  const levels = text.split("/");
  for (const [i, level] of levels.entries()) {
    if (level.includes("#") && (level !== "#" || i !== levels.length - 1)) {
      return "has a `#` that is not the whole last level";
    }
    if (level.includes("+") && level !== "+") return "has a `+` that is not a whole level";
  }
  return undefined;
}

/** The group of a shared subscription; `undefined` of any other. */
export function sharedGroup(filter: string): string | undefined {
  return /^\$share\/([^/]+)\//.exec(filter)?.[1];
}

/** The filter that a shared subscription selects by: without `$share/<group>/`. */
export function unshared(filter: string): string {
  return filter.startsWith("$share/") ? filter.split("/").slice(2).join("/") : filter;
}

/**
 * The levels that a filter selects by. No topic is empty, so `+/#` selects what `#` does, and `/#`
 * nothing else than `/+/#`.
 */
function levelsOf(filter: string): readonly string[] {
  const selector = unshared(filter);
  if (selector === "+/#") return ["#"];
  if (selector === "/#") return ["", "+", "#"];
  return selector.split("/");
}

/** Whether a message published to `topic` is delivered to a subscription of `filter`. */
export function topicMatches(filter: string, topic: string): boolean {
  return levelsMeet(levelsOf(filter), topic.split("/"), (a, b) => a === "+" || a === b);
}

/** Whether some topic is matched by both filters. */
export function filtersOverlap(a: string, b: string): boolean {
  return levelsMeet(levelsOf(a), levelsOf(b), (x, y) => x === "+" || y === "+" || x === y);
}

/** Whether each topic that `inner` matches is matched by `outer` too. */
export function filterCovers(outer: string, inner: string): boolean {
  const a = levelsOf(outer);
  const b = levelsOf(inner);
  if (hidesFromWildcard(a[0], b[0])) return false;
  for (let i = 0;; i++) {
    if (a[i] === "#") return true;
    if (i === a.length || i === b.length) return i === a.length && i === b.length;
    if (b[i] === "#" || (a[i] !== "+" && a[i] !== b[i])) return false;
  }
}

/** A first-level wildcard does not match topics that begin with `$` (section 4.7.2). */
function hidesFromWildcard(wild: string | undefined, level: string | undefined): boolean {
  return (wild === "#" || wild === "+") && level !== undefined && level.startsWith("$");
}

function levelsMeet(
  a: readonly string[],
  b: readonly string[],
  same: (a: string | undefined, b: string | undefined) => boolean,
): boolean {
  if (hidesFromWildcard(a[0], b[0]) || hidesFromWildcard(b[0], a[0])) return false;
  for (let i = 0;; i++) {
    // `a/#` matches `a` itself too (section 4.7.1.2).
    if (a[i] === "#" || b[i] === "#") return true;
    if (i === a.length || i === b.length) return i === a.length && i === b.length;
    if (!same(a[i], b[i])) return false;
  }
}
