/**
 * Says on each connection's `status_topic` how fsmqtt is: at each connect, and when that changes.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { type Announcement, type Condition, conditionFor } from "../control/announcement.ts";
import type { ConnectionStatus, StatusReport } from "../control/status.ts";

/** A connection with a `status_topic`. */
export interface Announced {
  /** Says that {@linkcode Announcer.document} has something new for it. */
  announce(): void;
}

/** What an announcer needs. */
export interface AnnouncerOptions {
  /** Time. */
  readonly clock: Clock;
  /** The status at this moment. */
  readonly report: () => StatusReport;
  /** The connections by profile and name. */
  readonly find: (profile: string, connection: string) => Announced | undefined;
}

interface Said {
  readonly state: Announcement["state"];
  readonly since: Date;
  /** The condition as text; absent while it is not said yet. */
  readonly text?: string;
}

/** What changes within this time is said at once. */
const COALESCE_MS = 1_000;

/** Announces for all connections of an agent. */
export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #said = new WeakMap<Announced, Said>();
  #lookedAt = -Infinity;
  #cancelTimer: (() => void) | undefined;
  #stopped = false;

  /** Says nothing until something {@linkcode changed}. */
  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  /** Something may be different from what was said. It is looked at soon, and about once a second. */
  changed(): void {
    if (this.#stopped || this.#cancelTimer !== undefined) return;
    const { clock } = this.#options;
    const delayMs = Math.max(0, this.#lookedAt + COALESCE_MS - clock.now());
    this.#cancelTimer = clock.after(delayMs, () => {
      this.#cancelTimer = undefined;
      this.#look();
    });
  }

  /** What is to be said on a connection now; asked for when it can be said. */
  document(profile: string, name: string): string | undefined {
    const connection = this.#options.find(profile, name);
    const condition = this.#conditions().find((each) =>
      each.profile === profile && each.name === name
    )?.condition;
    if (connection === undefined || condition === undefined) return undefined;
    const { since } = this.#note(connection, condition, JSON.stringify(condition));
    const { state, ...rest } = condition;
    const announcement: Announcement = {
      state,
      since: since.toISOString(),
      time: this.#options.clock.date().toISOString(),
      ...rest,
    };
    return JSON.stringify(announcement);
  }

  /** Says nothing more by itself. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
  }

  #look(): void {
    this.#lookedAt = this.#options.clock.now();
    for (const { profile, name, condition } of this.#conditions()) {
      const connection = this.#options.find(profile, name);
      if (connection === undefined) continue;
      const before = this.#said.get(connection);
      if (before?.text === JSON.stringify(condition)) continue;
      this.#note(connection, condition, undefined);
      connection.announce();
    }
  }

  #conditions(): { profile: string; name: string; condition: Condition }[] {
    const report = this.#options.report();
    return report.profiles.flatMap((profile) =>
      profile.connections.filter(hasTopic).map((connection) => ({
        profile: profile.name,
        name: connection.name,
        condition: conditionFor(report, profile.name, connection),
      }))
    );
  }

  #note(connection: Announced, { state }: Condition, text: string | undefined): Said {
    const before = this.#said.get(connection);
    const since = before?.state === state ? before.since : this.#options.clock.date();
    const said = { state, since, ...(text === undefined ? {} : { text }) };
    this.#said.set(connection, said);
    return said;
  }
}

function hasTopic({ parameters }: ConnectionStatus): boolean {
  return (parameters["status_topic"] ?? null) !== null;
}
