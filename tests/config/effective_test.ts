import assert from "node:assert/strict";
import { join } from "node:path";
import type { Config, Named } from "../../lib/config/config.ts";
import { effectiveXml } from "../../lib/config/effective.ts";
import { equalValues } from "../../lib/config/equal.ts";
import { fileForm, type Section, type SectionName, sections } from "../../lib/config/parameters.ts";
import { configOf, configuration, load, loaded, params, withFiles } from "./helper.ts";

/** Values that are not the defaults, where any would do for a kind. */
const samples: Record<string, string> = {
  "true/false": "true",
  text: "a &amp; &lt;b> &quot;c&quot;&#9;--&gt; ${hostname}",
  "MQTT topic name": "a/${switchname}",
  "MQTT topic filter": "a/+/#",
  "FreeSWITCH event": "CUSTOM sofia::register",
  "host name or address": "mqtt.example.com",
  "0, 1 or 2": "2",
};

function sampleOf(section: SectionName, given: "all" | "required"): string {
  const { parameters }: Section = sections[section];
  const values = Object.entries(parameters).flatMap(([name, { type, secret, fallback }]) => {
    const value = type.startsWith("integer") ? "65536" : samples[type] ?? type.split(",")[0] ?? "";
    if (name === "connection_name") return [[name, "c"]];
    if (given === "required") return name === "pattern" ? [[name, value]] : [];
    if (secret) return [[fileForm(name), "secret"]];
    if (fallback === true) return [[name, "false"]];
    if (type.startsWith("integer") && type !== "integer from 65536") return [[name, "99"]];
    return [[name, value]];
  });
  return params(Object.fromEntries(values));
}

function everything(given: "all" | "required"): string {
  const part = (section: SectionName) => sampleOf(section, given);
  return configuration(`<settings>${part("settings")}</settings><profiles><profile name="a&amp;b">
    ${part("profile")}<connections>${params({ keepalive: "7" })}
    <connection name="c">${part("connection")}<tls>${part("tls")}</tls><will>${part("will")}</will>
    </connection><connection name="d"/></connections>
    <publishers><publisher name="p">${part("publisher")}<topics>
      <topic name="t">${part("publisherTopic")}</topic></topics></publisher></publishers>
    <subscribers><subscriber name="s">${part("subscriber")}<topics>
      <topic name="t">${part("subscriberTopic")}</topic></topics></subscriber></subscribers>
  </profile><profile name="empty"/></profiles>`);
}

/** Every section of a configuration, with its kind. */
function sectionsOf({ settings, profiles }: Config): [SectionName, object & Partial<Named>][] {
  return [
    ["settings", settings],
    ...profiles.flatMap((profile): [SectionName, object][] => [
      ["profile", profile],
      ...profile.connections.flatMap((connection): [SectionName, object][] => [
        ["connection", connection],
        ["tls", connection.tls],
        ["will", connection.will],
      ]),
      ...profile.publishers.flatMap((publisher): [SectionName, object][] => [
        ["publisher", publisher],
        ...publisher.topics.map((topic): [SectionName, object] => ["publisherTopic", topic]),
      ]),
      ...profile.subscribers.flatMap((subscriber): [SectionName, object][] => [
        ["subscriber", subscriber],
        ...subscriber.topics.map((topic): [SectionName, object] => ["subscriberTopic", topic]),
      ]),
    ]),
  ];
}

for (const given of ["all", "required"] as const) {
  Deno.test(`the effective configuration loads again as the same: ${given} given`, () => {
    withFiles({ "f.xml": everything(given), secret: "s3cret" }, (folder) => {
      const first = loaded(join(folder, "f.xml"));
      Deno.writeTextFileSync(join(folder, "again.xml"), effectiveXml(first));
      const second = loaded(join(folder, "again.xml"));
      const before = sectionsOf(first);
      const after = sectionsOf(second);
      assert.deepEqual(
        after.map(([kind, { name }]) => [kind, name]),
        before.map(
          ([kind, { name }]) => [kind, name],
        ),
      );
      for (const [i, [kind, section]] of before.entries()) {
        const other = after[i]?.[1];
        assert.ok(other !== undefined && equalValues(kind, section, other), kind);
      }
    });
  });
}

Deno.test("the effective configuration names every parameter", () => {
  withFiles({ "f.xml": everything("required") }, (folder) => {
    const text = effectiveXml(loaded(join(folder, "f.xml")));
    for (const { parameters } of Object.values(sections)) {
      for (const name of Object.keys(parameters)) assert.ok(text.includes(`name="${name}"`), name);
    }
  });
});

Deno.test("the effective configuration never shows a secret", () => {
  const text = everything("required").replace(
    '<connection name="d"/>',
    `<connection name="d">${params({ password: "s3cret" })}
     <tls>${params({ psk: "s3cret" })}</tls></connection>`,
  )
    .replace("<settings>", `<settings>${params({ "esl-password-file": "secret" })}`);
  withFiles({ "f.xml": text, secret: "s3cret" }, (folder) => {
    const shown = effectiveXml(loaded(join(folder, "f.xml")));
    assert.ok(!shown.includes("s3cret"));
    assert.match(shown, /<!-- password is given and not shown: .*f\.xml:\d+ -->/);
    assert.match(shown, /<!-- psk is given and not shown/);
    assert.ok(shown.includes(`<param name="esl-password-file" value="${folder}/secret"/>`));
  });
});

Deno.test("the effective configuration tells where each value comes from", () => {
  const content = configuration(`<settings>
<param name="esl-password" value="x"/>
<param name="enable-topics" value="false"/>
</settings><profiles><profile name="p"><connections>
<param name="port" value="1"/>
<connection name="c"/></connections>
<publishers><publisher name="p"><topics><topic name="t">
<param name="connection_name" value="c"/><param name="pattern" value="x"/>
</topic></topics></publisher></publishers></profile></profiles>`);
  withFiles({ "f.xml": content }, (folder) => {
    const file = join(folder, "f.xml");
    const shown = effectiveXml(loaded(file));
    const lines = [
      `<param name="port" value="1"/> <!-- ${file}:5 -->`,
      '<param name="keepalive" value="60"/> <!-- default -->',
      '<param name="client_id" value=""/> <!-- default: random at each start -->',
      `<param name="enable" value="false"/> <!-- enable-topics at ${file}:3 -->`,
    ];
    for (const line of lines) assert.ok(shown.includes(line), line);
    assert.deepEqual(load(file).findings, []);
  });
});

Deno.test("sections are equal by their values, secrets by what they hold", () => {
  const connection = (values: Record<string, string>, before = "") => {
    const content = `<profiles><profile name="p"><connections><connection name="c">
      ${params(values)}</connection></connections></profile></profiles>`;
    const found = configOf(before + content).profiles[0]?.connections[0];
    assert.ok(found);
    return found;
  };
  const equal = (a: Record<string, string>, b: Record<string, string>) =>
    equalValues("connection", connection(a), connection(b, "\n\n"));
  assert.ok(equal({ host: "a", password: "x" }, { host: "a", password: "x" }));
  assert.ok(equal({ keepalive: "60" }, {}), "a default that is given is still the default");
  assert.ok(!equal({ password: "x" }, { password: "y" }));
  assert.ok(!equal({ password: "x" }, {}));
  assert.ok(!equal({ port: "1883" }, { port: "1884" }));
  assert.ok(!equal({ port: "1883" }, {}));
});

Deno.test("topics with other events are not equal", () => {
  const topic = (event: string) => {
    const values = { connection_name: "c", pattern: "x", event };
    const content = `<profiles><profile name="p"><publishers><publisher name="k"><topics>
      <topic name="t">${params(values)}</topic>
      </topics></publisher></publishers></profile></profiles>`;
    const found = configOf(content).profiles[0]?.publishers[0]?.topics[0];
    assert.ok(found);
    return found;
  };
  assert.ok(equalValues("publisherTopic", topic("HEARTBEAT"), topic("SWITCH_EVENT_heartbeat")));
  assert.ok(!equalValues("publisherTopic", topic("CUSTOM a::b"), topic("CUSTOM a::c")));
});
