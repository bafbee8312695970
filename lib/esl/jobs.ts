/**
 * Background jobs that fsmqtt started, and what became of them.
 *
 * @module
 */

import { eventBody, jobUuid } from "./event_json.ts";

/** How a job ended: FreeSWITCH's text, or why nobody can know. */
export type JobOutcome =
  | { readonly kind: "finished"; readonly text: string }
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

  /** Takes a BACKGROUND_JOB event; those of others, which every listener gets, pass by. */
  take(event: Uint8Array): void {
    const uuid = jobUuid(event);
    const resolve = uuid === undefined ? undefined : this.#waiting.get(uuid);
    if (uuid === undefined || resolve === undefined) return;
    this.#waiting.delete(uuid);
    resolve({ kind: "finished", text: eventBody(event) ?? "" });
  }

  /** Ends the job of a BACKGROUND_JOB of which only the start is known, as unknown. */
  lose(event: Uint8Array, reason: string): void {
    const uuid = jobUuid(event);
    if (uuid === undefined) return;
    this.#waiting.get(uuid)?.({ kind: "unknown", reason });
    this.#waiting.delete(uuid);
  }

  /** Ends every open job as unknown: a BACKGROUND_JOB is lost over a reconnect. */
  abandon(reason: string): void {
    for (const resolve of this.#waiting.values()) resolve({ kind: "unknown", reason });
    this.#waiting.clear();
  }
}
