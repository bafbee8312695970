/** FreeSWITCH's names put into topics and texts. */

import assert from "node:assert/strict";
import { expand, expandTopic } from "../../lib/events/template.ts";
import { topicNameFault } from "../../lib/protocol/mqtt_topics.ts";

const NAMES = { hostname: "fs1.example.org", switchname: "pbx" };

Deno.test("both names are put in, as often as they stand", () => {
  const template = "${switchname}/${hostname}/${hostname}";
  const expanded = "pbx/fs1.example.org/fs1.example.org";
  assert.equal(expand(template, NAMES), expanded);
  assert.equal(expandTopic(template, NAMES), expanded);
});

Deno.test("what is no name of FreeSWITCH's stays as it is written", () => {
  for (
    const text of ["${Hostname}", "$hostname", "${}", "${toString}", "{hostname}", "a/+/#", ""]
  ) {
    assert.equal(expand(text, NAMES), text);
    assert.equal(expandTopic(text, NAMES), text);
  }
});

Deno.test("a name that holds a template or a replacement pattern is put in as it is", () => {
  const names = { hostname: "${switchname}", switchname: "$&$1" };
  assert.equal(expand("${hostname} ${switchname}", names), "${switchname} $&$1");
});

Deno.test("a name can neither add levels to a topic nor make it a filter", () => {
  const names = { hostname: "a/b+c#d\0e", switchname: "#" };
  assert.equal(expandTopic("x/${hostname}/${switchname}/y", names), "x/a_b_c_d_e/_/y");
  assert.equal(topicNameFault(expandTopic("${switchname}", names)), undefined);
});

Deno.test("wildcards and levels of the pattern itself stay", () => {
  assert.equal(expandTopic("+/${switchname}/#", NAMES), "+/pbx/#");
});

Deno.test("a text, which is no topic, keeps every character of a name", () => {
  assert.equal(expand("${hostname}", { ...NAMES, hostname: "a/b+c#d" }), "a/b+c#d");
});
