/**
 * Recorded calls that can be made again, with ids and times of their own.
 *
 * @module
 */

import type { Core } from "./core.ts";
import { type EventContent, type FiredEvent, headerValue, parseEventJson } from "./event.ts";
import recordedCall from "./recorded_call.json" with { type: "json" };
import { EventTemplate, FrameSlab, type HoleValue, holeValue, instantValues } from "./template.ts";
import { bytesOf } from "./byte_string.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The events of one call out of a recording: those of the first channel that is created and
 * destroyed in it, or of the channel named.
 */
export function eventsOfCall(bodies: Iterable<Uint8Array>, uniqueId?: string): Uint8Array[] {
  const byChannel = new Map<string, { body: Uint8Array; content: EventContent }[]>();
  for (const body of bodies) {
    const content = parseEventJson(body);
    const id = headerValue(content, "Unique-ID");
    if (id === undefined || (uniqueId !== undefined && id !== uniqueId)) continue;
    byChannel.set(id, [...byChannel.get(id) ?? [], { body, content }]);
  }
  for (const events of byChannel.values()) {
    const states = events.map(({ content }) => headerValue(content, "Channel-State"));
    if (states[0] === "CS_NEW" && states.at(-1) === "CS_DESTROY") {
      return events.map(({ body }) => body);
    }
  }
  throw new RangeError("Cannot find a whole call in the recording");
}

/** What a call may be given. */
export interface PlayOptions {
  /** The `Unique-ID`, of 36 characters. */
  readonly uuid?: string;
}

/** A call being made. */
export interface Play {
  /** Its `Unique-ID`, or the id that the first recorded one became. */
  readonly uuid: string;
  /** How many moments the recorded call has; the first is 0. */
  readonly moments: number;
  /** The events of the moment that has come, in order. Each takes its `Event-Sequence` here. */
  next(): Iterable<FiredEvent>;
}

/** A recorded call, ready to be made again any number of times. */
export class CallScript {
  readonly #uuids: string[];
  readonly #moments: string[];
  readonly #events: { template: EventTemplate; moment: number }[];

  /** The script of recorded events, given as JSON bytes. */
  constructor(bodies: Iterable<Uint8Array>) {
    const contents = [...bodies].map(parseEventJson);
    const slab = new FrameSlab();
    this.#uuids = distinct(contents.flatMap(callUuids));
    this.#moments = distinct(contents.map(timestamp)).sort();
    this.#events = contents.map((content) => {
      const moment = this.#moments.indexOf(timestamp(content));
      const holeFor = (name: string, value: string) => this.#hole(name, value, moment, content);
      return { template: new EventTemplate(content, holeFor, slab), moment };
    });
  }

  /** The answered SIP call of 23 events that comes with the simulator. */
  static recorded(): CallScript {
    return new CallScript(recordedCall.map(bytesOf));
  }

  /** How many events one call has. */
  get length(): number {
    return this.#events.length;
  }

  /** Starts a call. */
  play(core: Core, newUuid: () => string, options: PlayOptions = {}): Play {
    const uuids = this.#uuids.map((_, index) => (index === 0 && options.uuid) || newUuid());
    const values = new Map<string, HoleValue>(
      uuids.map((uuid, index) => [`uuid:${index}`, holeValue(uuid)]),
    );
    let moment = -1;
    const next = function* (this: CallScript): Generator<FiredEvent> {
      moment++;
      for (const [name, value] of instantValues(moment, core.instant())) values.set(name, value);
      // Bytes are made when a listener takes the event, and later moments add only their own.
      for (const { template, moment: its } of this.#events) {
        if (its !== moment) continue;
        yield template.fill({ identity: core.identity, sequence: core.nextSequence(), values });
      }
    };
    return { uuid: uuids[0] ?? "", moments: this.#moments.length, next: next.bind(this) };
  }

  #hole(name: string, value: string, moment: number, event: EventContent): string | undefined {
    if (name === "Event-Date-Timestamp") return `us:${moment}`;
    if (name === "Event-Date-Local") return `local:${moment}`;
    if (name === "Event-Date-GMT") return `gmt:${moment}`;
    if (UUID.test(value)) return `uuid:${this.#uuids.indexOf(value)}`;
    const at = this.#moments.indexOf(value);
    if (at >= 0) return `us:${at}`;
    if (name.endsWith("_epoch")) {
      const second = this.#moments.findIndex((us) => us.slice(0, -6) === value);
      return second < 0 ? undefined : `s:${second}`;
    }
    if (name.endsWith("_stamp")) return this.#localHole(name, event);
    return undefined;
  }

  /** A `…_stamp` has an `…_epoch` beside it, which tells its moment in any time zone. */
  #localHole(name: string, event: EventContent): string | undefined {
    const epoch = headerValue(event, name.replace(/_stamp$/, "_epoch"));
    const moment = this.#moments.findIndex((us) => us.slice(0, -6) === epoch);
    return moment < 0 ? undefined : `local:${moment}`;
  }
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}

function timestamp(content: EventContent): string {
  return headerValue(content, "Event-Date-Timestamp") ?? "";
}

function callUuids(content: EventContent): string[] {
  return content.headers.flatMap(([name, value]) =>
    name !== "Core-UUID" && typeof value === "string" && UUID.test(value) ? [value] : []
  );
}
