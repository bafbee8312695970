/**
 * Finds the topics that want an event.
 *
 * @module
 */

import { eventName, eventSubclass } from "../esl/event_json.ts";
import { EVENT_NAMES, type EventSelector } from "../protocol/event_names.ts";
import { FirstNames } from "./first_names.ts";

/** A target and the events that it wants. */
export interface Route<Target> {
  /** Any of these is wanted; an event that several of them select is still wanted once. */
  readonly events: readonly EventSelector[];
  /** What wants them. */
  readonly target: Target;
}

/** A fixed set of routes. Finding the targets of an event costs the same for one route or many. */
export class Router<Target> {
  readonly #byName = new Map<string, readonly Target[]>();
  /** The same, for nearly all events. */
  readonly #byFirstName = new FirstNames<readonly Target[]>();
  readonly #bySubclass = new Map<string, readonly Target[]>();
  /** For names that FreeSWITCH had not when this was written. */
  readonly #unknownName: readonly Target[];
  readonly #unknownSubclass: readonly Target[];

  /** Prepares the answers. */
  constructor(routes: readonly Route<Target>[]) {
    const targetsOf = (wants: (selector: EventSelector) => boolean) =>
      routes.filter(({ events }) => events.some(wants)).map(({ target }) => target);

    this.#unknownName = targetsOf(({ kind }) => kind === "all");
    for (const name of EVENT_NAMES) {
      this.#byName.set(
        name,
        targetsOf((s) => s.kind === "all" || (s.kind === "name" && s.name === name)),
      );
    }
    // CUSTOM events are told from each other by their subclasses.
    for (const [name, targets] of this.#byName) {
      if (name !== "CUSTOM") this.#byFirstName.set(name, targets);
    }
    const wantsSubclass = (subclass: string | undefined) => (s: EventSelector) =>
      s.kind === "all" ||
      (s.kind === "custom" && (s.subclass === undefined || s.subclass === subclass));
    this.#unknownSubclass = targetsOf(wantsSubclass(undefined));
    for (const { events } of routes) {
      for (const selector of events) {
        if (selector.kind === "custom" && selector.subclass !== undefined) {
          this.#bySubclass.set(selector.subclass, targetsOf(wantsSubclass(selector.subclass)));
        }
      }
    }
  }

  /** The targets that want this event, given its JSON. */
  targets(event: Uint8Array): readonly Target[] {
    const known = this.#byFirstName.get(event);
    if (known !== undefined) return known;
    const name = eventName(event);
    if (name === "CUSTOM") {
      return this.#bySubclass.get(eventSubclass(event) ?? "") ?? this.#unknownSubclass;
    }
    return this.#byName.get(name ?? "") ?? this.#unknownName;
  }
}
