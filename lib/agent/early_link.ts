/**
 * A link to FreeSWITCH that listens before the agent is there which it is for. Two agents that
 * listen for a moment side by side miss nothing between them.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Config } from "../config/config.ts";
import { atMost, type Clock, systemClock } from "../clock.ts";
import type { EslEndpoint } from "../esl/connection.ts";
import { EslLink, type LinkHandlers, type LinkOptions } from "../esl/link.ts";
import { subscriptionCommands } from "../events/subscription.ts";

/** After so long nothing comes any more that the former agent has taken. */
const TAKEN_MS = 10_000;
/** More is not kept for an agent that does not come; then it is told of a gap. */
const KEPT_BYTES = 64 * 1024 * 1024;
/** FreeSWITCH looks every 20 ms for events that a listener is to be sent. */
const FIRST_EVENT_MS = 250;

/** Keeps what a link tells until somebody takes it. */
export class EarlyLink {
  /** The link itself. */
  readonly link: EslLink;
  readonly #clock: Clock;
  readonly #tried = Promise.withResolvers<void>();
  readonly #first = Promise.withResolvers<string>();
  #kept: ((handlers: LinkHandlers) => void)[] = [];
  #handlers: LinkHandlers | undefined;
  #keptBytes = 0;
  /** Events that the former agent has taken and that have not come here yet. */
  readonly #taken = new Set<string>();

  /** Starts a link that asks for all that a configuration publishes. */
  constructor(config: Config, clock: Clock = systemClock) {
    this.#clock = clock;
    this.link = new EslLink({ ...linkOptions(config), clock }, {
      event: (body) => {
        if (this.#handlers !== undefined) this.#event(this.#handlers, body);
        else this.#keep(body);
      },
      isAhead: () => this.#handlers?.isAhead?.() ?? false,
      eventTooLong: (length, name) => this.#pass((to) => to.eventTooLong(length, name)),
      state: (state) => {
        this.#tried.resolve();
        this.#pass((to) => to.state(state));
      },
      identity: (identity) => this.#pass((to) => to.identity(identity)),
      originalModuleLoaded: (loaded) => this.#pass((to) => to.originalModuleLoaded(loaded)),
      callLegs: (count) => this.#pass((to) => to.callLegs(count)),
      lost: (reason, silentMs) => this.#pass((to) => to.lost(reason, silentMs)),
    });
    this.link.start();
  }

  /**
   * Resolves when it listens, with the mark of the first event ({@linkcode eventMark}); without one if
   * none comes for a while, or FreeSWITCH cannot be reached at the first attempt.
   */
  async listening(): Promise<string | undefined> {
    await this.#tried.promise;
    let first: string | undefined;
    await atMost(
      this.#clock,
      FIRST_EVENT_MS,
      this.#first.promise.then((mark) => {
        first = mark;
      }),
    );
    return first;
  }

  /** Tells all that was kept, and from now on what comes, but no event with these marks. */
  giveTo(handlers: LinkHandlers, taken: ReadonlySet<string>): void {
    for (const mark of taken) this.#taken.add(mark);
    this.#clock.after(TAKEN_MS, () => this.#taken.clear());
    this.#handlers = handlers;
    const isTooMuch = this.#keptBytes > KEPT_BYTES;
    const kept = this.#kept;
    this.#kept = [];
    for (const tell of kept) tell(handlers);
    if (!isTooMuch) return;
    handlers.lost("more events came than could be kept while fsmqtt changed threads", 0);
    this.link.start();
  }

  /** Keeps an event that nobody takes yet, while there is room. */
  #keep(lent: Uint8Array<ArrayBuffer>): void {
    if (this.#keptBytes > KEPT_BYTES) return;
    const body = new Uint8Array(lent);
    this.#first.resolve(eventMark(body));
    this.#keptBytes += body.length;
    this.#kept.push((handlers) => this.#event(handlers, body));
    if (this.#keptBytes > KEPT_BYTES) this.link.stop();
  }

  #pass(tell: (handlers: LinkHandlers) => void): void {
    if (this.#handlers === undefined) this.#kept.push(tell);
    else tell(this.#handlers);
  }

  #event(handlers: LinkHandlers, body: Uint8Array<ArrayBuffer>): void {
    if (this.#taken.size > 0 && this.#taken.delete(eventMark(body))) return;
    handlers.event(body);
  }
}

/**
 * Tells an event from all others: what FreeSWITCH sends of one is the same on each connection, and holds
 * its `Core-UUID` and its `Event-Sequence`. What senders put into it changes nothing in that.
 */
export function eventMark(body: Uint8Array): string {
  return createHash("sha1").update(body).digest("base64");
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
