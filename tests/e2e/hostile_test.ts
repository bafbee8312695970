/**
 * Hostile messages, and every allowed form, through a real broker and the whole agent; judged by
 * every byte that FreeSWITCH is sent, and by everything that is published.
 */

import assert from "node:assert/strict";
import type { ReplyDocument } from "../../lib/commands/contract.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { configurationXml, params, RunningAgent } from "../agent/running_agent.ts";
import { type Allowed, allowedForms } from "../commands/hostile/allowed.ts";
import { signed, text, TOPICS, type Transport } from "../commands/hostile/message.ts";
import { type Hostile, hostileMessages } from "../commands/hostile/payloads.ts";
import { HOSTILE_TOPICS } from "../commands/hostile/topics.ts";
import { AgentProcess } from "../support/agent_process.ts";
import { mosquittoTest, startBroker } from "../support/broker.ts";
import { latin1 } from "../support/esl_client.ts";
import { Watcher } from "../support/watcher.ts";
import { Recorder } from "../support/wire.ts";
import type { Written } from "../commands/rules.ts";

/** Where the connection of MQTT 3.1.1 takes the same commands, and answers them. */
const OLD = { narrow: "old/cmd/narrow", stored: "old/cmd/stored", answers: "old/answers" };
const STATE = "pbx/state";

/** The parameters of a topic as XML; one that is a list is given more than once. */
function topicXml(connection: string, filter: string, written: Written): string {
  const all = { connection_name: connection, pattern: filter, ...written };
  return Object.entries(all).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((each) => params({ [name]: each }))
  ).join("");
}

function configuration(eslPort: number, brokerPort: number): string {
  const connection = (version: string, more = {}) =>
    params({ host: "127.0.0.1", port: brokerPort, protocol_version: version, ...more });
  const { response_prefix: _, ...old } = HOSTILE_TOPICS["pbx/cmd/#"] ?? {};
  const topics = Object.entries(HOSTILE_TOPICS)
    .filter(([filter]) => filter !== TOPICS.amongReplies)
    .map(([filter, written], i) => [`five-${i}`, topicXml("five", filter, written)] as const);
  return configurationXml(eslPort, {
    connections: {
      five: connection("V5", { status_topic: STATE, client_id: "five", clean_session: false }),
      three: connection("V311"),
    },
    subscribed: {
      ...Object.fromEntries(topics),
      three: topicXml("three", "old/cmd/#", { ...old, response_pattern: OLD.answers }),
    },
  });
}

/** A real broker, a listener on the wire to FreeSWITCH, and a client that sends and sees all. */
class Battlefield implements AsyncDisposable {
  readonly #parts: AsyncDisposableStack;
  readonly #published = new Map<string, number>();
  #markers = 0;

  private constructor(
    readonly brokerPort: number,
    readonly simulator: Simulator,
    readonly wire: Recorder,
    readonly watcher: Watcher,
    parts: AsyncDisposableStack,
  ) {
    this.#parts = parts;
  }

  static async start(): Promise<Battlefield> {
    await using parts = new AsyncDisposableStack();
    const broker = parts.use(await startBroker());
    const simulator = parts.use(await Simulator.start({ heartbeatMs: 0 }));
    const { hostname, port } = simulator;
    const wire = parts.use(new Recorder(() => Deno.connect({ hostname, port })));
    const watcher = parts.use(await Watcher.start(broker.port, { isMqtt5: true }));
    return new Battlefield(broker.port, simulator, wire, watcher, parts.move());
  }

  get configuration(): string {
    return configuration(this.wire.port, this.brokerPort);
  }

  async publish(topic: string, payload: Uint8Array, transport: Transport = {}): Promise<void> {
    this.#published.set(topic, (this.#published.get(topic) ?? 0) + 1);
    await this.watcher.publish(topic, payload, transport);
  }

  /** Sends an allowed command over each connection, and waits until both have come. */
  async mark(): Promise<void> {
    this.#markers++;
    const marks = [
      [TOPICS.narrow, `marker-five-${this.#markers}`],
      [OLD.narrow, `marker-three-${this.#markers}`],
    ] as const;
    await Promise.all(marks.map(async ([topic, uuid]) => {
      await this.publish(topic, text(`bgapi uuid:${uuid} status`));
      await this.simulator.waitForCommand(({ headers }) =>
        headers.some(([name, value]) => name === "Job-UUID" && value === uuid)
      );
    }));
  }

  /** What FreeSWITCH was sent, packet by packet and byte by byte. */
  get packets(): string[] {
    return this.wire.connections.flatMap(({ sent }) => {
      const [end, ...packets] = latin1(sent).split("\n\n").toReversed();
      assert.equal(end, "", "half a packet");
      return packets.toReversed();
    });
  }

  /** The commands that FreeSWITCH was sent, each with its Job-UUID. What else it was sent is known. */
  get commands(): (readonly [line: string, job: string])[] {
    return this.packets.flatMap((packet) => {
      assert.match(packet, /^[\x20-\x7e]+(\n[\x20-\x7e]+)?$/, "more than a line and a header");
      if (OWN_COMMANDS.test(packet)) return [];
      const [, line, job] = /^bgapi (.+)\nJob-UUID: ([A-Za-z0-9-]{1,36})$/.exec(packet) ?? [];
      assert(line !== undefined && job !== undefined, packet);
      return [[line, job] as const];
    });
  }

  /** The commands, and no markers. */
  get lines(): string[] {
    return this.commands.filter(([, job]) => !job.startsWith("marker-")).map(([line]) => line);
  }

  /** Sees that nothing was published but by this test, or where answers may go. */
  assertNothingElsePublished(): void {
    for (const [topic, messages] of Map.groupBy(this.watcher.received, ({ topic }) => topic)) {
      if (/^pbx\/replies\/(?!cmd$)/.test(topic) || topic === OLD.answers || topic === STATE) {
        continue;
      }
      assert.equal(messages.length, this.#published.get(topic) ?? 0, `messages on ${topic}`);
    }
  }

  /** The answers that came on a topic. */
  answers(topic: string): (ReplyDocument & { readonly correlation: string | undefined })[] {
    return this.watcher.on(topic).map(({ payload, correlationData }) => ({
      ...JSON.parse(new TextDecoder().decode(payload)),
      correlation: correlationData && new TextDecoder().decode(correlationData),
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}

/** What fsmqtt asks FreeSWITCH of its own accord. */
const OWN_COMMANDS = new RegExp(
  `^(?:auth ClueCon|event json [A-Z_ ]+|nixevent [A-Z_ ]+|noevents|exit` +
    "|api (?:status|global_getvar core_uuid|hostname|switchname|global_getvar (?:hostname|switchname)" +
    "|module_exists mod_mosquitto))$",
);

/**
 * Whether a message comes as it is meant: mosquitto takes one that is good for no time for one that
 * is good for ever, and no configuration takes commands from among its answers.
 */
function comesAsMeant({ transport = {} }: Hostile): boolean {
  return transport.expirySeconds !== 0 && transport.responseTopic !== TOPICS.amongReplies;
}

/** Sends them over each connection that can take them; how many allowed ones there were among them. */
async function sendHostile(field: Battlefield, messages: readonly Hostile[]): Promise<number> {
  const sent: Promise<void>[] = [];
  let allowed = 0;
  for (const { group, payload, transport, after } of messages) {
    const topic = transport?.topic ?? TOPICS.narrow;
    if (after !== undefined) {
      sent.push(field.publish(topic, after, transport));
      allowed++;
    }
    sent.push(field.publish(topic, payload, transport));
    // There nothing came before.
    const isCopy = group === "duplicated";
    if (transport === undefined && !isCopy) sent.push(field.publish(OLD.narrow, payload));
  }
  await Promise.all(sent);
  await field.mark();
  return allowed;
}

mosquittoTest("no hostile message reaches FreeSWITCH, over MQTT 5 or 3.1.1", async () => {
  await using field = await Battlefield.start();
  const groups = Map.groupBy(
    hostileMessages(new Date()).filter(comesAsMeant),
    ({ group }) => group,
  );
  // Stored before anybody listens.
  for (const [i, { payload, transport = {} }] of (groups.get("retained") ?? []).entries()) {
    if (transport.topic !== undefined) continue;
    await field.publish(`pbx/cmd/stored/${i}`, payload, transport);
    await field.publish(`${OLD.stored}/${i}`, payload, { retain: true });
  }
  await using agent = await RunningAgent.start(field.configuration);
  await agent.ready();
  await field.mark();
  assert.deepEqual(field.lines, [], "of what was stored");

  let ran = 0;
  for (const [group, messages] of groups) {
    ran += await sendHostile(field, messages);
    assert.equal(field.lines.length, ran, `of ${group}: ${JSON.stringify(field.lines)}`);
  }
  for (const line of field.lines) assert.match(line, /^(status|originate user\/1000 &park)$/);
  field.assertNothingElsePublished();
  const { profiles: [profile] } = agent.agent.status();
  const [narrow] = profile?.subscribers[0]?.topics ?? [];
  assert((narrow?.commands_refused ?? 0) > 800, JSON.stringify(narrow));
});

mosquittoTest("every allowed form runs, and is answered where that is asked for", async () => {
  await using field = await Battlefield.start();
  await using agent = await RunningAgent.start(field.configuration);
  await agent.ready();
  for (const { name, payload, transport, line, job } of allowedForms(new Date())) {
    const before = field.commands.length;
    await field.publish(transport?.topic ?? TOPICS.narrow, payload, transport);
    await field.mark();
    const [command, ...rest] = field.commands.slice(before)
      .filter(([, job]) => !job.startsWith("marker-"));
    assert.deepEqual([command?.[0], rest], [line, []], name);
    if (job !== undefined) assert.equal(command?.[1], job, name);
  }
  await assertAnswered(field, allowedForms(new Date()));
  field.assertNothingElsePublished();
});

/** Each request was accepted and has succeeded, under the id and the data of its own. */
async function assertAnswered(field: Battlefield, forms: readonly Allowed[]): Promise<void> {
  const asked = forms.filter(({ transport }) => transport?.responseTopic !== undefined);
  const topic = `${TOPICS.replies}/allowed`;
  await field.watcher.count(topic, 2 * asked.length);
  const answers = field.answers(topic);
  for (const { name, id, transport } of asked) {
    const correlation = new TextDecoder().decode(transport?.correlationData);
    const own = answers.filter((answer) => answer.id === id && answer.correlation === correlation);
    assert.deepEqual(own.map(({ state }) => state), ["accepted", "succeeded"], name);
  }
}

mosquittoTest("over MQTT 3.1.1 a command is answered where the owner says", async () => {
  await using field = await Battlefield.start();
  await using agent = await RunningAgent.start(field.configuration);
  await agent.ready();
  await field.publish(OLD.narrow, text('{"command":"bgapi","args":"status","id":"a"}'));
  await field.publish(OLD.narrow, text('{"command":"bgapi","args":"version","id":"b"}'));
  await field.publish(OLD.narrow, text("nonsense"));
  await field.watcher.count(OLD.answers, 3);
  await field.mark();
  const answers = (wanted: string) =>
    field.answers(OLD.answers).filter(({ id }) => id === wanted)
      .map(({ state, reason }) => [state, reason]);
  assert.deepEqual(answers("a"), [["accepted", undefined], ["succeeded", undefined]]);
  assert.deepEqual(answers("b"), [["rejected", "not_allowed"]]);
  assert(field.answers(OLD.answers).every(({ id }) => id !== null));
});

mosquittoTest("nothing that ran before a kill -9 runs again after it", async () => {
  await using field = await Battlefield.start();
  await using agent = await AgentProcess.start(field.configuration);
  await agent.ready();
  const now = new Date();
  const request = { responseTopic: `${TOPICS.replies}/killed`, correlationData: text("a") };
  const once: readonly (readonly [Uint8Array, Transport])[] = [
    [text("bgapi uuid:once status"), {}],
    [text('{"command":"bgapi","args":"status","id":"twice"}'), {}],
    [text("originate user/1000 &park"), request],
    [
      signed(JSON.stringify({
        command: "bgapi",
        args: "status",
        id: "signed-once",
        issued_at: now.toISOString(),
      })),
      { topic: TOPICS.signed },
    ],
  ];
  const send = async () => {
    for (const [payload, transport] of once) {
      await field.publish(transport.topic ?? TOPICS.narrow, payload, transport);
    }
  };
  await send();
  await field.mark();
  assert.deepEqual(field.lines.length, once.length);
  await agent.stop("SIGKILL");
  // Its session lasts: what comes now waits for it.
  await send();
  await agent.startAgain();
  await agent.ready();
  await send();
  await field.mark();
  assert.equal(field.lines.length, once.length);
  field.assertNothingElsePublished();
});

mosquittoTest("a session that lasts does not run the commands of yesterday", async () => {
  await using field = await Battlefield.start();
  await using before = await RunningAgent.start(field.configuration);
  await before.ready();
  await before.stop();
  const yesterday = new Date(Date.now() - 86_400_000).toISOString();
  const today = new Date().toISOString();
  const command = (args: object) =>
    JSON.stringify({ command: "originate", endpoint: "user/1000", app: "park", ...args });
  await field.publish(TOPICS.narrow, text(command({ issued_at: yesterday })));
  await field.publish(TOPICS.narrow, text(command({ issued_at: yesterday, id: "y" })));
  await field.publish(TOPICS.signed, signed(command({ issued_at: yesterday, id: "y" })));
  await field.publish(TOPICS.narrow, text(command({ issued_at: today })));
  await field.publish(TOPICS.narrow, text(command({ issued_at: today })), { expirySeconds: 60 });
  await using agent = await RunningAgent.start(field.configuration, before.folder);
  await agent.ready();
  await field.mark();
  // What waits comes at once, and waits for FreeSWITCH.
  assert.deepEqual(field.lines, ["originate user/1000 &park", "originate user/1000 &park"]);
  assert.equal(
    agent.log.filter((line) => /`issued_at` is 864\d\d s in the past/.test(line)).length,
    3,
  );
});
