import assert from "node:assert/strict";
import { configuration, load, params, SETTINGS, withFiles } from "./helper.ts";
import { nearest } from "../../lib/config/nearest.ts";
import {
  fileForm,
  type Parameters,
  propertyName,
  type Section,
  sections,
} from "../../lib/config/parameters.ts";

for (const { title, parameters } of Object.values<Section>(sections)) {
  Deno.test(`every parameter of ${title} reads its default back`, () => {
    for (const [name, { fallback, read, write }] of Object.entries(parameters)) {
      const single = Array.isArray(fallback) ? undefined : fallback;
      if (single === undefined || single === "") continue;
      const reading = read(write(single));
      assert.ok("value" in reading, name);
      assert.deepEqual(reading.value, single, name);
      assert.equal(reading.remark, undefined, name);
    }
  });

  Deno.test(`every parameter of ${title} is explained, and its names are its own`, () => {
    const settings: Parameters = sections.settings.parameters;
    const names = Object.entries(parameters).flatMap(([name, { secret, misspellings }]) => [
      name,
      ...(secret ? [fileForm(name)] : []),
      ...misspellings,
    ]);
    assert.equal(new Set(names.map(propertyName)).size, names.length);
    for (const [name, { help, type, inherits }] of Object.entries(parameters)) {
      assert.match(help, /^[A-Z`].*\.$/s, name);
      assert.notEqual(type, "", name);
      assert.ok(inherits === undefined || Object.hasOwn(settings, inherits), name);
    }
  });
}

Deno.test("every parameter that mod_mosquitto documents is in the table", () => {
  const documented = {
    settings: "log-enable log-details log-level log-dir log-file enable-profiles " +
      "enable-publishers enable-subscribers enable-connections enable-topics event-queue-size " +
      "unique-string-length",
    profile: "enable log-enable log-details log-level log-dir log-file",
    connection: "enable receive_maximum send_maximum host port bind_address srv keepalive " +
      "username password client_id clean_session retries reconnect_delay reconnect_delay_max " +
      "reconnect_exponential_backoff",
    tls: "enable support port cafile capath certfile keyfile advanced_options cert_reqs " +
      "opts_ciphers version psk identity psk_ciphers",
    will: "enable topic payload qos retain",
    publisher: "enable",
    publisherTopic: "enable connection_name event pattern qos retain",
    subscriber: "enable",
    subscriberTopic: "enable connection_name pattern qos originate_authorized bgapi_authorized",
  };
  for (const [section, names] of Object.entries(documented)) {
    const { parameters }: Section = sections[section as keyof typeof documented];
    const original = Object.keys(parameters).filter((name) => parameters[name]?.original);
    assert.deepEqual(original.toSorted(), names.split(" ").toSorted(), section);
  }
});

Deno.test("what 0 means stands in the help", () => {
  const { max_rate } = sections.publisherTopic.parameters;
  assert.match(max_rate.help, /^The most .* over time; 0 is no limit\. What comes from disk .*\.$/);
  const { spool_max_age } = sections.connection.parameters;
  assert.match(spool_max_age.help, /on disk; 0 is no limit\.$/);
});

for (
  const [name, text, expected] of [
    ["port", "x", "an integer 1-65535"],
    ["retries", "-1", "an integer from 0; 0 never says so"],
    ["reconnect_delay", "60s", "an integer 1-86400 (seconds); 60s is 60"],
    ["reconnect_delay", "2 days", "an integer 1-86400 (seconds)"],
    ["spool_commit_ms", "0.5s", "an integer 0-60000 (milliseconds); 0.5s is 500"],
    ["spool_max_bytes", "10MB", "an integer from 65536 (bytes); 10MB is 10000000"],
    ["spool_max_bytes", "1.5 GiB", "an integer from 65536 (bytes); 1.5 GiB is 1610612736"],
    ["spool_max_bytes", "10", "an integer from 65536 (bytes)"],
    ["spool_max_bytes", "10 KB", "an integer from 65536 (bytes)"],
    ["spool_max_bytes", "10 apples", "an integer from 65536 (bytes)"],
    ["spool_max_bytes", "9".repeat(20), "an integer 65536-9007199254740991 (bytes)"],
    ["spool_max_age", "1 day", "an integer from 0 (seconds); 0 is no limit; 1 day is 86400"],
    ["breaker_high_mark", "80%", "an integer 1-100 (percent); 80% is 80"],
  ] as const
) {
  Deno.test(`\`${name}\` of ${text} tells the unit and the bounds`, () => {
    assert.deepEqual(sections.connection.parameters[name].read(text), { expected });
  });
}

Deno.test("a rate that is less than one does not end in 0, which is no limit", () => {
  const { read } = sections.publisherTopic.parameters.max_rate;
  const expected = "an integer from 0 (events a second); 0 is no limit";
  assert.deepEqual(read("0.5"), { expected: `${expected}, and 1 is the least otherwise` });
  assert.deepEqual(read("1.5"), { expected });
});

Deno.test("the nearest name is suggested only if it is near", () => {
  const names = ["port", "host", "password", "reconnect_delay"];
  assert.equal(nearest("prot", names), "port");
  assert.equal(nearest("PASWORD", names), "password");
  assert.equal(nearest("reconect_dely", names), "reconnect_delay");
  assert.equal(nearest("colour", names), undefined);
  assert.equal(nearest("x", []), undefined);
});

Deno.test("a name with a part cut short is known by its other parts", () => {
  const names = ["spool", "spool_max_age", "spool_max_messages", "spool_max_bytes", "password"];
  assert.equal(nearest("spool_max_msgs", names), "spool_max_messages");
  assert.equal(nearest("spool_mx_bytes", names), "spool_max_bytes");
  assert.equal(nearest("Spool-Max-Msg", names), "spool_max_messages");
  assert.equal(nearest("spool_max_ag", names), "spool_max_age");
  assert.equal(nearest("pw", names), "password");
  assert.equal(nearest("wp", names), undefined);
  assert.equal(nearest("sw", names), undefined);
  assert.equal(nearest("s", names), undefined);
});

Deno.test("each name is still suggested for itself with a letter missing", () => {
  for (const { parameters } of Object.values<Section>(sections)) {
    const names = Object.keys(parameters);
    for (const name of names) {
      const slips = Array.from(name, (_, i) => name.slice(0, i) + name.slice(i + 1));
      for (const slip of slips) assert.equal(nearest(slip, names), name, slip);
    }
  }
});

Deno.test("no lock of a topic stays open because its value is empty", () => {
  const { parameters }: Section = sections.subscriberTopic;
  const own = Object.entries(parameters).filter(([, { original }]) => !original);
  assert.ok(own.length > 0 && own.every(([, { neverEmpty }]) => neverEmpty));
  const forms = own.flatMap(([name, { secret }]) => secret ? [name, fileForm(name)] : [name]);
  for (const form of forms) {
    const topic = params({ connection_name: "c", pattern: "x", [form]: "" });
    const xml = configuration(`${SETTINGS}<profiles><profile name="p">
      <connections><connection name="c"/></connections>
      <subscribers><subscriber name="s"><topics><topic name="t">${topic}</topic></topics></subscriber>
      </subscribers></profile></profiles>`);
    withFiles({ "mosquitto.conf.xml": xml }, (folder) => {
      const { config, findings } = load(`${folder}/mosquitto.conf.xml`);
      assert.equal(config, undefined);
      assert.deepEqual(findings.map(({ severity, text }) => [severity, text]), [
        ["error", `\`${form}\` is empty: give it a value, or take the line out`],
      ]);
    });
  }
});
