/**
 * How long a command takes over MQTT, from its publication to its last answer: 100 a second, beside
 * no events and beside 2,000 events a second that are published at QoS 1. fsmqtt and mosquitto are
 * processes of their own; FreeSWITCH's part, and the sender's, are played here.
 *
 * @module
 */

import { connect } from "node:net";
import mqtt from "mqtt";
import type { ReplyDocument } from "../../../lib/commands/contract.ts";
import { Simulator } from "../../../lib/simulator/simulator.ts";
import { configuration, param } from "../../../tests/e2e/setup.ts";
import { AgentProcess } from "../../../tests/support/agent_process.ts";
import { hasMosquitto, startBroker } from "../../../tests/support/broker.ts";

const COMMANDS = 2_000;
const COMMANDS_PER_SECOND = 100;
/** A recorded call is 23 events. */
const CALLS_PER_SECOND = 87;
const ANSWERS = "bench/answers";

/** A sender of commands that waits for their end. */
class Sender {
  readonly #client: mqtt.MqttClient;
  readonly #waiting = new Map<string, (reply: ReplyDocument) => void>();
  #nextAt = performance.now();

  private constructor(client: mqtt.MqttClient) {
    this.#client = client;
    client.on("message", (_, payload) => {
      const reply: ReplyDocument = JSON.parse(payload.toString());
      if (reply.state !== "accepted") this.#waiting.get(reply.id ?? "")?.(reply);
    });
  }

  static async start(port: number): Promise<Sender> {
    const client = new mqtt.MqttClient(() => connect({ port, noDelay: true }), {
      protocolVersion: 5,
    });
    await new Promise((resolve) => client.once("connect", resolve));
    await client.subscribeAsync(ANSWERS, { qos: 1 });
    return new Sender(client);
  }

  /** Resolves when the next command is due. */
  async due(): Promise<void> {
    this.#nextAt = Math.max(this.#nextAt + 1000 / COMMANDS_PER_SECOND, performance.now());
    await new Promise((resolve) =>
      setTimeout(resolve, Math.max(0, this.#nextAt - performance.now()))
    );
  }

  /** Sends a command, and gives its last answer. */
  async run(): Promise<ReplyDocument> {
    const id = crypto.randomUUID();
    const answered = new Promise<ReplyDocument>((resolve) => this.#waiting.set(id, resolve));
    const document = { id, command: "bgapi", args: "status" };
    this.#client.publish("bench/commands", JSON.stringify(document), {
      qos: 1,
      properties: { responseTopic: ANSWERS },
    });
    const reply = await answered;
    this.#waiting.delete(id);
    return reply;
  }
}

async function measure(b: Deno.BenchContext, sender: Sender): Promise<void> {
  await sender.due();
  b.start();
  const { state } = await sender.run();
  b.end();
  if (state !== "succeeded") throw new Error(`the command ${state}`);
}

if (hasMosquitto) {
  const broker = await startBroker({ lines: ["set_tcp_nodelay true"] });
  const simulator = await Simulator.start();
  const agent = await AgentProcess.start(configuration({
    esl: simulator,
    broker: broker.port,
    connection: [param("protocol_version", "V5")],
    publish: [[param("event", "ALL"), param("pattern", "bench/events"), param("qos", 1)]],
    subscribe: [[
      param("pattern", "bench/commands"),
      param("qos", 1),
      param("bgapi_authorized", true),
      param("bgapi_allow", "status"),
      param("response_prefix", ANSWERS),
    ]],
  }));
  await agent.ready();
  const sender = await Sender.start(broker.port);
  let calls: { stop(): void } | undefined;

  addEventListener("unload", () => {
    calls?.stop();
    agent[Symbol.asyncDispose]();
    broker[Symbol.asyncDispose]();
  });

  for (
    const [name, perSecond] of [["no events", 0], ["2,000 events/s", CALLS_PER_SECOND]] as const
  ) {
    Deno.bench({
      name: `command and answer, ${name}`,
      group: "commands",
      baseline: perSecond === 0,
      n: COMMANDS,
      warmup: COMMANDS_PER_SECOND,
      async fn(b) {
        if (perSecond > 0) calls ??= simulator.callsAtRate(perSecond);
        await measure(b, sender);
      },
    });
  }
}
