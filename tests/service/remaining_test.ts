import assert from "node:assert/strict";
import { remainingOf } from "../../lib/service/remaining.ts";
import { configurationXml, params } from "../agent/running_agent.ts";
import { configOfFile } from "../config/helper.ts";

/** A configuration with these connections, and a topic of each kind for each. */
function configured(...names: readonly string[]) {
  const topics = (more: Parameters<typeof params>[0]) =>
    Object.fromEntries(
      names.map((name) => [name, params({ connection_name: name, pattern: name, ...more })]),
    );
  return configOfFile(configurationXml(8021, {
    connections: Object.fromEntries(names.map((name) => [name, params({ host: name })])),
    published: topics({ event: "HEARTBEAT" }),
    subscribed: topics({}),
  }));
}

Deno.test("what goes on is left, with its topics, as it is at present", () => {
  const remaining = remainingOf(configured("a", "b"), configured("b", "c"));
  const [profile] = remaining?.profiles ?? [];
  const names = (topics: readonly { readonly name: string }[] = []) =>
    topics.map(({ name }) => name);
  assert.deepEqual(names(profile?.connections), ["b"]);
  assert.deepEqual(names(profile?.publishers[0]?.topics), ["b"]);
  assert.deepEqual(names(profile?.subscribers[0]?.topics), ["b"]);
});

Deno.test("a profile that is no more leaves nothing", () => {
  const present = configured("a");
  assert.deepEqual(remainingOf(present, { ...present, profiles: [] })?.profiles, []);
});

Deno.test("where everything goes on, there is nothing to do", () => {
  assert.equal(remainingOf(configured("a"), configured("a", "b")), undefined);
});
