/** Events that are looked up by the bytes of their names. */

import assert from "node:assert/strict";
import { FirstNames } from "../../lib/events/first_names.ts";
import { EVENT_NAMES } from "../../lib/protocol/event_names.ts";

const event = (text: string) => new TextEncoder().encode(text);

Deno.test("each name is told from all others, and from what only begins or ends like it", () => {
  const names = new FirstNames<string>();
  for (const name of EVENT_NAMES) names.set(name, name);
  const known = new Set<string>(EVENT_NAMES);
  for (const name of EVENT_NAMES) {
    assert.equal(names.get(event(`{"Event-Name":"${name}","Core-UUID":"1"}`)), name);
    for (const other of [`${name}X`, name.slice(1), name.slice(0, -1), name.toLowerCase()]) {
      const expected = known.has(other) ? other : undefined;
      assert.equal(names.get(event(`{"Event-Name":"${other}"}`)), expected, other);
    }
  }
});

Deno.test("names whose bytes make the same number are told apart", () => {
  const names = new FirstNames<number>();
  // 31 × "A" + "a" is 31 × "B" + "B".
  names.set("Aa", 1);
  names.set("BB", 2);
  assert.equal(names.get(event('{"Event-Name":"Aa"}')), 1);
  assert.equal(names.get(event('{"Event-Name":"BB"}')), 2);
  assert.equal(names.get(event('{"Event-Name":"C#"}')), undefined);
});

Deno.test("nothing is found where the name does not come first, or is cut off", () => {
  const names = new FirstNames<number>();
  names.set("TALK", 1);
  names.set("T".repeat(64), 2);
  for (
    const text of [
      '{"X":"1","Event-Name":"TALK"}',
      '{"Event-Name":"TAL',
      '{"Event-Name":"',
      '{"Event-Name":"TA\\"LK"}',
      "",
      `{"Event-Name":"${"T".repeat(65)}"}`,
    ]
  ) {
    assert.equal(names.get(event(text)), undefined, text);
  }
});
