import assert from "node:assert/strict";
import { subscriptionCommands } from "../../lib/events/subscription.ts";
import type { Config } from "../../lib/config/config.ts";
import { eslRights, eslUserXml } from "../../lib/config/esl_user.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { endpointOf, startLink } from "../esl/helper.ts";
import { configOf, params } from "./helper.ts";

/** Parameters by name; those that may be given several times have a list. */
type Values = Readonly<Record<string, string | readonly string[]>>;

/** What fsmqtt asks for itself. */
const OWN = "global_getvar hostname switchname module_exists status";
const BGAPI = { bgapi_authorized: "true" };
const CALLS = { originate_authorized: "true" };

/** A configuration with these events, and a topic that takes commands for each of `commands`. */
function configWith(
  events: readonly string[],
  commands: readonly Values[] = [],
  settings = "",
): Config {
  const topic = (name: string, values: Values) => {
    const all = Object.entries(values).map(([name, value]) =>
      [value].flat().map((each) => params({ [name]: each })).join("")
    );
    return `<topic name="${name}">${params({ connection_name: "c", pattern: "x" })}${
      all.join("")
    }</topic>`;
  };
  return configOf(
    `<settings>${settings}</settings><profiles><profile name="p">` +
      `<connections><connection name="c"/></connections>` +
      `<publishers><publisher name="k"><topics>${
        topic("t", { event: events })
      }</topics></publisher></publishers><subscribers><subscriber name="k"><topics>${
        commands.map((values, i) => topic(`t${i}`, values)).join("")
      }</topics></subscriber></subscribers></profile></profiles>`,
  );
}

const events: Record<string, [given: readonly string[], allowed: string]> = {
  "those that fsmqtt needs itself": [["HEARTBEAT"], "HEARTBEAT BACKGROUND_JOB"],
  "those of topics, once each": [
    ["CHANNEL_CREATE", "NAT", "CHANNEL_CREATE"],
    "HEARTBEAT BACKGROUND_JOB CHANNEL_CREATE NAT",
  ],
  "subclasses, behind all names": [
    ["CUSTOM sofia::register", "NAT", "CUSTOM x::y"],
    "HEARTBEAT BACKGROUND_JOB NAT CUSTOM sofia::register x::y",
  ],
  "all": [["NAT", "ALL"], "ALL"],
  "all, and some by their subclass, while that topic is disabled": [
    ["ALL", "CUSTOM x::y"],
    "ALL CUSTOM x::y",
  ],
  "all custom events, which come only with all others": [["CUSTOM"], "ALL"],
};

for (const [what, [given, allowed]] of Object.entries(events)) {
  Deno.test(`the user of the event socket may hear ${what}`, () => {
    assert.deepEqual(eslRights(configWith(given)), { events: allowed, api: OWN, remarks: [] });
  });
}

const commands: Record<string, [topics: readonly Values[], more: string]> = {
  "nothing more without topics that take commands": [[], ""],
  "nothing more where nothing is authorized": [[{ bgapi_allow: "version" }], ""],
  "what is named, once each, in its spelling": [
    [{ ...BGAPI, bgapi_allow: ["show calls", "Version", "show /x/"] }, {
      ...BGAPI,
      bgapi_allow: ["status", "show *"],
    }],
    " show Version",
  ],
  "calls": [[CALLS], " originate"],
  "calls and what is named": [
    [{ ...BGAPI, ...CALLS, bgapi_allow: ["originate *", "uuid_kill *"] }],
    " originate uuid_kill",
  ],
  "not what is named and refused": [
    [{ ...BGAPI, bgapi_allow: ["originate *", "uuid_transfer *", "conference *"] }],
    " conference",
  ],
  "topics that are disabled": [[{ ...CALLS, enable: "false" }], " originate"],
};

for (const [what, [topics, more]] of Object.entries(commands)) {
  Deno.test(`the user of the event socket may run ${what}`, () => {
    const { api, remarks } = eslRights(configWith(["NAT"], topics));
    assert.deepEqual([api, remarks], [OWN + more, []]);
  });
}

Deno.test("a topic that may run commands without naming them leaves all of them open, and says so", () => {
  const config = configWith(["NAT"], [CALLS, BGAPI]);
  const { api, remarks } = eslRights(config);
  assert.equal(api, undefined);
  assert.match(remarks.join(), /^EVERY API COMMAND IS ALLOWED .* topic "t1" has bgapi_authorized/);
  const xml = eslUserXml(config);
  assert.match(xml, /EVERY API COMMAND IS ALLOWED/);
  assert.doesNotMatch(xml, /esl-allowed-api"/);
});

Deno.test("what wrappers may run has to be named besides", () => {
  const { api, remarks } = eslRights(
    configWith(["NAT"], [{ ...BGAPI, bgapi_allow: ["sched_api *", "Eval *", "cond *"] }]),
  );
  assert.equal(api, `${OWN} sched_api Eval cond`);
  assert.deepEqual(remarks, [
    "What sched_api and Eval may run has to be named in esl-allowed-api too.",
  ]);
});

/** A name that fills the rights up to so many bytes. */
function filled(bytes: number, events: string): Values {
  return { ...BGAPI, bgapi_allow: "x".repeat(bytes - events.length - OWN.length - 1) };
}

Deno.test("rights that FreeSWITCH would not get through its login give up events, then commands", () => {
  const heard = "HEARTBEAT BACKGROUND_JOB NAT";
  const at = (bytes: number, events: string) =>
    eslRights(configWith(["NAT"], [filled(bytes, events)]));
  const longest = at(434, heard);
  assert.deepEqual([longest.events, longest.remarks], [heard, []]);
  const longer = at(435, heard);
  assert.equal(longer.events, undefined);
  assert.match(longer.api ?? "", / x+$/);
  assert.match(longer.remarks.join(), /^This user may hear every event: .* more than 434 bytes/);
  const most = at(434, "all");
  assert.deepEqual([most.events, most.api], [
    undefined,
    longest.api + "x".repeat(heard.length - 3),
  ]);
  const tooMuch = at(435, "all");
  assert.deepEqual([tooMuch.events, tooMuch.api], [heard, undefined]);
  assert.match(
    tooMuch.remarks.join("\n"),
    /^EVERY API COMMAND IS ALLOWED to this user: .* 434 bytes/,
  );
  const many = Array.from({ length: 50 }, (_, i) => `CUSTOM subclass::${i}`);
  const all = eslRights(configWith(many, [BGAPI]));
  assert.deepEqual([all.events, all.api, all.remarks.length], [undefined, undefined, 2]);
});

Deno.test("the entry is one that FreeSWITCH reads, with no password and closed for SIP", () => {
  const xml = eslUserXml(configWith(["CUSTOM a&amp;b"], [CALLS]));
  // FreeSWITCH takes away the lines that hold <include>, and takes no two hyphens in a comment.
  const lines = xml.split("\n");
  assert.deepEqual(lines.filter((line) => line.includes("include>")), ["<include>", "</include>"]);
  for (const [, inside = ""] of xml.matchAll(/<!--(.*?)-->/gs)) assert.doesNotMatch(inside, /--/);
  const entry = xml.slice(xml.indexOf("<include>")).replaceAll(/<!--.*?-->\n */gs, "");
  assert.equal(
    entry,
    `<include>
  <user id="fsmqtt">
    <params>
      <param name="esl-password" value=""/>
      <param name="esl-allowed-events" value="HEARTBEAT BACKGROUND_JOB CUSTOM a&amp;b"/>
      <param name="esl-allowed-api" value="${OWN} originate"/>
      <param name="esl-allowed-log" value="false"/>
      <param name="allow-empty-password" value="false"/>
      <param name="sip-forbid-register" value="true"/>
    </params>
  </user>
</include>`,
  );
});

Deno.test("the entry is for the user of the configuration, and never has its password", () => {
  const settings = params({ "esl-user": "agent--1@pbx.example.org", "esl-password": "hunter2" });
  const xml = eslUserXml(configWith(["NAT"], [], settings));
  assert.match(xml, /<user id="agent--1">/);
  assert.match(xml, /name="esl-user" value="agent- -1@pbx\.example\.org"/);
  assert.doesNotMatch(xml, /hunter2|DOMAIN/);
  assert.match(eslUserXml(configWith(["NAT"])), /value="fsmqtt@DOMAIN"/);
});

for (
  const [what, given] of Object.entries({
    names: ["CHANNEL_CREATE", "CUSTOM sofia::register"],
    everything: ["ALL"],
    "more than FreeSWITCH can tell": Array.from({ length: 50 }, (_, i) => `CUSTOM subclass::${i}`),
    "custom events": ["CUSTOM"],
  })
) {
  Deno.test(`these rights are all that fsmqtt needs to hear ${what}, and to know FreeSWITCH`, async () => {
    const config = configWith(given, [CALLS]);
    const { events, api } = eslRights(config);
    const user = { user: "fsmqtt", domain: "d", password: "p", allowedLog: false };
    await using simulator = await Simulator.start({
      heartbeatMs: 0,
      users: [{
        ...user,
        ...(events === undefined ? {} : { allowedEvents: events }),
        ...(api === undefined ? {} : { allowedApi: api }),
      }],
    });
    const selectors = config.profiles.flatMap(({ publishers }) => publishers)
      .flatMap(({ topics }) => topics).flatMap(({ event }) => event);
    using started = startLink(
      endpointOf({ port: simulator.port, user: "fsmqtt@d", password: "p" }),
      { subscription: subscriptionCommands(selectors) },
    );
    await started.connected();
    assert.equal(started.identities.all.length, 1);
    assert.deepEqual(started.originalModule.all, [false]);
    assert.equal(started.callLegs.all.length, 1);
    const job = await started.link.bgapi("originate null/x &park", "job");
    assert.equal((await job.outcome).kind, "finished");
    await assert.rejects(started.link.bgapi("version", "other"), /permission denied/);
  });
}
