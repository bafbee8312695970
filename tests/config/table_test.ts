import assert from "node:assert/strict";
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

Deno.test("the nearest name is suggested only if it is near", () => {
  const names = ["port", "host", "password", "reconnect_delay"];
  assert.equal(nearest("prot", names), "port");
  assert.equal(nearest("PASWORD", names), "password");
  assert.equal(nearest("reconect_dely", names), "reconnect_delay");
  assert.equal(nearest("colour", names), undefined);
  assert.equal(nearest("x", []), undefined);
});
