/** Every payload that arrives is an event as FreeSWITCH sent it, byte for byte, whatever happens. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { EarlyLink, eventMark } from "../../lib/agent/early_link.ts";
import type { LinkHandlers } from "../../lib/esl/link.ts";
import { headerReader } from "../../lib/esl/event_json.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { configOfFile } from "../config/helper.ts";
import { Witness } from "../mqtt/harness.ts";
import { numbers } from "../queue/random.ts";
import { eventually } from "../support/agent_process.ts";
import { mosquittoTest, startBroker, type TestBroker } from "../support/broker.ts";
import { configurationXml, params, RunningAgent } from "./running_agent.ts";

/** What each event is given a number by. */
const numberOf = headerReader("Number");

const TOPICS = {
  m0: { connection_name: "memory", qos: 0 },
  m1: { connection_name: "memory", qos: 1 },
  m2: { connection_name: "memory", qos: 2 },
  h0: { connection_name: "memory", qos: 0, max_rate: 200, over_rate: "hold" },
  h1: { connection_name: "memory", qos: 1, max_rate: 200, over_rate: "hold" },
  d0: { connection_name: "disk", qos: 0 },
  d1: { connection_name: "disk", qos: 1 },
  d2: { connection_name: "disk", qos: 2 },
} as const;

/** What it has for a subscriber that is slow. */
const BROKER = ["max_queued_messages 0", "max_inflight_messages 0"];

/** Topics on which nothing may be missing while the broker keeps its sessions. */
const SURE = Object.entries(TOPICS).filter(([, { qos }]) => qos > 0).map(([topic]) => topic);

/** An agent, what FreeSWITCH sent, and what arrived. */
class Bench implements AsyncDisposable {
  /** The mark of each event that was sent, by its number. */
  readonly sent = new Map<number, string>();
  readonly #below = numbers(7);
  #fired = 0;

  private constructor(
    readonly simulator: Simulator,
    readonly running: RunningAgent,
    readonly watching: EarlyLink,
    readonly witness: Witness,
  ) {}

  static async start(broker: TestBroker): Promise<Bench> {
    const simulator = await Simulator.start();
    const connection = (name: string, more: Parameters<typeof params>[0] = {}) =>
      params({
        host: "127.0.0.1",
        port: broker.port,
        client_id: name,
        clean_session: false,
        reconnect_delay: 1,
        reconnect_delay_max: 1,
        ...more,
      });
    const xml = configurationXml(simulator.port, {
      settings: params({ "event-queue-size": 20_000 }),
      connections: {
        memory: connection("memory"),
        disk: connection("disk", { spool: "disk", spool_commit_ms: 20 }),
      },
      published: Object.fromEntries(
        Object.entries(TOPICS).map((
          [topic, more],
        ) => [topic, params({ event: "CUSTOM fsmqtt::test", pattern: topic, ...more })]),
      ),
    });
    const watching = new EarlyLink(configOfFile(xml));
    const running = await RunningAgent.start(xml);
    const witness = await Witness.lasting(broker.port);
    const bench = new Bench(simulator, running, watching, witness);
    const nothing = () => {};
    const handlers: LinkHandlers = {
      event: (body) => bench.#note(body),
      eventTooLong: nothing,
      state: nothing,
      identity: nothing,
      originalModuleLoaded: nothing,
      callLegs: nothing,
      lost: nothing,
    };
    watching.giveTo(handlers, new Set());
    await running.ready();
    await eventually("both listen", () => bench.#listeners === 2 || undefined);
    return bench;
  }

  get #listeners(): number {
    return this.simulator.connections.filter((one) => one.wants("CUSTOM", "fsmqtt::test")).length;
  }

  #note(body: Uint8Array): void {
    const number = Number(numberOf(body));
    if (Number.isInteger(number)) this.sent.set(number, eventMark(body));
  }

  /** Fires so many, of all lengths, and waits until they were sent. */
  async fire(count: number): Promise<void> {
    const below = this.#below;
    for (let i = 0; i < count; i++) {
      const length = [below(300), below(4_000), below(9_000), below(90_000)][below(40) % 13 % 4];
      const Number = String(++this.#fired);
      const Padding = Buffer.alloc((length ?? 0) / 2, String(this.#fired * 7)).toString("hex");
      this.simulator.fire("CUSTOM", { Number, Padding }, { subclass: "fsmqtt::test" });
      if (i % 20 === 0) await this.simulator.flushed();
    }
    await eventually("all were sent", () => this.sent.size === this.#fired || undefined);
  }

  /** Waits until all that waits has been delivered. */
  async delivered(): Promise<void> {
    await this.running.until(
      "all is delivered",
      ({ profiles }) =>
        profiles.every(({ connections }) =>
          connections.every(({ state, queued, in_flight }) =>
            state === "connected" && queued + in_flight === 0
          )
        ),
    );
  }

  /** What arrived on a topic, by number; each as it was sent. */
  numbers(topic: string): number[] {
    return this.witness.received.filter((one) => one.topic === topic).map(({ payload }) => {
      const number = Number(numberOf(payload));
      assert.equal(eventMark(payload), this.sent.get(number), `${topic} ${number}`);
      return number;
    });
  }

  /**
   * What arrived is as it was sent, and in its order. A broker that ends may send what it had sent to
   * the witness once more, and one that is killed has not kept all that it had acknowledged.
   */
  check(broker: "stays" | "ends" | "is killed"): void {
    for (const topic of Object.keys(TOPICS)) {
      const arrived = this.numbers(topic);
      const first = [...new Set(arrived)];
      assert.deepEqual(first, first.toSorted((a, b) => a - b), `the order of ${topic}`);
      if (topic.endsWith("0") || (topic.endsWith("2") && broker === "stays")) {
        assert.equal(first.length, arrived.length, `${topic} twice`);
      }
      const isSure = SURE.includes(topic) && broker !== "is killed";
      if (isSure) assert.equal(first.length, this.#fired, topic);
    }
    for (const name of ["memory", "disk"]) {
      const { offered, acknowledged, in_flight, queued, dropped } = this.running.connection(name);
      const gone = Object.values(dropped).reduce((sum, count) => sum + count, 0);
      assert.equal(offered, acknowledged + in_flight + queued + gone, `the books of ${name}`);
      const topics = Object.values(TOPICS).filter((each) => each.connection_name === name);
      assert.equal(offered, topics.length * this.#fired, `what was offered to ${name}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.watching.link.stop();
    await this.running[Symbol.asyncDispose]();
    await this.witness[Symbol.asyncDispose]();
    await this.simulator[Symbol.asyncDispose]();
  }
}

mosquittoTest("every payload is as FreeSWITCH sent it, with a broker that keeps up", async () => {
  await using broker = await startBroker({ lines: BROKER });
  await using bench = await Bench.start(broker);
  await bench.fire(600);
  await bench.delivered();
  await bench.witness.caughtUp();
  bench.check("stays");
  for (const topic of ["m0", "d0", "h0"]) assert.equal(bench.numbers(topic).length, 600);
});

mosquittoTest(
  "every payload is as FreeSWITCH sent it, with a broker that stands still at times",
  async () => {
    await using broker = await startBroker({ lines: BROKER });
    await using bench = await Bench.start(broker);
    for (let round = 0; round < 4; round++) {
      await bench.fire(100);
      broker.freeze(true);
      await bench.fire(150);
      broker.freeze(false);
    }
    await bench.delivered();
    await bench.witness.caughtUp();
    bench.check("stays");
  },
);

mosquittoTest(
  "every payload is as FreeSWITCH sent it, with a broker that ends in order, and comes back",
  async () => {
    await using broker = await startBroker({ lines: BROKER });
    await using bench = await Bench.start(broker);
    for (let round = 0; round < 3; round++) {
      await bench.fire(100);
      await broker.stop();
      await bench.fire(150);
      await broker.start();
      await bench.fire(50);
    }
    await bench.delivered();
    await bench.witness.caughtUp();
    bench.check("ends");
  },
);

mosquittoTest(
  "every payload is as FreeSWITCH sent it, with a broker that is killed while it stands still",
  async () => {
    await using broker = await startBroker({ lines: BROKER });
    await using bench = await Bench.start(broker);
    for (let round = 0; round < 3; round++) {
      await bench.fire(100);
      broker.freeze(true);
      await bench.fire(200);
      await broker.stop("SIGKILL");
      await bench.fire(50);
      await broker.start();
      await bench.fire(50);
    }
    await bench.delivered();
    await bench.witness.caughtUp();
    bench.check("is killed");
  },
);
