import assert from "node:assert/strict";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { AgentProcess } from "../support/agent_process.ts";
import { mosquittoTest, startBroker } from "../support/broker.ts";
import { Watcher } from "../support/watcher.ts";
import { configuration, param, Switch } from "./setup.ts";

const JOBS = [param("event", "BACKGROUND_JOB"), param("pattern", "pbx/jobs"), param("qos", 1)];

function commandTopic(
  pattern: string,
  { bgapi = false, originate = false }: { bgapi?: boolean; originate?: boolean },
): string[] {
  return [
    param("pattern", pattern),
    param("qos", 1),
    param("bgapi_authorized", bgapi),
    param("originate_authorized", originate),
  ];
}

function bgapiCommands(simulator: Simulator): string[] {
  return simulator.received.map(({ command }) => command).filter((line) =>
    line.startsWith("bgapi")
  );
}

const FORBIDDEN = [
  "bgapi status",
  "BGAPI status",
  "bgapi originate user/1000 &park",
  "originate user/1000 &park",
];

Deno.test("on a topic with both flags false nothing reaches FreeSWITCH, retained or not", async () => {
  await using broker = await startBroker();
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  await using watcher = await Watcher.start(broker.port, { filter: "none" });
  for (const [i, command] of FORBIDDEN.entries()) {
    await watcher.publish(`pbx/denied/stored${i}`, command, { retain: true });
    await watcher.publish(`pbx/allowed/stored${i}`, command, { retain: true });
  }
  await using agent = await AgentProcess.start(configuration({
    esl: simulator,
    broker: broker.port,
    subscribe: [
      commandTopic("pbx/denied/#", {}),
      commandTopic("pbx/allowed/#", { bgapi: true, originate: true }),
    ],
  }));
  await agent.ready();
  for (const command of FORBIDDEN) await watcher.publish("pbx/denied/now", command);
  for (const command of FORBIDDEN) {
    await watcher.publish("pbx/denied/now", command, { retain: true });
  }
  // What is allowed comes last, and shows that the others have been dealt with.
  await watcher.publish("pbx/allowed/now", "bgapi version");
  await simulator.waitForCommand(({ command }) => command === "bgapi version");

  assert.deepEqual(bgapiCommands(simulator), ["bgapi version"]);
  const { profiles: [profile] } = await agent.status();
  const [denied, allowed] = profile?.subscribers[0]?.topics ?? [];
  assert.equal(denied?.commands_run, 0);
  assert.equal(denied?.commands_refused, 3 * FORBIDDEN.length);
  assert.equal(allowed?.commands_run, 1);
  assert.equal(allowed?.commands_refused, FORBIDDEN.length);
  await agent.logs(/Refused a command on "pbx\/denied\/now".*bgapi_authorized is false/);
});

Deno.test("each flag allows its own kind, and `bgapi originate` needs both", async () => {
  await using broker = await startBroker();
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  await using watcher = await Watcher.start(broker.port, { filter: "none" });
  await using agent = await AgentProcess.start(configuration({
    esl: simulator,
    broker: broker.port,
    subscribe: [
      commandTopic("bgapi", { bgapi: true }),
      commandTopic("originate", { originate: true }),
      commandTopic("both/+", { bgapi: true, originate: true }),
    ],
  }));
  await agent.ready();
  const calls = [
    "originate {origination_caller_id_number=19005551212}" +
    "sofia/internal/sip:1000@192.168.1.1:58289 9386 XML default",
    "originate {origination_caller_id_number=9005551212}" +
    "sofia/default/whatever@wherever 19005551212 XML default",
  ];
  await watcher.publish("bgapi", "bgapi show registrations");
  await watcher.publish("bgapi", calls[0] ?? "");
  await watcher.publish("bgapi", `bgapi ${calls[0]}`);
  await watcher.publish("bgapi", "bgapi expand originate user/1000 &park");
  await watcher.publish("originate", "bgapi status");
  await watcher.publish("originate", `bgapi ${calls[0]}`);
  for (const call of calls) await watcher.publish("originate", call);
  await watcher.publish("both/x", `BgApi ${calls[1]}`);
  await watcher.publish("both/x", "bgapi version");
  await simulator.waitForCommand(({ command }) => command === "bgapi version");

  assert.deepEqual(bgapiCommands(simulator), [
    "bgapi show registrations",
    ...calls.map((call) => `bgapi ${call}`),
    `bgapi ${calls[1]}`,
    "bgapi version",
  ]);
});

Deno.test("a command's result comes as BACKGROUND_JOB, under the id that was chosen", async () => {
  await using broker = await startBroker();
  await using freeswitch = await Switch.start();
  await using watcher = await Watcher.start(broker.port, { filter: "pbx/jobs" });
  await using agent = await AgentProcess.start(configuration({
    esl: freeswitch.target,
    broker: broker.port,
    publish: [JOBS],
    subscribe: [commandTopic("pbx/+/command", { bgapi: true })],
  }));
  await agent.ready();
  const uuid = crypto.randomUUID();
  await watcher.publish("pbx/one/command", `bgapi uuid:${uuid} echo ${uuid} works`);
  await watcher.publish("pbx/one/command", "bgapi status");
  const results = (await watcher.count("pbx/jobs", 2)).map(({ payload }) =>
    JSON.parse(new TextDecoder().decode(payload))
  );
  const echoed = results.find((job) => job["Job-UUID"] === uuid);
  assert.equal(echoed["Job-Command"], "echo");
  assert.equal(echoed["_body"], `${uuid} works`);
  assert(results.some((job) => job["Job-Command"] === "status" && /^UP /.test(job["_body"])));
});

mosquittoTest(
  "a command sent in MQTT 5 runs, and one published to be stored does not",
  async () => {
    await using broker = await startBroker();
    await using simulator = await Simulator.start({ heartbeatMs: 0 });
    await using watcher = await Watcher.start(broker.port, { filter: "none" });
    await watcher.publish("cmd", "bgapi stored-before", { retain: true });
    await using agent = await AgentProcess.start(configuration({
      esl: simulator,
      broker: broker.port,
      connection: [param("protocol_version", "V5")],
      subscribe: [commandTopic("cmd", { bgapi: true })],
    }));
    await agent.ready();
    await watcher.publish("cmd", "bgapi stored-now", { retain: true });
    await watcher.publish("cmd", "bgapi version");
    await simulator.waitForCommand(({ command }) => command === "bgapi version");
    assert.deepEqual(bgapiCommands(simulator), ["bgapi version"]);
  },
);

Deno.test("a command for a FreeSWITCH that is away is refused, not kept for later", async () => {
  await using broker = await startBroker();
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  await using watcher = await Watcher.start(broker.port, { filter: "none" });
  await using agent = await AgentProcess.start(configuration({
    esl: simulator,
    broker: broker.port,
    subscribe: [commandTopic("cmd", { bgapi: true })],
  }));
  await agent.ready();
  await simulator.stopListening();
  simulator.closeConnections();
  await agent.until("FreeSWITCH is away", ({ freeswitch }) => freeswitch.state === "connecting");
  await watcher.publish("cmd", "bgapi status");
  await agent.logs(/Refused a command on "cmd" .*: FreeSWITCH is not connected/);
  simulator.listen();
  await agent.ready();
  await watcher.publish("cmd", "bgapi version");
  await simulator.waitForCommand(({ command }) => command === "bgapi version");
  assert.deepEqual(bgapiCommands(simulator), ["bgapi version"]);
});
