/** Which filters match a topic, meet each other, or hold each other. */

import assert from "node:assert/strict";
import {
  filterCovers,
  filtersOverlap,
  topicMatches,
  unshared,
} from "../../lib/protocol/mqtt_topics.ts";

/** Filters with the topics that they match and that they do not (MQTT 5.0, section 4.7). */
const TABLE: readonly (readonly [filter: string, yes: readonly string[], no: readonly string[]])[] =
  [
    ["a/b", ["a/b"], ["a", "a/b/", "/a/b", "A/b", "a/b/c"]],
    ["a/+", ["a/b", "a/"], ["a", "a/b/c", "b/a", "a/b/"]],
    ["+", ["a", "b"], ["/", "a/b", "/a", "$SYS"]],
    ["+/+", ["/a", "a/b", "/"], ["a", "a/b/c", "$SYS/a"]],
    ["/+", ["/a", "/"], ["a", "a/b", "/a/b"]],
    ["#", ["a", "/", "a/b/c"], ["$SYS", "$SYS/a", "$x/y"]],
    ["a/#", ["a", "a/", "a/b", "a/b/c"], ["ab", "b", "/a"]],
    ["a/+/#", ["a/b", "a/", "a/b/c"], ["a", "b/a"]],
    ["+/a/#", ["x/a", "/a", "x/a/y"], ["a", "$SYS/a", "x/b"]],
    ["+/#", ["a", "a/b", "/"], ["$SYS/a"]],
    ["$SYS/#", ["$SYS", "$SYS/a/b"], ["SYS/a", "a"]],
    ["$SYS/+", ["$SYS/a"], ["$SYS", "$SYS/a/b"]],
    ["a/$x", ["a/$x"], ["a/x"]],
    ["a/+", ["a/$x"], []],
    ["$share/g/a/#", ["a", "a/b"], ["$share/g/a", "b"]],
    ["$share/g/#", ["a", "a/b"], ["$SYS/a"]],
    ["$share/g/$SYS/#", ["$SYS/a"], ["a"]],
    ["$share/g//a", ["/a"], ["a"]],
  ];

for (const [filter, yes, no] of TABLE) {
  Deno.test(`"${filter}" matches what it should, and no more`, () => {
    for (const topic of yes) assert.equal(topicMatches(filter, topic), true, topic);
    for (const topic of no) assert.equal(topicMatches(filter, topic), false, topic);
  });
}

Deno.test("a shared subscription selects by what stands behind its group", () => {
  assert.equal(unshared("$share/group/a/+/#"), "a/+/#");
  assert.equal(unshared("$share/group//"), "/");
  assert.equal(unshared("$shared/group/a"), "$shared/group/a");
  assert.equal(unshared("a/b"), "a/b");
});

/** All lists of 1 to `most` of these levels, joined. */
function paths(levels: readonly string[], most: number): string[] {
  let last: string[][] = [[]];
  const all: string[] = [];
  for (let length = 1; length <= most; length++) {
    last = last.flatMap((path) => levels.map((level) => [...path, level]));
    all.push(...last.map((path) => path.join("/")));
  }
  return all.filter((path) => path !== "");
}

// Topics are one level longer and have one more word than any filter, so that a wildcard is never
// mistaken for the words that happen to be there.
const TOPICS = paths(["", "a", "b", "$s"], 4);
const LAST_HASH = paths(["", "a", "+", "$s"], 3).flatMap((path) => {
  const levels = path.split("/");
  return [path, [...levels.slice(0, -1), "#"].join("/")];
});
const FILTERS = [...new Set(LAST_HASH)];
const MATCHED = new Map(
  FILTERS.map((filter) => [filter, new Set(TOPICS.filter((topic) => topicMatches(filter, topic)))]),
);

function matched(filter: string): ReadonlySet<string> {
  return MATCHED.get(filter) ?? assert.fail(filter);
}

Deno.test("there are filters enough to try, and each matches something", () => {
  assert.ok(FILTERS.length > 90 && TOPICS.length > 300);
  for (const filter of FILTERS) assert.ok(matched(filter).size > 0, filter);
});

Deno.test("two filters overlap just when some topic is matched by both", () => {
  for (const a of FILTERS) {
    for (const b of FILTERS) {
      const expected = !matched(a).isDisjointFrom(matched(b));
      assert.equal(filtersOverlap(a, b), expected, `${a} and ${b}`);
    }
  }
});

Deno.test("a filter covers another just when it matches each topic that the other matches", () => {
  for (const outer of FILTERS) {
    for (const inner of FILTERS) {
      const expected = matched(inner).isSubsetOf(matched(outer));
      assert.equal(filterCovers(outer, inner), expected, `${outer} and ${inner}`);
    }
  }
});

Deno.test("sharing changes nothing in how filters meet", () => {
  for (const [a, b] of [["a/#", "a/+"], ["+", "b/c"], ["#", "$SYS/#"]] as const) {
    for (const shared of [`$share/g/${a}`, a]) {
      for (const other of [`$share/h/${b}`, b]) {
        assert.equal(filtersOverlap(shared, other), filtersOverlap(a, b));
        assert.equal(filterCovers(shared, other), filterCovers(a, b));
        assert.equal(filterCovers(other, shared), filterCovers(b, a));
      }
    }
  }
});
