/**
 * The breaker of a managed connection: made from its parameters, fed from its broker and its queue,
 * heard in its log.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { ConnectionConfig } from "../config/config.ts";
import type { Logger } from "../log/logger.ts";
import type { BrokerNote } from "../mqtt/connection.ts";
import {
  Breaker,
  type BreakerChange,
  type BreakerCondition,
  type BreakerOptions,
} from "../queue/breaker.ts";

/** What it needs. */
export interface ConnectionBreakerDeps {
  /** The connection's log. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
  /** How full the queue is: 0 if nothing is queued, 1 at one of its bounds. */
  readonly fill: () => number;
  /** Hears that the condition changed. */
  readonly changed?: () => void;
}

/** How often it is looked how full the queue is, while anything is queued. */
const LOOK_INTERVAL_MS = 1_000;

const SHEDDING = {
  none: "events are queued as ever",
  qos0: "events of QoS 0 are dropped until it is half open",
  all: "ALL events are dropped until it is half open",
};

/** The breaker of one connection. */
export class ConnectionBreaker {
  readonly #deps: ConnectionBreakerDeps;
  readonly #breaker: Breaker;
  #shed: BreakerOptions["shed"];
  #isLooking = false;
  #cancelLook = () => {};

  /** A closed one. */
  constructor(config: ConnectionConfig, deps: ConnectionBreakerDeps) {
    this.#deps = deps;
    this.#shed = config.breakerShed;
    this.#breaker = new Breaker(optionsOf(config), deps.clock, (change) => this.#tell(change));
  }

  /** Its state, since when, and why. */
  get condition(): BreakerCondition {
    return this.#breaker.condition;
  }

  /** Whether an event of this QoS is to be dropped at once. */
  sheds(qos: 0 | 1 | 2): boolean {
    return this.#breaker.sheds(qos);
  }

  /** Takes in what became of the broker connection. */
  note(note: BrokerNote): void {
    if (note.kind === "failed") this.#breaker.failed(note.reason);
    else this.#breaker[note.kind]();
    // What was in flight is queued again.
    this.watch();
  }

  /** Watches the queue for as long as anything is queued. To be called when something was. */
  watch(): void {
    if (this.#isLooking || !this.#breaker.watchesQueue || this.#deps.fill() === 0) return;
    this.#isLooking = true;
    this.#cancelLook = this.#deps.clock.after(LOOK_INTERVAL_MS, () => {
      this.#isLooking = false;
      this.#breaker.filled(this.#deps.fill());
      this.watch();
    });
  }

  /** Takes changed parameters. */
  configure(config: ConnectionConfig): void {
    this.#shed = config.breakerShed;
    this.#breaker.configure(optionsOf(config));
    this.watch();
  }

  /** Forgets what it heard, since the connection is another one from here on. */
  reset(): void {
    this.#breaker.reset();
  }

  /** Ends its timers. */
  close(): void {
    this.#cancelLook();
    // Nothing begins to look again.
    this.#isLooking = true;
    this.#breaker.close();
  }

  /** The same trouble is told once, not at each test. */
  #tell({ state, reason, isRepeated }: BreakerChange): void {
    const level = isRepeated ? "debug" : state === "open" ? "warning" : "notice";
    const what = state === "half_open" ? "half open" : state;
    const effect = state === "open" ? `; ${SHEDDING[this.#shed]}` : "";
    this.#deps.log.log(level, `the breaker is ${what}: ${reason}${effect}`);
    this.#deps.changed?.();
  }
}

function optionsOf(config: ConnectionConfig): BreakerOptions {
  return {
    failures: config.breakerFailures,
    highMark: config.breakerHighMark / 100,
    highMs: config.breakerHighSeconds * 1000,
    openMs: config.breakerOpenSeconds * 1000,
    shed: config.breakerShed,
  };
}
