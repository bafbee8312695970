/**
 * All processes of one measurement: event source, contender, broker and subscriber.
 *
 * @module
 */

import { residentOf } from "../../measure/memory.ts";
import type { BridgeOptions } from "../programs/bridge.ts";
import type { PublishLimit, PublishLimitOptions } from "../programs/publish_limit.ts";
import type { ReadLimitOptions } from "../programs/read_limit.ts";
import type { Source } from "../programs/source.ts";
import { PASSWORD } from "../wire/esl_server.ts";
import type { Feeder, Receiver } from "../wire/roles.ts";
import { type SeriesName, seriesNames } from "../wire/series.ts";
import { nowMicros } from "../wire/time.ts";
import { Agent } from "./agent.ts";
import {
  type AgentOptions,
  copiesOf,
  type Layout,
  ONE_TOPIC,
  type QueueBounds,
  TOPIC_ROOT,
} from "./agent_configuration.ts";
import { Child, type ChildOptions, Steered } from "./child.ts";
import type { Contender } from "./contenders.ts";
import { GC_TRACE } from "./gc_trace.ts";
import { type Broker, calmBroker, calmProgram, program, subscriber } from "./parts.ts";
import { sleep } from "./within.ts";

/** What a scene is made for. */
export interface SceneOptions {
  /** Who is measured. */
  readonly contender: Contender;
  /** Which events. */
  readonly series: SeriesName;
  /** How they are published. */
  readonly qos: 0 | 1 | 2;
  /** fsmqtt's command line; `{config}` and `{control}` in it stand for those of a run. */
  readonly fsmqtt: readonly string[];
  /** Where fsmqtt publishes. @default {ONE_TOPIC} */
  readonly layout?: Layout;
  /** How much waits in fsmqtt; `own` is its own default. @default {ENDLESS} */
  readonly queue?: QueueBounds | "own";
  /** Takes each line that V8 tells of its garbage collections. @default nothing is told */
  readonly onGcLine?: (line: string) => void;
}

/** fsmqtt's own default of `send_maximum`. */
const WINDOW = 20;
const TOPIC = `${TOPIC_ROOT}/events`;
const IDLE_MS = 500;

/** The processes, from their start to their end. */
export class Scene implements AsyncDisposable {
  readonly #options: SceneOptions;
  readonly #parts: AsyncDisposable[] = [];
  #broker: Broker | undefined;
  #feeder: Steered<Feeder> | undefined;
  #receiver: Steered<Receiver> | undefined;
  #measured: Child | undefined;
  #startedAt = NaN;

  private constructor(options: SceneOptions) {
    this.#options = options;
  }

  /** Starts them. They may not be connected yet. */
  static async start(options: SceneOptions): Promise<Scene> {
    const scene = new Scene(options);
    try {
      await scene.#start();
      return scene;
    } catch (error) {
      await scene[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Who sends. */
  get feeder(): Steered<Feeder> {
    return there(this.#feeder);
  }

  /** Who counts. */
  get receiver(): Steered<Receiver> {
    return there(this.#receiver);
  }

  /** The process that is measured. */
  get measured(): Child {
    return there(this.#measured);
  }

  /** When it was started, in microseconds since 1970. */
  get startedAt(): number {
    return this.#startedAt;
  }

  /** Which events are sent. */
  get series(): SeriesName {
    return this.#options.series;
  }

  /** How often each event arrives. */
  get copies(): number {
    return copiesOf(this.#options.layout ?? ONE_TOPIC);
  }

  /** Whether the feeder hears of what arrived, so that no more than some need be under way. */
  get tellsProgress(): boolean {
    return this.#options.contender !== "read";
  }

  /** Stops and continues the broker. */
  freezeBroker(frozen: boolean): void {
    there(this.#broker).freeze(frozen);
  }

  /** The resident memory of the contender when it has idled for a while, in bytes. */
  async idleBytes(ms = IDLE_MS): Promise<number> {
    await this.measured.alive(sleep(ms));
    return await this.residentBytes();
  }

  /** Its resident memory now, in bytes. */
  async residentBytes(): Promise<number> {
    return (await residentOf(this.measured.pid)).now;
  }

  /** Ends all. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of this.#parts.toReversed()) await part[Symbol.asyncDispose]();
  }

  async #start(): Promise<void> {
    const { contender } = this.#options;
    if (contender === "publish") return await this.#startPublisher();
    const source = this.#own(new Steered<Source>(calmProgram("source")));
    this.#feeder = source;
    const { esl, progress } = await source.ask("ports");
    if (contender === "read") return this.#startReader(esl);
    const { port } = this.#broker = this.#own(await calmBroker());
    this.#receiver = this.#own(await subscriber(port, progress));
    this.#measured = this.#own(await this.#between(esl, port));
  }

  #startReader(esl: number): void {
    const options: ReadLimitOptions = { esl, series: this.#options.series };
    const reader = new Steered<Receiver>(this.#starting(program("read_limit", options)));
    this.#measured = this.#receiver = this.#own(reader);
  }

  async #startPublisher(): Promise<void> {
    const { port } = this.#broker = this.#own(await calmBroker());
    const { qos } = this.#options;
    const options: PublishLimitOptions = { broker: port, qos, topic: TOPIC, window: WINDOW };
    const publisher = this.#own(
      new Steered<PublishLimit>(this.#starting(program("publish_limit", options))),
    );
    this.#measured = this.#feeder = publisher;
    const { progress } = await publisher.ask("ports");
    this.#receiver = this.#own(await subscriber(port, progress));
  }

  /** What stands between event socket and broker. */
  async #between(esl: number, broker: number): Promise<Child> {
    const { contender, series, qos, fsmqtt, layout, queue } = this.#options;
    const starting = (options: ChildOptions) => this.#starting(options);
    if (contender === "bridge") {
      const options: BridgeOptions = { esl, broker, qos, topic: TOPIC, window: WINDOW };
      return new Child(starting(program("bridge", options)));
    }
    const options: AgentOptions = {
      esl: { hostname: "127.0.0.1", port: esl, password: PASSWORD },
      ...{ broker, qos, layout, queue },
      events: seriesNames(series),
    };
    return await Agent.start(fsmqtt, options, starting);
  }

  /** How the contender is started; the time is taken. */
  #starting(options: ChildOptions): ChildOptions {
    this.#startedAt = nowMicros();
    const { onGcLine: onLine } = this.#options;
    if (onLine === undefined) return options;
    const command = [...GC_TRACE.wrap, ...options.command];
    return { ...options, command, env: GC_TRACE.env, onLine };
  }

  #own<T extends AsyncDisposable>(part: T): T {
    this.#parts.push(part);
    return part;
  }
}

function there<T>(part: T | undefined): T {
  if (part === undefined) throw new Error("this part is not in the scene");
  return part;
}
