/**
 * Switching profiles and their parts on and off while the agent runs.
 *
 * @module
 */

import type { ConnectionAction, Part, SwitchAction } from "../control/protocol.ts";
import type { ManagedConnection } from "./managed_connection.ts";
import { connectionsOf, type Model, type Profile } from "./model.ts";

/** What cannot be steered, and what could. */
export class SteeringError extends Error {
  /** Its name, for logs. */
  override readonly name: string = "SteeringError";
}

/** What was done. */
export interface Steered {
  /** In words. */
  readonly text: string;
  /** Connections that are no longer part of the model and have to be ended. */
  readonly removed: readonly ManagedConnection[];
}

/**
 * Enables, disables or removes a profile or a part of it. The caller brings everything else into
 * line with the model afterwards.
 *
 * @throws {SteeringError} if there is no such thing.
 */
export function switchPart(
  model: Model,
  action: SwitchAction,
  profileName: string,
  part: Part | undefined,
): Steered {
  const profile = find(model, "profile", profileName);
  if (part === undefined) {
    if (action === "remove") {
      model.delete(profileName);
      return {
        text: `profile ${profileName} is removed until the next reload`,
        removed: [...profile.connections.values()],
      };
    }
    profile.enabled = action === "enable";
    return { text: `profile ${profileName} is ${action}d`, removed: [] };
  }
  const parts = partsOf(profile, part.kind);
  const found = find(parts, part.kind, part.name, ` in profile ${profileName}`);
  const what = `${part.kind} ${part.name} of profile ${profileName}`;
  if (action === "remove") {
    const before = connectionsOf(model);
    parts.delete(part.name);
    const after = new Set(connectionsOf(model));
    return {
      text: `${what} is removed until the next reload`,
      removed: before.filter((connection) => !after.has(connection)),
    };
  }
  found.enabled = action === "enable";
  const but = action === "enable" && !profile.enabled ? ", but its profile is disabled" : "";
  return { text: `${what} is ${action}d${but}`, removed: [] };
}

/**
 * Connects a connection to its broker, or disconnects it until it is told to connect.
 *
 * @throws {SteeringError} if there is no such connection, or it is disabled.
 */
export function switchConnection(
  model: Model,
  action: ConnectionAction,
  profileName: string,
  name: string,
): Steered {
  const profile = find(model, "profile", profileName);
  const connection = find(
    profile.connections,
    "connection",
    name,
    ` in profile ${profileName}`,
  );
  const what = `connection ${name} of profile ${profileName}`;
  if (!profile.enabled || !connection.enabled) {
    const disabled = profile.enabled ? what : `profile ${profileName}`;
    throw new SteeringError(`Cannot ${action}: ${disabled} is disabled; enable it first`);
  }
  connection.toldToDisconnect = action === "disconnect";
  return {
    text: action === "connect" ? `${what} connects` : `${what} is disconnected`,
    removed: [],
  };
}

function partsOf(profile: Profile, kind: Part["kind"]): Map<string, { enabled: boolean }> {
  switch (kind) {
    case "connection":
      return profile.connections;
    case "publisher":
      return profile.publishers;
    case "subscriber":
      return profile.subscribers;
  }
}

function find<T>(things: Map<string, T>, kind: string, name: string, where = ""): T {
  const found = things.get(name);
  if (found !== undefined) return found;
  const known = [...things.keys()].map((known) => `"${known}"`).join(", ");
  throw new SteeringError(
    `There is no ${kind} "${name}"${where}; there is ${known === "" ? "none" : known}`,
  );
}
