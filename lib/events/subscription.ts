/**
 * What to ask FreeSWITCH's event socket for, so that the wanted events come and few others.
 *
 * @module
 */

import { EVENT_NAMES, type EventSelector } from "../protocol/event_names.ts";

/** A subscription as event socket commands. */
export interface Subscription {
  /** The commands, to be sent in this order; repeating them changes nothing. */
  readonly commands: readonly string[];
  /**
   * Whether they are to be sent again after MODULE_LOAD, since a new module may bring subclasses
   * that were unknown when they were first sent.
   */
  readonly followsModules: boolean;
}

/**
 * The subscription for these selectors. HEARTBEAT is always in it, as FreeSWITCH's sign of life.
 *
 * The rules are mod_event_socket.c's (`parse_command`, "event" and "nixevent"): what follows
 * `CUSTOM` is a subclass, so names come first; bare `CUSTOM` gives only events without a subclass;
 * `ALL` gives the subclasses known at that moment too. So for every custom event, everything is
 * asked for and what is not wanted is taken back.
 */
export function subscriptionFor(selectors: Iterable<EventSelector>): Subscription {
  const names = new Set(["HEARTBEAT"]);
  const subclasses = new Set<string>();
  let all = false;
  let everyCustom = false;
  for (const selector of selectors) {
    if (selector.kind === "all") all = true;
    else if (selector.kind === "name") names.add(selector.name);
    else if (selector.subclass === undefined) everyCustom = true;
    else subclasses.add(selector.subclass);
  }
  const followsModules = all || everyCustom;
  if (followsModules) names.add("MODULE_LOAD");
  const wanted = followsModules ? ["ALL"] : [...names];
  if (subclasses.size > 0) wanted.push("CUSTOM", ...subclasses);
  const commands = [`event json ${wanted.join(" ")}`];
  if (!all) {
    const unwanted = EVENT_NAMES.filter((name) => name !== "CUSTOM" && !names.has(name));
    commands.push(`nixevent ${unwanted.join(" ")}`);
  }
  return { commands, followsModules };
}
