/** Events as a configuration names them. */

import assert from "node:assert/strict";
import {
  EVENT_NAMES,
  eventSelectorText,
  parseEventSelector,
} from "../../lib/protocol/event_names.ts";

Deno.test("every name is read in any case, with and without SWITCH_EVENT_", () => {
  for (const name of EVENT_NAMES.filter((name) => name !== "CUSTOM")) {
    const selector = { kind: "name", name };
    for (const text of [name, name.toLowerCase(), `SWITCH_EVENT_${name}`, ` ${name}\t`]) {
      assert.deepEqual(parseEventSelector(text), selector);
    }
    assert.deepEqual(parseEventSelector(`switch_event_${name.toLowerCase()}`), selector);
  }
});

Deno.test("no name is there twice, and all are as FreeSWITCH writes them", () => {
  assert.equal(new Set(EVENT_NAMES).size, EVENT_NAMES.length);
  for (const name of EVENT_NAMES) assert.match(name, /^[A-Z][A-Z_]*$/);
  assert.equal(EVENT_NAMES.includes("ALL"), false);
});

Deno.test("ALL, CUSTOM and a subclass are read; the subclass keeps its case", () => {
  for (const text of ["ALL", "all", "SWITCH_EVENT_ALL"]) {
    assert.deepEqual(parseEventSelector(text), { kind: "all" });
  }
  for (const text of ["CUSTOM", "custom", " SWITCH_EVENT_CUSTOM "]) {
    assert.deepEqual(parseEventSelector(text), { kind: "custom" });
  }
  for (const text of ["CUSTOM Sofia::register", "custom \t Sofia::register "]) {
    assert.deepEqual(parseEventSelector(text), { kind: "custom", subclass: "Sofia::register" });
  }
});

for (
  const text of [
    "",
    " ",
    "HEARTBEATS",
    "SWITCH_EVENT_",
    "SWITCH_EVENT_SWITCH_EVENT_TALK",
    "sofia::register",
    "HEARTBEAT TALK",
    "HEARTBEAT,TALK",
    "ALL CUSTOM",
    "CUSTOM a::b c::d",
    "toString",
  ]
) {
  Deno.test(`${JSON.stringify(text)} is no event`, () => {
    assert.equal(parseEventSelector(text), undefined);
  });
}

Deno.test("a selector is written as it can be read", () => {
  for (const text of [...EVENT_NAMES, "ALL", "CUSTOM sofia::register"]) {
    const selector = parseEventSelector(text) ?? assert.fail(text);
    assert.equal(eventSelectorText(selector), text);
  }
});
