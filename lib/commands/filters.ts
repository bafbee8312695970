/**
 * Which topic filters of a connection count: for a message, and for the broker.
 *
 * @module
 */

import { filterCovers, sharedGroup, topicMatches } from "../protocol/mqtt_topics.ts";

/** Something that listens to a topic filter. */
export interface Listener {
  /** The topic filter, complete. */
  readonly filter: string;
}

/** The narrowest that match a topic: what they say counts, and what wider ones say does not. */
export function narrowest<T extends Listener>(listeners: readonly T[], topic: string): T[] {
  const matching = listeners.filter(({ filter }) => topicMatches(filter, topic));
  const isNarrower = (a: T, b: T) =>
    filterCovers(b.filter, a.filter) && !filterCovers(a.filter, b.filter);
  return matching.filter((b) => !matching.some((a) => isNarrower(a, b)));
}

/** A filter to subscribe to. */
export interface WantedFilter extends Listener {
  /** The QoS to ask for. */
  readonly qos: 0 | 1 | 2;
}

/**
 * What to subscribe to. A filter that another covers is left out, since a broker may deliver a
 * message once for each filter that matches it; a shared subscription stands for itself.
 */
export function subscriptionsFor(wanted: readonly WantedFilter[]): WantedFilter[] {
  const covers = (outer: WantedFilter, inner: WantedFilter) =>
    sharedGroup(outer.filter) === undefined && sharedGroup(inner.filter) === undefined &&
    filterCovers(outer.filter, inner.filter);
  const widest = wanted.reduce<readonly WantedFilter[]>(
    (kept, one) =>
      kept.some((other) => covers(other, one))
        ? kept
        : [...kept.filter((other) => !covers(one, other)), one],
    [],
  );
  return widest.map(({ filter, qos }) => {
    const covered = wanted.filter((other) => covers({ filter, qos }, other));
    return { filter, qos: Math.max(qos, ...covered.map(({ qos }) => qos)) as 0 | 1 | 2 };
  });
}
