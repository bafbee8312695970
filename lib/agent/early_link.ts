/**
 * A link to FreeSWITCH that listens before the agent is there which it is for. Two agents that
 * listen for a moment side by side miss nothing between them.
 *
 * @module
 */

import type { Config } from "../config/config.ts";
import { atMost, type Clock, systemClock } from "../clock.ts";
import { eventSequence } from "../esl/event_json.ts";
import type { EslEndpoint } from "../esl/connection.ts";
import { EslLink, type LinkHandlers, type LinkOptions } from "../esl/link.ts";
import { subscriptionCommands } from "../events/subscription.ts";

/** `Event-Sequence` runs backwards on the wire by some dozens at most. */
const DISORDER = 256;
/** FreeSWITCH looks every 20 ms for events that a listener is to be sent. */
const FIRST_EVENT_MS = 250;

/** Keeps what a link tells until somebody takes it. */
export class EarlyLink {
  /** The link itself. */
  readonly link: EslLink;
  readonly #clock: Clock;
  readonly #tried = Promise.withResolvers<void>();
  readonly #first = Promise.withResolvers<number>();
  #kept: ((handlers: LinkHandlers) => void)[] = [];
  #handlers: LinkHandlers | undefined;
  /** Events that the former agent has taken. */
  #taken: ReadonlySet<number> = new Set();
  #lastTaken = 0;

  /** Starts a link that asks for all that a configuration publishes. */
  constructor(config: Config, clock: Clock = systemClock) {
    this.#clock = clock;
    this.link = new EslLink({ ...linkOptions(config), clock }, {
      event: (body) => {
        if (this.#handlers === undefined) this.#first.resolve(Number(eventSequence(body)));
        this.#pass((handlers) => this.#event(handlers, body));
      },
      eventTooLong: (length, name) => this.#pass((to) => to.eventTooLong(length, name)),
      state: (state) => {
        this.#tried.resolve();
        this.#pass((to) => to.state(state));
      },
      identity: (identity) => this.#pass((to) => to.identity(identity)),
      originalModuleLoaded: (loaded) => this.#pass((to) => to.originalModuleLoaded(loaded)),
      callLegs: (count) => this.#pass((to) => to.callLegs(count)),
      lost: (reason, silentMs) => {
        this.#pass((to) => {
          // FreeSWITCH may be another one afterwards, whose sequences begin anew.
          this.#taken = new Set();
          to.lost(reason, silentMs);
        });
      },
    });
    this.link.start();
  }

  /**
   * Resolves when it listens, with the `Event-Sequence` of the first event; without one if none comes
   * for a while, or FreeSWITCH cannot be reached at the first attempt.
   */
  async listening(): Promise<number | undefined> {
    await this.#tried.promise;
    let first: number | undefined;
    await atMost(
      this.#clock,
      FIRST_EVENT_MS,
      this.#first.promise.then((sequence) => {
        first = sequence;
      }),
    );
    return first;
  }

  /** Tells all that was kept, and from now on what comes, but no event of these sequences. */
  giveTo(handlers: LinkHandlers, taken: ReadonlySet<number>): void {
    this.#taken = taken;
    this.#lastTaken = Math.max(0, ...taken);
    this.#handlers = handlers;
    const kept = this.#kept;
    this.#kept = [];
    for (const tell of kept) tell(handlers);
  }

  #pass(tell: (handlers: LinkHandlers) => void): void {
    if (this.#handlers === undefined) this.#kept.push(tell);
    else tell(this.#handlers);
  }

  #event(handlers: LinkHandlers, body: Uint8Array<ArrayBuffer>): void {
    if (this.#taken.size > 0) {
      const sequence = Number(eventSequence(body));
      if (this.#taken.has(sequence)) return;
      if (sequence > this.#lastTaken + DISORDER) this.#taken = new Set();
    }
    handlers.event(body);
  }
}

/** What a link needs to ask for all that a configuration publishes. */
function linkOptions({ settings, profiles }: Config): Omit<LinkOptions, "clock"> {
  const events = profiles.flatMap(({ publishers }) => publishers)
    .flatMap(({ topics }) => topics).flatMap(({ event }) => event);
  return { endpoint: endpointOf(settings), subscription: subscriptionCommands(events) };
}

/** Where FreeSWITCH's event socket is, and how to log in. */
export function endpointOf(settings: Config["settings"]): EslEndpoint {
  const { eslHost, eslPort, eslUser, eslPassword } = settings;
  return { host: eslHost, port: eslPort, user: eslUser, password: eslPassword };
}
