/**
 * How long it takes to read one header of an event, by where it stands and by what stands before
 * it, beside parsing the event.
 *
 * @module
 */

import { eventName, type HeaderReader, headerReader } from "../../../lib/esl/event_json.ts";
import { eventOf, named, parsedHeader, SIZES, withFirst } from "./events.ts";

const event = eventOf(SIZES["4.5 KB"]);
/** As many headers as a CDR may have, of plain text. */
const PLAIN = Object.fromEntries(
  Array.from({ length: 40 }, (_, i) => [`X-Header-${i}`, "of the sender's own ".repeat(3)]),
);
/** JSON in a header: each of its quotes is one that a search has to look at. */
const QUOTED = { "X-Document": JSON.stringify(PLAIN) };
/** A long text without any. */
const LONG = { "X-Text": "x".repeat(16 * 1024) };

const subclass: HeaderReader = headerReader("Event-Subclass");
const absent: HeaderReader = headerReader("X-Not-There");

/** What is read, of which event, by whom. */
const CASES: readonly (readonly [string, Uint8Array, HeaderReader])[] = [
  ["the name at the start of 4.5 KB", event, eventName],
  ["the subclass behind it", named(event, "CUSTOM", "sofia::register"), subclass],
  ["the name behind 40 headers of its sender (sendevent)", withFirst(event, PLAIN), eventName],
  ["the name behind a header with JSON in it", withFirst(event, QUOTED), eventName],
  ["the name behind a header of 16 KiB", withFirst(event, LONG), eventName],
  ["a header that is not there", event, absent],
];

CASES.forEach(([name, json, read], index) => {
  Deno.bench({ name, group: "headers", baseline: index === 0 }, () => {
    read(json);
  });
});

Deno.bench({ name: "the name by JSON.parse", group: "headers" }, () => {
  parsedHeader(event, "Event-Name");
});
