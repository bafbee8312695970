/**
 * How long it takes to put FreeSWITCH's names into a topic. It is done when a configuration is taken
 * up or FreeSWITCH tells its names, and never for an event: what an event pays is in the last group.
 *
 * @module
 */

import { complete } from "../../../lib/agent/routes.ts";
import { holdsTemplate } from "../../../lib/config/template.ts";
import { expandTopic } from "../../../lib/events/template.ts";
import { Router } from "../../../lib/events/router.ts";
import { eventOf, SIZES } from "./events.ts";

const NAMES = { hostname: "pbx1.example.org", switchname: "pbx1" };
const PLAIN = "freeswitch/pbx1/events/channel";
const BOTH = "freeswitch/${hostname}/${switchname}/events";

Deno.bench({ name: "a topic without names", group: "topic templates", baseline: true }, () => {
  expandTopic(PLAIN, NAMES);
});
Deno.bench({ name: "a topic with both names", group: "topic templates" }, () => {
  expandTopic(BOTH, NAMES);
});
Deno.bench({ name: "whether a topic holds any", group: "topic templates" }, () => {
  holdsTemplate(BOTH);
});

const event = eventOf(SIZES["4.5 KB"]);
const routerFor = (pattern: string) =>
  new Router([{ events: [{ kind: "all" }], target: { topic: complete(pattern, NAMES) } }]);

for (const [name, pattern] of [["no names", PLAIN], ["both names", BOTH]] as const) {
  const router = routerFor(pattern);
  const group = "the topic of an event";
  Deno.bench({ name: `${name} in its pattern`, group, baseline: pattern === PLAIN }, () => {
    for (const { topic } of router.targets(event)) if (topic === undefined) throw new Error();
  });
}
const router = routerFor(PLAIN);
Deno.bench({ name: "if they were put in for each event", group: "the topic of an event" }, () => {
  for (const _ of router.targets(event)) expandTopic(BOTH, NAMES);
});
