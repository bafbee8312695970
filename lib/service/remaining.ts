/**
 * What is left of a configuration when another one comes.
 *
 * @module
 */

import type { Config, ProfileConfig } from "../config/config.ts";

/**
 * The present configuration without the connections that the next one has no more, and without their
 * topics; `undefined` if it has them all.
 */
export function remainingOf(present: Config, next: Config): Config | undefined {
  const profiles = present.profiles.flatMap((profile) => {
    const other = next.profiles.find(({ name }) => name === profile.name);
    return other === undefined ? [] : [remainingProfile(profile, other)];
  });
  const count = (profiles: readonly ProfileConfig[]) =>
    profiles.reduce((sum, { connections }) => sum + connections.length, 0);
  return count(profiles) === count(present.profiles) ? undefined : { ...present, profiles };
}

function remainingProfile(profile: ProfileConfig, next: ProfileConfig): ProfileConfig {
  const names = new Set(next.connections.map(({ name }) => name));
  const goesOn = ({ connectionName }: { readonly connectionName: string }) =>
    names.has(connectionName);
  return {
    ...profile,
    connections: profile.connections.filter(({ name }) => names.has(name)),
    publishers: profile.publishers.map((each) => ({
      ...each,
      topics: each.topics.filter(goesOn),
    })),
    subscribers: profile.subscribers.map((each) => ({
      ...each,
      topics: each.topics.filter(goesOn),
    })),
  };
}
