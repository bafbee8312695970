/**
 * One row of the table of TLS: an agent is led to a broker with some settings, and what comes of it
 * is what the row says.
 *
 * @module
 */

import assert from "node:assert/strict";
import { statusText } from "../../lib/cli/status_text.ts";
import type { ConnectionStatus } from "../../lib/control/status.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { configurationXml, params, RunningAgent } from "../agent/running_agent.ts";
import { latin1 } from "../support/esl_client.ts";
import { Watcher } from "../support/watcher.ts";
import { agreementIn, assertNothingInClear, type Recorder } from "../support/wire.ts";
import type { Door, TlsBrokers } from "./tls_brokers.ts";
import { KEY_PASSWORD, PSK } from "./tls_certificates.ts";

/** Parameters of `<tls>`; files are named by their place in the folder of certificates. */
export type TlsParameters = Readonly<Record<string, string | boolean>>;

/** A row of the table. */
export interface Row {
  /** What it shows. */
  readonly shows: string;
  /** The broker. */
  readonly at: Door;
  /** The broker's name to the agent. @default localhost */
  readonly host?: string;
  /** What is asked for. */
  readonly tls: TlsParameters;
  /** What comes of it. */
  readonly outcome: Connected | Refused;
}

/** A connection is made, and everything works over it. */
export interface Connected {
  /** The version of TLS. */
  readonly version: string;
  /** The cipher, if only that one is right. */
  readonly cipher?: string;
  /** Bytes that the ClientHello must have. */
  readonly helloHas?: string;
  /** Bytes that it must not have. */
  readonly helloLacks?: string;
}

/** No connection is made. */
export interface Refused {
  /** The reason that is given. */
  readonly refused: RegExp;
  /** The state it is in. @default refused */
  readonly state?: "waiting";
  /** Whether the broker hears of it at all. @default {true} */
  readonly isHeardOf?: boolean;
}

/** `<tls>` for Deno's own TLS, and what more has OpenSSL do the same by ciphers that all have. */
export const BY: Readonly<Record<"Deno" | "OpenSSL", TlsParameters>> = {
  Deno: {},
  OpenSSL: {
    advanced_options: true,
    opts_ciphers:
      "TLS_AES_256_GCM_SHA384:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384",
  },
};

const FILES = ["cafile", "capath", "certfile", "keyfile", "keyfile_password_file"];

const PASSWORD = "the-broker-password";
const CONNECTION = { client_id: "the-client-id", username: "the-user-name", password: PASSWORD };
const WILL = { enable: true, topic: "said/at-the-end", payload: "these-were-the-last-words" };
const EVENT = "said/event";
const COMMAND = "said/command";

/** What nobody may be shown. */
const SECRETS = [PASSWORD, KEY_PASSWORD, PSK];

/** What must not go over the wire in the clear. */
export const SAYINGS = [
  ...["MQTT", "MQIsdp", EVENT, COMMAND, WILL.topic, WILL.payload, "HEARTBEAT"],
  ...[...Object.values(CONNECTION), ...SECRETS, latin1(Uint8Array.fromHex(PSK))],
];

/** What a row is made of: an agent between a simulator and a broker, and who looks on. */
export class Bench implements AsyncDisposable {
  readonly #parts: AsyncDisposableStack;

  private constructor(
    parts: AsyncDisposableStack,
    /** FreeSWITCH. */
    readonly simulator: Simulator,
    /** Somebody else at the broker. */
    readonly witness: Watcher,
    /** What is between the agent and the broker. */
    readonly wire: Recorder,
    /** The agent. */
    readonly running: RunningAgent,
  ) {
    this.#parts = parts;
  }

  /** Starts everything; the agent is connected to FreeSWITCH then, and on its way to the broker. */
  static async start(brokers: TlsBrokers, row: Pick<Row, "at" | "host" | "tls">): Promise<Bench> {
    await using parts = new AsyncDisposableStack();
    const simulator = parts.use(await Simulator.start({ heartbeatMs: 0 }));
    const witness = parts.use(await Watcher.start(brokers.plainPort));
    const wire = parts.use(await brokers.record(row.at));
    const xml = configuration(simulator.port, brokers, wire.port, row);
    const running = parts.use(await RunningAgent.start(xml));
    await simulator.waitForSubscription("HEARTBEAT");
    return new Bench(parts.move(), simulator, witness, wire, running);
  }

  /** The agent's connection. */
  get connection(): ConnectionStatus {
    return this.running.connection("c");
  }

  /** Waits until the agent is connected to the broker, or has a reason not to be. */
  async settled(): Promise<void> {
    await this.running.until("there is an end to connecting", () => {
      const { state, reason } = this.connection;
      return state === "connected" || reason !== undefined;
    });
  }

  /** Waits until the agent is connected to the broker. */
  async connected(): Promise<void> {
    await this.running.untilConnection("c", "connected");
  }

  /** Sees that an event arrives and that a command is run, so many so far. */
  async seeMessages(times = 1): Promise<void> {
    const { simulator, witness, running } = this;
    simulator.fireHeartbeat();
    await witness.count(EVENT, times);
    await running.until("it is acknowledged", () => this.connection.acknowledged === times);
    await witness.publish(COMMAND, "bgapi version");
    await running.until("the command is run", ({ profiles: [profile] }) => {
      return profile?.subscribers[0]?.topics[0]?.commands_run === times;
    });
    const commands = simulator.received.filter(({ command }) => command === "bgapi version");
    assert.equal(commands.length, times);
  }

  /** Sees that no secret is in the log or the status. */
  assertShowsNoSecret(): void {
    const status = this.running.agent.status();
    const shown = [...this.running.log, JSON.stringify(status), statusText(status)].join("\n");
    for (const secret of SECRETS) assert(!shown.includes(secret), secret);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}

/** Sees that the row comes out as it says. */
export async function see(brokers: TlsBrokers, row: Row): Promise<void> {
  await using bench = await Bench.start(brokers, row);
  if ("refused" in row.outcome) await seeRefused(bench, row.outcome);
  else await seeConnected(bench, row.outcome);
}

async function seeConnected(bench: Bench, outcome: Connected): Promise<void> {
  const { version, cipher, helloHas = "", helloLacks } = outcome;
  const { wire, running } = bench;
  await bench.settled();
  const { state, reason, tls_session } = bench.connection;
  assert.equal(state, "connected", `${reason}\n${running.log.join("\n")}`);
  const [first] = wire.connections;
  assert(first !== undefined);
  assert.deepEqual(tls_session, agreementIn(first));
  assert.equal(tls_session?.version, version);
  if (cipher !== undefined) assert.equal(tls_session?.cipher, cipher);
  const hello = latin1(first.sent);
  assert(hello.includes(helloHas), hello);
  assert(helloLacks === undefined || !hello.includes(helloLacks), hello);
  await bench.seeMessages();
  bench.assertShowsNoSecret();
  await running.stop();
  assertNothingInClear(wire.connections, SAYINGS);
  assert.equal(wire.connections.length, 1);
}

async function seeRefused(bench: Bench, outcome: Refused): Promise<void> {
  const { refused, state, isHeardOf = true } = outcome;
  const { simulator, witness, wire, running } = bench;
  simulator.fireHeartbeat();
  await running.until("there is something to say", () => bench.connection.offered === 1);
  await bench.settled();
  const { connection } = bench;
  assert.match(connection.reason ?? connection.state, refused);
  assert.equal(connection.state, state ?? "refused");
  assert.equal(connection.queued, 1);
  assert.equal(connection.tls_session, undefined);
  assert(running.log.some((line) => line.includes(connection.reason ?? "")));
  bench.assertShowsNoSecret();
  await running.stop();
  assertNothingInClear(wire.connections, SAYINGS);
  assert.equal(wire.connections.length > 0, isHeardOf);
  await witness.publish("the/end", "");
  await witness.count("the/end", 1);
  assert.deepEqual(witness.received.map(({ topic }) => topic), ["the/end"]);
}

/** The configuration of an agent that publishes heartbeats and takes commands. */
function configuration(
  eslPort: number,
  brokers: TlsBrokers,
  port: number,
  { host = "localhost", tls }: Pick<Row, "host" | "tls">,
): string {
  const values = Object.entries(tls).map(([name, value]) =>
    [name, FILES.includes(name) ? brokers.path(String(value)) : value] as const
  );
  // Whoever falls back to MQTT in clear, or to the other port, reaches a broker.
  const connection = params({ host, port: brokers.plainPort, ...CONNECTION }) +
    `<tls>${params({ enable: true, port, ...Object.fromEntries(values) })}</tls>` +
    `<will>${params(WILL)}</will>`;
  const topic = { connection_name: "c", qos: 1 };
  return configurationXml(eslPort, {
    settings: params({ "log-level": "debug", "log-details": true }),
    connections: { c: connection },
    published: { beat: params({ ...topic, event: "HEARTBEAT", pattern: EVENT }) },
    subscribed: { command: params({ ...topic, pattern: COMMAND, bgapi_authorized: true }) },
  });
}
