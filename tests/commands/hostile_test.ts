import assert from "node:assert/strict";
import { allowedForms } from "./hostile/allowed.ts";
import { TOPICS, type Transport } from "./hostile/message.ts";
import { hostileMessages } from "./hostile/payloads.ts";
import { HOSTILE_TOPICS } from "./hostile/topics.ts";
import { TestInbox } from "./inbox_helper.ts";

/** An inbox that takes messages as they would come over MQTT 5. */
class HostileInbox extends TestInbox {
  constructor() {
    super(HOSTILE_TOPICS);
  }

  async deliver(payload: Uint8Array, transport: Transport = {}): Promise<void> {
    const { topic = TOPICS.narrow, retain = false, ...rest } = transport;
    await this.take(topic, payload, { retained: retain, ...rest });
  }
}

const groups = Map.groupBy(hostileMessages(new HostileInbox().clock.date()), ({ group }) => group);

for (const [group, messages] of groups) {
  Deno.test(`nothing runs of ${messages.length} hostile messages: ${group}`, async () => {
    const inbox = new HostileInbox();
    for (const { name, payload, transport, after } of messages) {
      if (after !== undefined) {
        await inbox.deliver(after, transport);
        assert.equal(inbox.ran.splice(0).length, 1, `before ${name}`);
      }
      await inbox.deliver(payload, transport);
      assert.deepEqual(inbox.ran, [], name);
    }
    for (const { topic } of inbox.replies) assert.match(topic, /^pbx\/replies\//);
  });
}

Deno.test("every allowed form runs, and is answered where that is asked for", async () => {
  const inbox = new HostileInbox();
  for (const { name, payload, transport, line, job, id } of allowedForms(inbox.clock.date())) {
    await inbox.deliver(payload, transport);
    assert.deepEqual(inbox.ran.splice(0), [[line, job ?? "made-1"]], name);
    const answers = inbox.answers.map(({ state, id }) => [state, id]);
    inbox.replies.splice(0);
    const isAnswered = transport?.responseTopic !== undefined;
    assert.deepEqual(answers, isAnswered ? [["accepted", id], ["succeeded", id]] : [], name);
  }
});
