/**
 * Background jobs that fsmqtt started, and what became of them.
 *
 * @module
 */

import { eventBody, jobUuid } from "./event_json.ts";

/** How a job ended: FreeSWITCH's text, that none came in time, or why nobody can know. */
export type JobOutcome =
  | { readonly kind: "finished"; readonly text: string }
  | { readonly kind: "timed_out" }
  | { readonly kind: "unknown"; readonly reason: string };

/** The jobs whose BACKGROUND_JOB has not come yet. */
export class Jobs {
  readonly #waiting = new Map<string, (outcome: JobOutcome) => void>();

  /** How many are open. */
  get open(): number {
    return this.#waiting.size;
  }

  /** Whether a job of this id is open. */
  has(uuid: string): boolean {
    return this.#waiting.has(uuid);
  }

  /**
   * Waits for a job. To be called before its command is sent: BACKGROUND_JOB can come before the
   * reply to `bgapi`.
   */
  expect(uuid: string): Promise<JobOutcome> {
    return new Promise((resolve) => this.#waiting.set(uuid, resolve));
  }

  /** Stops waiting for a job that was never started. */
  forget(uuid: string): void {
    this.#waiting.delete(uuid);
  }

  /** Stops waiting for a job that takes too long. */
  timeOut(uuid: string): void {
    this.#end(uuid, { kind: "timed_out" });
  }

  /** Takes a BACKGROUND_JOB event; those of others, which every listener gets, pass by. */
  take(event: Uint8Array): void {
    const uuid = jobUuid(event);
    if (uuid === undefined || !this.#waiting.has(uuid)) return;
    this.#end(uuid, { kind: "finished", text: eventBody(event) ?? "" });
  }

  /** Ends every open job as unknown: a BACKGROUND_JOB is lost over a reconnect. */
  abandon(reason: string): void {
    for (const resolve of this.#waiting.values()) resolve({ kind: "unknown", reason });
    this.#waiting.clear();
  }

  #end(uuid: string, outcome: JobOutcome): void {
    this.#waiting.get(uuid)?.(outcome);
    this.#waiting.delete(uuid);
  }
}
