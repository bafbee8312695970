/**
 * What to ask FreeSWITCH's event socket for, so that the wanted events come and few others.
 *
 * @module
 */

import { EVENT_NAMES, type EventSelector } from "../protocol/event_names.ts";

/**
 * The event socket commands that subscribe to what these selectors want. They are to be sent in
 * this order; repeating them changes nothing. HEARTBEAT is always wanted, as a sign of life.
 *
 * The rules are mod_event_socket.c's (`parse_command`, "event" and "nixevent"): what follows
 * `CUSTOM` is a subclass, so names come first; bare `CUSTOM` gives only events without a subclass.
 * Only `ALL` gives every custom event, those of unknown subclasses too, and only while nothing is
 * taken back from it (`event_handler`). So whoever wants all custom events has to be sent
 * everything.
 *
 * Names that are not wanted are taken back, for a connection that had asked for more before.
 * Subclasses cannot be taken back without knowing them: those of a former subscription keep coming
 * until the next connection, and are passed by.
 */
export function subscriptionCommands(selectors: Iterable<EventSelector>): string[] {
  const names = new Set(["HEARTBEAT"]);
  const subclasses = new Set<string>();
  for (const selector of selectors) {
    if (selector.kind === "name") names.add(selector.name);
    else if (selector.kind === "custom" && selector.subclass !== undefined) {
      subclasses.add(selector.subclass);
    } else return ["event json ALL"];
  }
  const wanted = [...names, ...(subclasses.size > 0 ? ["CUSTOM", ...subclasses] : [])];
  const unwanted = EVENT_NAMES.filter((name) => name !== "CUSTOM" && !names.has(name));
  return [
    `event json ${wanted.join(" ")}`,
    // FreeSWITCH refuses the command when no name follows.
    ...(unwanted.length > 0 ? [`nixevent ${unwanted.join(" ")}`] : []),
  ];
}
