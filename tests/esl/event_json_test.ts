/** Single headers read out of an event's JSON. */

import assert from "node:assert/strict";
import {
  coreUuid,
  eventBody,
  eventName,
  eventSubclass,
  type HeaderReader,
  headerReader,
  hostname,
  jobUuid,
  switchname,
} from "../../lib/esl/event_json.ts";
import { recordedEvents } from "../../lib/simulator/recording.ts";

const READERS: Readonly<Record<string, HeaderReader>> = {
  "Event-Name": eventName,
  "Event-Subclass": eventSubclass,
  "Job-UUID": jobUuid,
  "Core-UUID": coreUuid,
  "FreeSWITCH-Hostname": hostname,
  "FreeSWITCH-Switchname": switchname,
  "_body": eventBody,
};

const encoder = new TextEncoder();

for (const name of ["calls-json.esl", "quirks-json.esl"]) {
  Deno.test(`${name}: every header reads as JSON.parse reads it`, () => {
    const bytes = Deno.readFileSync(new URL(`../fixtures/esl/${name}`, import.meta.url));
    const events = recordedEvents(bytes);
    assert.ok(events.length > 5);
    let found = 0;
    for (const event of events) {
      const parsed = JSON.parse(new TextDecoder().decode(event));
      assert.match(eventName(event) ?? "", /^[A-Z_]+$/);
      for (const [header, read] of Object.entries(READERS)) {
        assert.equal(read(event), parsed[header], header);
      }
      for (const [header, value] of Object.entries(parsed)) {
        // A repeated header is its own matter, below.
        if (typeof value !== "string" || header === "X-Dup") continue;
        assert.equal(headerReader(header)(event), value, header);
        found++;
      }
    }
    assert.ok(found > 50);
  });
}

Deno.test("the recordings hold jobs with a body, and custom events with a subclass", () => {
  const [calls, quirks] = ["calls-json.esl", "quirks-json.esl"].map((name) =>
    recordedEvents(Deno.readFileSync(new URL(`../fixtures/esl/${name}`, import.meta.url)))
  );
  const jobs = calls?.filter((event) => eventName(event) === "BACKGROUND_JOB") ?? [];
  assert.ok(jobs.some((job) => jobUuid(job) === "11111111-2222-4333-8444-555555555555"));
  assert.ok(jobs.every((job) => eventBody(job) !== undefined));
  assert.ok(quirks?.some((event) => eventSubclass(event) === "fsmqtt::quirk"));
  // sendevent puts its own headers first.
  assert.ok(quirks?.some((event) => !new TextDecoder().decode(event).startsWith('{"Event-Name"')));
});

function read(name: string, json: string | Uint8Array): string | undefined {
  return headerReader(name)(typeof json === "string" ? encoder.encode(json) : json);
}

Deno.test("what looks like the header inside a string is not the header", () => {
  const value = '"Event-Name":"FAKE"';
  const json = JSON.stringify({ "X-Quote": value, "_body": `\\${value}\\`, "Event-Name": "REAL" });
  assert.equal(read("Event-Name", json), "REAL");
});

Deno.test("a header whose name ends in the same letters is another header", () => {
  assert.equal(read("Event-Name", '{"X-Event-Name":"FAKE","Event-Name":"REAL"}'), "REAL");
  assert.equal(read("Event-Name", '{"X-Event-Name":"FAKE"}'), undefined);
});

for (
  const value of [
    "",
    "plain",
    'a "quoted" word',
    "ends in a backslash \\",
    "ends in two \\\\",
    'ends in an escaped quote "',
    '\\"',
    "tab\t, line\n, bell\u0007 and delete\u007f",
    "Zoë € 📞",
    "\ufeffa byte order mark",
    "\u2028",
  ]
) {
  Deno.test(`${JSON.stringify(value)} comes back as it was`, () => {
    assert.equal(read("_body", JSON.stringify({ "_body": value, "after": "x" })), value);
    assert.equal(read("_body", JSON.stringify({ "before": "x", "_body": value })), value);
  });
}

Deno.test("of a repeated key the first counts, as in FreeSWITCH", () => {
  assert.equal(read("X-Dup", '{"X-Dup":"one","X-Dup":"two"}'), "one");
});

Deno.test("an array is no text", () => {
  assert.equal(read("X-Array", '{"X-Array":["a","b"],"Event-Name":"X"}'), undefined);
  assert.equal(read("a", '{"X":["a","b"]}'), undefined);
});

Deno.test("a Latin-1 byte becomes the replacement character and hurts nothing else", () => {
  const event = Uint8Array.from(
    '{"X-Latin1":"caf\xe9","Event-Name":"CUSTOM"}',
    (character) => character.charCodeAt(0),
  );
  assert.equal(read("X-Latin1", event), "caf\ufffd");
  assert.equal(eventName(event), "CUSTOM");
});

Deno.test("what is cut off, empty or no JSON holds no header", () => {
  for (const json of ["", '"', "{}", '{"Event-Name":', '{"Event-Name":"', '{"Event-Name":"A\\"']) {
    assert.equal(read("Event-Name", json), undefined, json);
  }
});

Deno.test("an escape that JSON does not have is left as it stands", () => {
  assert.equal(read("X", '{"X":"a\\xb"}'), "a\\xb");
});
