/**
 * What the tests under a real systemd share: a configuration, and events that are told apart.
 *
 * @module
 */

import type { Watcher } from "../support/watcher.ts";
import { configuration, numberOf, param, type Parts, type Switch } from "./setup.ts";

/** Events of {@linkcode fire} go to the topic `events`, and wait on disk. */
export function spooled(parts: Pick<Parts, "esl" | "broker"> & Partial<Parts>): string {
  const { connection = [], ...others } = parts;
  return configuration({
    connection: [
      param("spool", "disk"),
      param("client_id", "supervised"),
      param("clean_session", false),
      param("reconnect_delay_max", 1),
      ...connection,
    ],
    publish: [[
      param("event", "CUSTOM supervised::test"),
      param("pattern", "events"),
      param("qos", 1),
    ]],
    ...others,
  });
}

/** Fires events with the numbers from `from` up to `to`, which is left out. */
export async function fire(freeswitch: Switch, from: number, to: number): Promise<void> {
  for (let number = from; number < to; number++) {
    await freeswitch.fire("supervised::test", number);
  }
}

/** The numbers of the events that came, each once, in order. */
export function numbers(watcher: Watcher): number[] {
  return [...new Set(watcher.on("events").map(({ payload }) => numberOf(payload)))]
    .sort((a, b) => a - b);
}

/** The numbers from 0 up to `end`, which is left out. */
export function range(end: number): number[] {
  return Array.from({ length: end }, (_, number) => number);
}
