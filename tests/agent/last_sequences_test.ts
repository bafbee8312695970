/** The sequences of the last events, of which only the beginnings are kept. */

import assert from "node:assert/strict";
import { countIn, LastSequences, sequenceOf } from "../../lib/agent/last_sequences.ts";
import { recordedEvents } from "../../lib/simulator/simulator.ts";

const encoder = new TextEncoder();
const lent = new Uint8Array(200_000);

/** Notes events that are lent one after the other in the same place. */
function note(sequences: LastSequences, events: readonly (string | Uint8Array)[]): void {
  for (const event of events) {
    const bytes = typeof event === "string" ? encoder.encode(event) : event;
    lent.set(bytes);
    sequences.note(lent.subarray(0, bytes.length));
    lent.fill(0x2a);
  }
}

/** As FreeSWITCH fires it. */
const own = (sequence: number | string, more = "") =>
  `{"Event-Name":"GENERAL",${more}"Event-Sequence":"${sequence}","More":"${"x".repeat(3_000)}"}`;
/** As others do: what they give comes first. */
const foreign = (sequence: number, length: number) =>
  `{"Theirs":"${"x".repeat(length)}","Event-Name":"CUSTOM","Event-Sequence":"${sequence}"}`;

const sorted = (sequences: LastSequences) => sequences.read().toSorted((a, b) => a - b);

const upTo = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

Deno.test("the sequences of the last 64 events are known, whatever becomes of their bytes", () => {
  const sequences = new LastSequences();
  assert.deepEqual(sequences.read(), []);
  note(sequences, upTo(1, 63).map((n) => own(n)));
  assert.deepEqual(sorted(sequences), upTo(1, 63));
  note(sequences, upTo(64, 200).map((n) => own(n)));
  assert.deepEqual(sorted(sequences), upTo(137, 200));
  assert.deepEqual(sorted(sequences), upTo(137, 200), "to read them changes nothing");
});

Deno.test("a sequence is found behind the headers of others, however many they are", () => {
  const sequences = new LastSequences();
  note(sequences, [foreign(1, 10), own(2), foreign(3, 2_000), foreign(4, 150_000), own(5)]);
  assert.deepEqual(sorted(sequences), upTo(1, 5));
});

Deno.test("what has none, or what is none, is passed over, and leaves nothing of what was before it", () => {
  const sequences = new LastSequences();
  note(sequences, upTo(1, 64).map((n) => n % 2 === 0 ? own(n) : foreign(n, 10)));
  const none = ["", "{}", '{"Event-Name":"', own("x"), own(""), own("-1"), own("9".repeat(16))];
  note(sequences, none);
  assert.deepEqual(sorted(sequences), upTo(none.length + 1, 64));
  // A short one in the place of a long one, and one of others in the place of an own.
  note(sequences, upTo(1, 57).map(() => '{"Event-Name":"A"}'));
  assert.deepEqual(sequences.read(), []);
  note(sequences, [own(7)]);
  note(sequences, upTo(1, 63).map(() => '{"a":"b"}'));
  assert.deepEqual(sequences.read(), [7]);
  note(sequences, ['{"a":"b"}']);
  assert.deepEqual(sequences.read(), []);
});

Deno.test("what is forgotten does not come again", () => {
  const sequences = new LastSequences();
  note(sequences, upTo(1, 100).map((n) => n % 3 === 0 ? foreign(n, 5) : own(n)));
  sequences.forget();
  assert.deepEqual(sequences.read(), []);
  note(sequences, [own(500), foreign(501, 5)]);
  assert.deepEqual(sorted(sequences), [500, 501]);
});

Deno.test("names as long as can be leave the sequence within what is kept", () => {
  const name = "h".repeat(255);
  const head = own(
    77,
    `"Core-UUID":"${crypto.randomUUID()}","FreeSWITCH-Hostname":"${name}",` +
      `"FreeSWITCH-Switchname":"${name}","FreeSWITCH-IPv4":"255.255.255.255",` +
      `"FreeSWITCH-IPv6":"${"ffff:".repeat(7)}ffff","Event-Date-Local":"2026-11-22 12:00:00",` +
      '"Event-Date-GMT":"Sun, 22 Nov 2026 12:00:00 GMT","Event-Date-Timestamp":"1795348800000000",' +
      '"Event-Calling-File":"switch_core_state_machine.c",' +
      '"Event-Calling-Function":"switch_core_session_hangup_state","Event-Calling-Line-Number":"859",',
  );
  const sequences = new LastSequences();
  note(sequences, [head]);
  assert.deepEqual(sequences.read(), [77]);
});

for (const name of ["calls-json.esl", "quirks-json.esl"]) {
  Deno.test(`of what FreeSWITCH sends, all that have a sequence are known: ${name}`, () => {
    const file = new URL(`../fixtures/esl/${name}`, import.meta.url);
    const events = recordedEvents(Deno.readFileSync(file)).filter(({ length }) => length < 150_000);
    assert.ok(events.length > 5);
    for (const event of events) {
      const sequences = new LastSequences();
      note(sequences, [event]);
      const sequence = sequenceOf(event);
      assert.deepEqual(sequences.read(), sequence === undefined ? [] : [sequence]);
    }
  });
}

Deno.test("a count is digits, and no more of them than a number can tell", () => {
  for (
    const [text, count] of [
      ["0", 0],
      ["123456789012345", 123_456_789_012_345],
      ["1234567890123456", undefined],
      ["", undefined],
      [" 1", undefined],
      ["1e3", undefined],
      [undefined, undefined],
    ] as const
  ) assert.equal(countIn(text), count);
});
