/** Background jobs and what becomes of them. */

import assert from "node:assert/strict";
import { Jobs } from "../../lib/esl/jobs.ts";

function finished(uuid: string, text?: string): Uint8Array {
  const body = text === undefined ? {} : { _body: text };
  return new TextEncoder().encode(
    JSON.stringify({ "Event-Name": "BACKGROUND_JOB", "Job-UUID": uuid, ...body }),
  );
}

Deno.test("a job ends with the body of its own event", async () => {
  const jobs = new Jobs();
  const first = jobs.expect("one");
  const second = jobs.expect("two");
  jobs.take(finished("two", "+OK two\n"));
  jobs.take(finished("one", "+OK one\n"));
  assert.deepEqual(await first, { kind: "finished", text: "+OK one\n" });
  assert.deepEqual(await second, { kind: "finished", text: "+OK two\n" });
  assert.equal(jobs.open, 0);
});

Deno.test("a job without output ends with empty text", async () => {
  const jobs = new Jobs();
  const outcome = jobs.expect("one");
  jobs.take(finished("one"));
  assert.deepEqual(await outcome, { kind: "finished", text: "" });
});

Deno.test("the jobs of others pass by", async () => {
  const jobs = new Jobs();
  const outcome = jobs.expect("one");
  jobs.take(finished("another", "not mine"));
  jobs.take(new TextEncoder().encode('{"Event-Name":"BACKGROUND_JOB"}'));
  assert.equal(jobs.open, 1);
  jobs.take(finished("one", "mine"));
  assert.deepEqual(await outcome, { kind: "finished", text: "mine" });
  jobs.take(finished("one", "twice"));
  assert.deepEqual(await outcome, { kind: "finished", text: "mine" });
});

Deno.test("abandoned, every open job is unknown, with the reason", async () => {
  const jobs = new Jobs();
  const outcomes = ["one", "two"].map((uuid) => jobs.expect(uuid));
  jobs.abandon("the line broke");
  for (const outcome of outcomes) {
    assert.deepEqual(await outcome, { kind: "unknown", reason: "the line broke" });
  }
  assert.equal(jobs.open, 0);
});

Deno.test("a job is known by its id until it has ended or is forgotten", () => {
  const jobs = new Jobs();
  jobs.expect("one");
  jobs.expect("two");
  assert.equal(jobs.has("one"), true);
  jobs.take(finished("one"));
  assert.equal(jobs.has("one"), false);
  jobs.forget("two");
  assert.equal(jobs.has("two"), false);
});
