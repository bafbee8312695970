/**
 * The part of FreeSWITCH that every event carries: who it is, when it is, and which event it is.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { EventHeader } from "./event.ts";

/** What tells one FreeSWITCH from another. */
export interface CoreIdentity {
  /** `Core-UUID`: a new one for each start. */
  readonly uuid: string;
  /** `FreeSWITCH-Hostname`. */
  readonly hostname: string;
  /** `FreeSWITCH-Switchname`. */
  readonly switchname: string;
}

/** Where in FreeSWITCH's source an event comes from. */
export interface EventOrigin {
  /** `Event-Calling-File`. */
  readonly file: string;
  /** `Event-Calling-Function`. */
  readonly function: string;
  /** `Event-Calling-Line-Number`. */
  readonly line: number;
}

/** One moment, as the headers of an event and the variables of a call write it. */
export class Instant {
  readonly #ms: number;

  /** The moment of that date. */
  constructor(date: Date) {
    this.#ms = date.getTime();
  }

  /** Microseconds since 1970. */
  get microseconds(): string {
    return `${this.#ms * 1000}`;
  }

  /** Seconds since 1970. */
  get seconds(): string {
    return `${Math.floor(this.#ms / 1000)}`;
  }

  /** `2026-11-22 11:56:38`, in the time zone of the machine. */
  get local(): string {
    const date = new Date(this.#ms);
    const zoned = new Date(this.#ms - date.getTimezoneOffset() * 60_000);
    return zoned.toISOString().slice(0, 19).replace("T", " ");
  }

  /** `Sun, 22 Nov 2026 11:56:38 GMT`. */
  get gmt(): string {
    return new Date(this.#ms).toUTCString();
  }
}

/** What the simulator gives as its version. */
export const VERSION = "1.11.2-release~64bit";

/** One run of FreeSWITCH, from its start to its end. */
export class Core {
  readonly #clock: Clock;
  readonly #startedAt: number;
  #sequence = 0;
  /** Who it is. */
  readonly identity: CoreIdentity;
  /** Calls since the start. */
  sessions = 0;

  /** A FreeSWITCH that starts now. */
  constructor(identity: CoreIdentity, clock: Clock) {
    this.identity = identity;
    this.#clock = clock;
    this.#startedAt = clock.now();
  }

  /** Milliseconds since the start. */
  get uptimeMs(): number {
    return Math.floor(this.#clock.now() - this.#startedAt);
  }

  /** The uptime as `status` and HEARTBEAT write it. */
  get uptimeText(): string {
    const ms = this.uptimeMs;
    const parts = [
      [Math.floor(ms / 31_536_000_000), "years"],
      [Math.floor(ms / 86_400_000) % 365, "days"],
      [Math.floor(ms / 3_600_000) % 24, "hours"],
      [Math.floor(ms / 60_000) % 60, "minutes"],
      [Math.floor(ms / 1000) % 60, "seconds"],
      [ms % 1000, "milliseconds"],
      [0, "microseconds"],
    ] as const;
    return parts.map(([count, unit]) => `${count} ${count === 1 ? unit.slice(0, -1) : unit}`)
      .join(", ");
  }

  /** The moment that it is. */
  instant(): Instant {
    return new Instant(this.#clock.date());
  }

  /** The number of the next event. It counts every event, whether anybody listens or not. */
  nextSequence(): number {
    return ++this.#sequence;
  }

  /** The number of the last event. */
  get sequence(): number {
    return this.#sequence;
  }

  /** The headers that every event starts with (switch_event_prep_for_delivery). */
  headers(name: string, origin: EventOrigin): EventHeader[] {
    const now = this.instant();
    return [
      ["Event-Name", name],
      ["Core-UUID", this.identity.uuid],
      ["FreeSWITCH-Hostname", this.identity.hostname],
      ["FreeSWITCH-Switchname", this.identity.switchname],
      ["FreeSWITCH-IPv4", "192.0.2.2"],
      ["FreeSWITCH-IPv6", "fd00::2"],
      ["Event-Date-Local", now.local],
      ["Event-Date-GMT", now.gmt],
      ["Event-Date-Timestamp", now.microseconds],
      ["Event-Calling-File", origin.file],
      ["Event-Calling-Function", origin.function],
      ["Event-Calling-Line-Number", `${origin.line}`],
      ["Event-Sequence", `${this.nextSequence()}`],
    ];
  }
}
