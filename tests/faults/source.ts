/**
 * Fires the events of calls in a simulated FreeSWITCH, and notes them in ledgers.
 *
 * @module
 */

import { systemClock } from "../../lib/clock.ts";
import { generateCalls } from "../../lib/simulator/load.ts";
import { CallScript, type Simulator } from "../../lib/simulator/simulator.ts";
import { eventually } from "../support/agent_process.ts";
import type { Ledger } from "./ledger.ts";

/** The names of the events that one call fires. */
export const CALL_EVENTS = [
  "CHANNEL_CREATE",
  "CHANNEL_STATE",
  "CHANNEL_CALLSTATE",
  "CHANNEL_EXECUTE",
  "CHANNEL_EXECUTE_COMPLETE",
  "CHANNEL_ANSWER",
  "CHANNEL_HANGUP",
  "CHANNEL_HANGUP_COMPLETE",
  "CHANNEL_DESTROY",
  "CODEC",
] as const;

/** How many events one call fires. */
export const EVENTS_PER_CALL: number = CallScript.recorded().length;

/** Makes calls. What is fired while no agent listens is not noted: nobody can deliver it. */
export class Source {
  readonly #simulator: Simulator;
  readonly #ledgers: readonly Ledger[];
  #stop = () => {};
  /** Connections up to this number are of a dead agent, though they may not be seen to end. */
  deadConnections = 0;
  /** Events fired to the agent. */
  fired = 0;

  /** A source that is silent until {@linkcode start}. */
  constructor(simulator: Simulator, ledgers: readonly Ledger[]) {
    this.#simulator = simulator;
    this.#ledgers = ledgers;
  }

  /** Fires so many events a second, a call at a time, until {@linkcode stop}. */
  start(perSecond: number): void {
    this.stop();
    const calls = generateCalls(
      perSecond / EVENTS_PER_CALL,
      systemClock,
      (delayMs, callback) => systemClock.after(delayMs, callback),
      () => this.call(),
    );
    this.#stop = () => calls.stop();
  }

  /** Fires no more. */
  stop(): void {
    this.#stop();
    this.#stop = () => {};
  }

  /** Fires the events of one call. */
  call(): void {
    const simulator = this.#simulator;
    const isHeard = this.isHeard;
    const first = simulator.sequence + 1;
    const atMs = performance.now();
    simulator.fireCall();
    const last = simulator.sequence;
    if (!isHeard) return;
    this.fired += last - first + 1;
    for (const ledger of this.#ledgers) ledger.fire(simulator.coreUuid, first, last, atMs);
  }

  /** Whether an agent listens. */
  get isHeard(): boolean {
    return this.#simulator.connections.some((one) =>
      one.id > this.deadConnections && CALL_EVENTS.every((name) => one.wants(name))
    );
  }

  /** Fires on until so many more events were fired to the agent. */
  async fires(count: number): Promise<void> {
    const goal = this.fired + count;
    await eventually(`${goal} events fired`, () => this.fired >= goal || undefined, PATIENCE_MS);
  }
}

/** A load goes on for as long as it is told to; only what hangs takes this long. */
const PATIENCE_MS = 3 * 3_600_000;
