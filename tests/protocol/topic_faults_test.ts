/** What is a topic name, and what a topic filter (MQTT 5.0, section 4.7). */

import assert from "node:assert/strict";
import { topicFilterFault, topicNameFault } from "../../lib/protocol/mqtt_topics.ts";

const LONGEST = "x".repeat(65_535);

for (const name of ["a", "/", "//", "a/b", "/a", "a/", "a b", "é", "a$b", "a/$b", LONGEST]) {
  Deno.test(`"${name.slice(0, 20)}" can be published to and subscribed to`, () => {
    assert.equal(topicNameFault(name), undefined);
    assert.equal(topicFilterFault(name), undefined);
  });
}

for (
  const [text, fault] of [
    ["", /is empty/],
    ["a\0b", /NUL/],
    [LONGEST + "x", /over 65535 bytes/],
    ["é".repeat(32_768), /over 65535 bytes/],
  ] as const
) {
  Deno.test(`${JSON.stringify(text.slice(0, 20))} is neither a name nor a filter`, () => {
    assert.match(topicNameFault(text) ?? "", fault);
    assert.match(topicFilterFault(text) ?? "", fault);
  });
}

for (const text of ["#", "+", "a/+", "a+", "a#b"]) {
  Deno.test(`"${text}" cannot be published to`, () => {
    assert.match(topicNameFault(text) ?? "", /wildcard/);
  });
}

for (const text of ["$SYS/broker", "$", "$share/g/t"]) {
  Deno.test(`"${text}" is kept by brokers for themselves`, () => {
    assert.match(topicNameFault(text) ?? "", /begins with `\$`/);
    assert.equal(topicFilterFault(text), undefined);
  });
}

for (
  const filter of [
    "#",
    "+",
    "+/#",
    "/#",
    "a/#",
    "a/+/b",
    "+/+",
    "/+/",
    "$SYS/#",
    "$share/group/#",
    "$share/group/a/+",
    "$share/group//",
    "$share",
    "$shared/x",
  ]
) {
  Deno.test(`"${filter}" can be subscribed to`, () => {
    assert.equal(topicFilterFault(filter), undefined);
  });
}

for (
  const [filter, fault] of [
    ["#/a", /`#` that is not the whole last level/],
    ["a#", /`#` that is not/],
    ["a/#b", /`#` that is not/],
    ["a/##", /`#` that is not/],
    ["+a", /`\+` that is not a whole level/],
    ["a/b+/c", /`\+` that is not/],
    ["++", /`\+` that is not/],
    ["$share/", /no valid group name/],
    ["$share//a", /no valid group name/],
    ["$share/+/a", /no valid group name/],
    ["$share/a#/a", /no valid group name/],
    ["$share/group", /no filter after its group/],
    ["$share/group/", /is empty/],
    ["$share/group/a#", /`#` that is not/],
  ] as const
) {
  Deno.test(`"${filter}" cannot be subscribed to`, () => {
    assert.match(topicFilterFault(filter) ?? "", fault);
  });
}
