/**
 * All that a row needs: brokers, a FreeSWITCH, an agent between them, subscribers that lose nothing,
 * ledgers, and an eye on the books.
 *
 * @module
 */

import type { ConnectionStatus, StatusReport } from "../../lib/control/status.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { param } from "../e2e/setup.ts";
import { AgentProcess, eventually } from "../support/agent_process.ts";
import { startBroker, type TestBroker } from "../support/broker.ts";
import { Watcher } from "../support/watcher.ts";
import { Lane, type LaneOptions } from "./lane.ts";
import { type Allowed, imbalance, judge, type Outcome } from "./outcome.ts";
import { Source } from "./source.ts";

/** What a row is set up with. */
export interface BenchOptions {
  /** The lanes. */
  readonly lanes: readonly LaneOptions[];
  /** How many brokers there are. @default {1} */
  readonly brokers?: number;
  /** `<settings>` beside the usual ones, or in their place. @default {{}} */
  readonly settings?: Readonly<Record<string, number>>;
  /** A command line that becomes the agent's; `{folder}` stands for the agent's folder. */
  readonly wrap?: readonly string[];
}

/** The broker itself drops nothing, and nothing waits in it for room. */
const GENEROUS_BROKER = [
  "max_queued_messages 0",
  "max_inflight_messages 0",
  "queue_qos0_messages true",
];

/** No bound is hit unless a row wants to. */
const GENEROUS_QUEUE = { "event-queue-size": 10_000_000, "event-queue-bytes": 4 * 1024 ** 3 };

/** How often the books are looked at. */
const POLL_MS = 50;
/** Long enough for a backlog on a machine under load. */
const SETTLE_MS = 180_000;

/** The parts of a row, connected and running. */
export class Bench implements AsyncDisposable {
  readonly #owned: AsyncDisposableStack;
  readonly #watchers = new Map<TestBroker, Watcher>();
  readonly #marks = new Set<string>();
  readonly #faults = new Set<string>();
  readonly #last = new Map<string, ConnectionStatus>();
  #polling: Promise<void> = Promise.resolve();
  #ended = false;
  #expectsDeath = false;
  /** The brokers. */
  readonly brokers: readonly TestBroker[];
  /** FreeSWITCH. */
  readonly simulator: Simulator;
  /** The lanes. */
  readonly lanes: readonly Lane[];
  /** The load; silent at first. */
  readonly source: Source;
  /** The agent. */
  readonly agent: AgentProcess;

  private constructor(
    owned: AsyncDisposableStack,
    brokers: readonly TestBroker[],
    simulator: Simulator,
    lanes: readonly Lane[],
    agent: AgentProcess,
  ) {
    this.#owned = owned;
    this.brokers = brokers;
    this.simulator = simulator;
    this.lanes = lanes;
    this.agent = agent;
    this.source = new Source(simulator, lanes.map(({ ledger }) => ledger));
  }

  /** Starts all parts; resolves when the agent is connected on all sides. */
  static async start(options: BenchOptions): Promise<Bench> {
    await using owned = new AsyncDisposableStack();
    const brokers: TestBroker[] = [];
    while (brokers.length < (options.brokers ?? 1)) {
      brokers.push(owned.use(await startBroker({ lines: GENEROUS_BROKER })));
    }
    const simulator = owned.use(await Simulator.start({ heartbeatMs: 0 }));
    const lanes: Lane[] = [];
    for (const each of options.lanes) {
      lanes.push(owned.adopt(await Lane.make(each, brokers), (lane) => lane.close()));
    }
    const settings = Object.entries({ ...GENEROUS_QUEUE, ...options.settings })
      .map(([name, value]) => param(name, value));
    const agent = owned.use(
      await AgentProcess.start(
        configuration(simulator, lanes, settings),
        options.wrap === undefined ? {} : { wrap: options.wrap },
      ),
    );
    const bench = new Bench(owned.move(), brokers, simulator, lanes, agent);
    try {
      for (const broker of brokers) await bench.#watch(broker);
      await bench.ready();
    } catch (error) {
      await bench[Symbol.asyncDispose]();
      throw error;
    }
    bench.#polling = bench.#pollBooks();
    return bench;
  }

  /** The lane of this name. */
  lane(name: string): Lane {
    const lane = this.lanes.find((each) => each.name === name);
    if (lane === undefined) throw new RangeError(`no lane ${name}`);
    return lane;
  }

  /** The status of a lane's connection when it was last looked at. */
  books(lane: Lane): ConnectionStatus | undefined {
    return this.#last.get(lane.name);
  }

  /** Waits until the agent is connected on all sides, and subscribed to all events. */
  async ready(): Promise<void> {
    await this.agent.ready();
    await eventually("the agent listens", () => this.source.isHeard || undefined);
  }

  /** Waits until this holds. */
  async until(what: string, holds: () => boolean): Promise<void> {
    await eventually(what, () => holds() || undefined);
  }

  /** Waits until the connections of all lanes, or of one, are in this state or not. */
  async connections(
    what: string,
    wanted: (connection: ConnectionStatus) => boolean,
    lane?: Lane,
  ): Promise<void> {
    await this.agent.until(what, (status) => {
      const all = connectionsOf(status);
      return all.filter(({ name }) => lane === undefined || name === lane.name).every(wanted);
    });
  }

  /** Kills the agent as a power cut does; the books are not looked at until it is back. */
  async kill(): Promise<void> {
    this.expectEnd();
    await this.agent.stop("SIGKILL");
    this.source.deadConnections = this.simulator.accepted;
  }

  /** From here on the agent need not answer, until {@linkcode revive}. */
  expectEnd(): void {
    this.#expectsDeath = true;
  }

  /** Starts an ended agent on the same folder, and waits until it listens to FreeSWITCH. */
  async revive(): Promise<void> {
    this.source.deadConnections = this.simulator.accepted;
    await this.agent.startAgain();
    await this.agent.until(
      "it listens again",
      ({ freeswitch }) => freeswitch.state === "connected",
    );
    await eventually("it listens again", () => this.source.isHeard || undefined);
    this.#expectsDeath = false;
  }

  /**
   * Waits until everything that the agent has is delivered, and the subscribers have it.
   *
   * @param newBooks Whether the agent's books do not count everything fired.
   */
  async settle({ newBooks = false }: Allowed = {}): Promise<void> {
    this.source.stop();
    await this.simulator.flushed();
    const goal = new Map(this.lanes.map((lane) => [lane.name, newBooks ? 0 : lane.ledger.fired]));
    await eventually("everything is delivered", async () => {
      const connections = connectionsOf(await this.agent.status());
      const isDone = connections.every(({ name, offered, queued, in_flight }) =>
        offered >= (goal.get(name) ?? 0) && queued === 0 && in_flight === 0
      );
      // Books that began anew do not tell what is still to be read from the event socket.
      const hasLast = !newBooks || this.lanes.every(({ ledger }) => ledger.hasLast);
      return isDone && hasLast || undefined;
    }, SETTLE_MS);
    for (const broker of this.brokers) await this.subscribed(broker);
    for (const each of connectionsOf(await this.agent.status())) this.#look(each);
  }

  /** Waits until the broker's subscriber has received all that was published to it before. */
  async subscribed(broker: TestBroker): Promise<void> {
    const watcher = this.#watchers.get(broker);
    if (watcher === undefined) throw new Error("nobody watches that broker");
    await eventually("the subscriber has caught up", async () => {
      // One that comes before the subscription is renewed is never seen.
      const mark = crypto.randomUUID();
      await watcher.publish(MARKS, mark, { qos: 2 });
      const deadline = performance.now() + 2_000;
      while (!this.#marks.delete(mark)) {
        if (performance.now() > deadline) return undefined;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return true;
    }, SETTLE_MS);
  }

  /** What became of each lane. Call it after {@linkcode settle}. */
  outcomes(
    row: number,
    allowed: Allowed = {},
    notes: (lane: Lane) => readonly string[] = () => [],
  ): Outcome[] {
    return this.lanes.map((lane) => {
      const books = this.#last.get(lane.name);
      const tally = lane.ledger.tally();
      const failures = books === undefined
        ? ["its books were never seen"]
        : judge(lane.qos, tally, books, allowed);
      const faults = [...this.#faults].filter((fault) => fault.startsWith(`${lane.name}: `));
      return {
        row,
        lane: lane.name,
        tally,
        books,
        notes: notes(lane),
        failures: [...failures, ...faults],
      };
    });
  }

  /** Ends all parts. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.source.stop();
    this.#ended = true;
    await this.#polling;
    for (const watcher of this.#watchers.values()) await watcher[Symbol.asyncDispose]();
    await this.#owned[Symbol.asyncDispose]();
  }

  async #watch(broker: TestBroker): Promise<void> {
    const lanes = new Map(
      this.lanes.filter((lane) => lane.broker === broker).map((lane) => [lane.topic, lane.ledger]),
    );
    const watcher = await Watcher.start(broker.port, {
      clientId: "subscriber",
      take: ({ topic, payload, dup }) => {
        if (topic === MARKS) this.#marks.add(new TextDecoder().decode(payload));
        else lanes.get(topic)?.receive(payload, performance.now(), dup);
      },
    });
    this.#watchers.set(broker, watcher);
  }

  async #pollBooks(): Promise<void> {
    while (!this.#ended) {
      try {
        for (const each of connectionsOf(await this.agent.status())) this.#look(each);
      } catch (error) {
        if (!this.#expectsDeath && !this.#ended) {
          for (const { name } of this.lanes) {
            this.#faults.add(`${name}: no status: ${(error as Error).message.split("\n")[0]}`);
          }
        }
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  #look(connection: ConnectionStatus): void {
    this.#last.set(connection.name, connection);
    const fault = imbalance(connection);
    // One is enough to fail, and says the most.
    const isKnown = [...this.#faults].some((each) => each.startsWith(`${connection.name}: the`));
    if (fault !== undefined && !isKnown) this.#faults.add(`${connection.name}: ${fault}`);
  }
}

const MARKS = "subscriber/marks";

function connectionsOf({ profiles }: StatusReport): readonly ConnectionStatus[] {
  return profiles.flatMap(({ connections }) => connections);
}

function configuration(
  simulator: Simulator,
  lanes: readonly Lane[],
  settings: readonly string[],
): string {
  return `<configuration name="mosquitto.conf">
  <settings>
    ${param("esl-host", simulator.hostname)}
    ${param("esl-port", simulator.port)}
    ${param("esl-password", simulator.password)}
    ${param("state-dir", "{folder}/state")}
    ${settings.join("\n    ")}
  </settings>
  <profiles><profile name="faults">
    <connections>${lanes.map(({ connectionXml }) => connectionXml).join("\n")}</connections>
    <publishers><publisher name="p"><topics>
      ${lanes.map(({ topicXml }) => topicXml).join("\n")}
    </topics></publisher></publishers>
  </profile></profiles>
</configuration>
`;
}
