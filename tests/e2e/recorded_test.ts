import assert from "node:assert/strict";
import { recordedEvents } from "../../lib/simulator/recording.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { AgentProcess } from "../support/agent_process.ts";
import { startBroker } from "../support/broker.ts";
import { Watcher } from "../support/watcher.ts";
import { configuration, param } from "./setup.ts";

const fixture = (path: string) => new URL(`../fixtures/${path}`, import.meta.url);
const recording = recordedEvents(await Deno.readFile(fixture("esl/calls-json.esl")));
const quirks = recordedEvents(await Deno.readFile(fixture("esl/quirks-json.esl")));
const decoder = new TextDecoder("latin1");

function assertSameBytes(actual: readonly Uint8Array[], expected: readonly Uint8Array[]): void {
  assert.deepEqual(
    actual.map((each) => decoder.decode(each)),
    expected.map((e) => decoder.decode(e)),
  );
}

/** mod_mosquitto's own example with this machine's brokers, without TLS, in folders of the test's. */
async function readmeExample(broker1: number, broker2: number): Promise<string> {
  const example = await Deno.readTextFile(fixture("config/example.mosquitto.conf.xml"));
  return example
    .replace("broker1.example.com", "127.0.0.1")
    .replace("broker2.example.com", "127.0.0.1")
    .replace('name="port" value="1883"', `name="port" value="${broker1}"`)
    .replace('name="port" value="1883"', `name="port" value="${broker2}"`)
    .replaceAll("/usr/local/freeswitch/log", "{folder}/log")
    .replace("<settings>", `<settings>${param("state-dir", "{folder}/state")}`)
    .replace(/<tls>.*?<\/tls>/s, "");
}

Deno.test("the README's example publishes what it names, byte for byte and in order", async () => {
  await using broker1 = await startBroker();
  await using broker2 = await startBroker();
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  await using watcher = await Watcher.start(broker1.port, { filter: "FreeSWITCH/#" });
  await using agent = await AgentProcess.start(
    await readmeExample(broker1.port, broker2.port),
    { args: ["--esl", `127.0.0.1:${simulator.port}`] },
  );
  await agent.ready();

  for (const event of recording) simulator.fireRaw(event);
  const jobs = recording.filter((event) =>
    decoder.decode(event).includes('"Event-Name":"BACKGROUND_JOB"')
  );
  assert(jobs.length > 0);
  const received = await watcher.count("FreeSWITCH/BACKGROUND_JOB", jobs.length);
  assertSameBytes(received.map(({ payload }) => payload), jobs);

  // The will is published when the connection is closed, in order too.
  assert.equal(await agent.stop(), 0);
  const [will] = await watcher.count("FreeSWITCH/will", 1);
  assert.equal(decoder.decode(will?.payload), "broker1 connection has been closed");
});

for (const qos of [0, 1, 2] as const) {
  Deno.test(`every event of the recordings arrives byte for byte, in order, at QoS ${qos}`, async () => {
    await using broker = await startBroker();
    await using simulator = await Simulator.start({ heartbeatMs: 0 });
    await using watcher = await Watcher.start(broker.port);
    await using agent = await AgentProcess.start(configuration({
      esl: simulator,
      broker: broker.port,
      publish: [[param("event", "ALL"), param("pattern", "pbx/all"), param("qos", qos)]],
    }));
    await agent.ready();

    const events = [...recording, ...quirks];
    for (const event of events) simulator.fireRaw(event);
    const received = await watcher.count("pbx/all", events.length);
    assertSameBytes(received.map(({ payload }) => payload), events);

    const { offered, acknowledged } = await agent.connection("main");
    assert.deepEqual({ offered, acknowledged }, {
      offered: events.length,
      acknowledged: events.length,
    });
  });
}
