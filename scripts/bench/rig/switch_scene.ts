/**
 * A real FreeSWITCH, and who drains its event socket.
 *
 * @module
 */

import { EslClient } from "../../../tests/support/esl_client.ts";
import { eventually } from "../../../tests/support/agent_process.ts";
import type { DrainLimitOptions } from "../programs/drain_limit.ts";
import { ProgressListener } from "../wire/progress.ts";
import type { EventSocket, Receiver } from "../wire/roles.ts";
import { Agent } from "./agent.ts";
import { type Child, Steered } from "./child.ts";
import { calmBroker, program, subscriber } from "./parts.ts";
import { sleep } from "./within.ts";

/** What is taken of it: all that applications fire while they run. */
const EVENTS = ["CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE"];
/**
 * A call runs so many, each of which fires both events; FreeSWITCH takes no more than 128 of an
 * inline dialplan. Commands it reads byte by byte, so events come fastest from what it does by itself.
 */
const APPLICATIONS = 110;
/** How many events a call fires. */
export const EVENTS_PER_CALL: number = EVENTS.length * APPLICATIONS;
const CALL = `bgapi originate null/bench '${"eval:,".repeat(APPLICATIONS - 1)}hangup' inline`;
/** Until what was fired is in the queue of each listener. */
const SETTLE_MS = 300;

/** What a scene is made for. */
export interface SwitchSceneOptions {
  /** Who is measured. */
  readonly contender: "fsmqtt" | "read";
  /** The event socket of FreeSWITCH. */
  readonly esl: EventSocket;
  /** fsmqtt's command line. */
  readonly fsmqtt: readonly string[];
}

/** The processes around FreeSWITCH. */
export class SwitchScene implements AsyncDisposable {
  readonly #target: EventSocket;
  readonly #parts: AsyncDisposable[] = [];
  #measured: Child | undefined;
  #receiver: Steered<Receiver> | undefined;

  private constructor(target: EventSocket) {
    this.#target = target;
  }

  /** Starts them, and waits until events get through. */
  static async start(options: SwitchSceneOptions): Promise<SwitchScene> {
    const scene = new SwitchScene(options.esl);
    try {
      await scene.#start(options);
      return scene;
    } catch (error) {
      await scene[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The process that is measured. */
  get measured(): Child {
    if (this.#measured === undefined) throw new Error("nobody is measured");
    return this.#measured;
  }

  /** Who counts. */
  get receiver(): Steered<Receiver> {
    if (this.#receiver === undefined) throw new Error("nobody counts");
    return this.#receiver;
  }

  /** Makes calls, one after the other, and waits until the last has ended. */
  async call(count: number): Promise<void> {
    using ends = await EslClient.login(this.#target);
    await ends.ask("event json CHANNEL_DESTROY");
    using caller = await EslClient.login(this.#target);
    const ended = (async () => {
      for (let i = 0; i < count; i++) await ends.event();
    })();
    ended.catch(() => {});
    for (let i = 0; i < count; i++) await caller.ask(CALL);
    await ended;
    await sleep(SETTLE_MS);
  }

  /** Ends all but FreeSWITCH. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Whoever is stopped does not hear that it is to end.
    this.#measured?.signal("SIGCONT");
    for (const part of this.#parts.toReversed()) await part[Symbol.asyncDispose]();
  }

  async #start({ contender, esl, fsmqtt }: SwitchSceneOptions): Promise<void> {
    if (contender === "read") {
      const options: DrainLimitOptions = { esl, events: EVENTS };
      const drain = new Steered<Receiver>(program("drain_limit", options));
      this.#measured = this.#receiver = this.#own(drain);
    } else {
      const { port: broker } = this.#own(await calmBroker());
      const progress = ProgressListener.listen();
      this.#own({ [Symbol.asyncDispose]: async () => await progress.close() });
      this.#receiver = this.#own(await subscriber(broker, progress.port));
      const options = { esl, broker, events: EVENTS, qos: 0 } as const;
      this.#measured = this.#own(await Agent.start(fsmqtt, options));
    }
    await eventually("events get through", async () => {
      await this.call(1);
      return (await this.receiver.ask("report")).messages > 0 || undefined;
    });
  }

  #own<T extends AsyncDisposable>(part: T): T {
    this.#parts.push(part);
    return part;
  }
}
