import assert from "node:assert/strict";
import { AgentProcess } from "../support/agent_process.ts";
import { startBroker } from "../support/broker.ts";
import { latin1 } from "../support/esl_client.ts";
import { Watcher } from "../support/watcher.ts";
import { configuration, param, Switch } from "./setup.ts";

const CALLS = 20;

Deno.test("what another listener hears of calls is what the broker gets, byte for byte", async () => {
  await using broker = await startBroker();
  await using freeswitch = await Switch.start();
  await using watcher = await Watcher.start(broker.port);
  await using agent = await AgentProcess.start(configuration({
    esl: freeswitch.target,
    broker: broker.port,
    publish: [[param("event", "ALL"), param("pattern", "pbx/all"), param("qos", 1)]],
  }));
  await agent.ready();

  using listener = await freeswitch.listen("ALL");
  const heard: string[] = [];
  const uuids = Array.from({ length: CALLS }, () => crypto.randomUUID());
  const calls = (async () => {
    for (const uuid of uuids) {
      await freeswitch.api(`originate {origination_uuid=${uuid}}null/fsmqtt &hangup`);
    }
  })();
  for (let destroyed = 0; destroyed < CALLS;) {
    const event = await listener.event();
    heard.push(event);
    if (isDestroyOf(event, uuids)) destroyed++;
  }
  await calls;

  const last = heard.at(-1) ?? "";
  const published = await watcher.until(
    "pbx/all",
    "the last event that the listener heard",
    (payload) => latin1(payload) === last,
  );
  const texts = published.map(({ payload }) => latin1(payload));
  const from = texts.indexOf(heard[0] ?? "");
  assert(from >= 0, "the first event that the listener heard was published");
  assert.deepEqual(texts.slice(from, from + heard.length), heard);
});

Deno.test("every custom event comes with bare CUSTOM, and one subclass alone where it is named", async () => {
  await using broker = await startBroker();
  await using freeswitch = await Switch.start();
  await using watcher = await Watcher.start(broker.port);
  await using agent = await AgentProcess.start(configuration({
    esl: freeswitch.target,
    broker: broker.port,
    publish: [
      [param("event", "CUSTOM"), param("pattern", "pbx/custom")],
      [param("event", "CUSTOM fsmqtt::one"), param("pattern", "pbx/one")],
      [
        param("event", "HEARTBEAT"),
        param("event", "SWITCH_EVENT_api"),
        param("pattern", "pbx/api"),
      ],
    ],
  }));
  await agent.ready();
  await freeswitch.fire("fsmqtt::two", 1);
  await freeswitch.fire("fsmqtt::one", 2);
  await freeswitch.fire("sofia::register", 3);
  await freeswitch.api("version");
  const custom = await watcher.until(
    "pbx/custom",
    "the third",
    (payload) => latin1(payload).includes('"X-Number":"3"'),
  );
  for (const subclass of ["fsmqtt::one", "fsmqtt::two", "sofia::register"]) {
    assert(custom.some(({ payload }) => latin1(payload).includes(subclass)), subclass);
  }
  await watcher.count("pbx/api", 1);
  assert.equal((await watcher.count("pbx/one", 1)).length, 1);
});

function isDestroyOf(event: string, uuids: readonly string[]): boolean {
  if (!event.includes('"Event-Name":"CHANNEL_DESTROY"')) return false;
  return uuids.some((uuid) => event.includes(`"Unique-ID":"${uuid}"`));
}
