/**
 * What is said over the control socket: HTTP with one JSON request and one JSON reply.
 *
 * @module
 */

import { LOG_LEVELS, type LogLevel } from "../log/levels.ts";
import type { StatusReport } from "./status.ts";

/** The kinds of things in a profile that can be switched. */
export const PART_KINDS = ["connection", "publisher", "subscriber"] as const;

/** One of {@linkcode PART_KINDS}. */
export type PartKind = typeof PART_KINDS[number];

/** A part of a profile. */
export interface Part {
  /** What it is. */
  readonly kind: PartKind;
  /** Its name. */
  readonly name: string;
}

/** A request to the agent. */
export type ControlRequest =
  | { readonly do: "status" }
  | { readonly do: "loglevel"; readonly level?: LogLevel }
  | { readonly do: "reload" }
  | { readonly do: "bgapi"; readonly command: string }
  | { readonly do: SwitchAction; readonly profile: string; readonly part?: Part }
  | { readonly do: ConnectionAction; readonly profile: string; readonly connection: string };

/** A request that changes what runs until the next reload. */
export type SteeringRequest = Exclude<
  ControlRequest,
  { readonly do: "status" | "reload" | "bgapi" }
>;

/** Whether a request changes what runs until the next reload. */
export function isSteering(request: ControlRequest): request is SteeringRequest {
  return !["status", "reload", "bgapi"].includes(request.do);
}

/** What can be done to a profile or a part of it. */
export type SwitchAction = "enable" | "disable" | "remove";
/** What can be done to a connection. */
export type ConnectionAction = "connect" | "disconnect";

/** The agent's reply. */
export type ControlReply =
  | { readonly kind: "done"; readonly text: string }
  | { readonly kind: "status"; readonly status: StatusReport }
  | { readonly kind: "failed"; readonly error: string; readonly exitCode: number };

/** The path of requests. */
export const CONTROL_PATH = "/control";
/** The path of command lines in plain text, a word a line; they are answered in plain text. */
export const CONSOLE_PATH = "/console";

/** Checks what came over the socket; `undefined` if it is no request. */
export function parseRequest(value: unknown): ControlRequest | undefined {
  if (!isRecord(value)) return undefined;
  switch (value["do"]) {
    case "status":
    case "reload":
      return { do: value["do"] };
    case "loglevel": {
      const { level } = value;
      if (level === undefined) return { do: "loglevel" };
      const known = LOG_LEVELS.find((name) => name === level);
      return known === undefined ? undefined : { do: "loglevel", level: known };
    }
    case "bgapi": {
      const { command } = value;
      return isText(command) ? { do: "bgapi", command } : undefined;
    }
    case "enable":
    case "disable":
    case "remove": {
      const { profile, part } = value;
      if (!isText(profile)) return undefined;
      if (part === undefined) return { do: value["do"], profile };
      const parsed = parsePart(part);
      return parsed === undefined ? undefined : { do: value["do"], profile, part: parsed };
    }
    case "connect":
    case "disconnect": {
      const { profile, connection } = value;
      return isText(profile) && isText(connection)
        ? { do: value["do"], profile, connection }
        : undefined;
    }
    default:
      return undefined;
  }
}

/** Whether what came over the socket is an agent's reply; its parts are the agent's own. */
export function isReply(value: unknown): value is ControlReply {
  return isRecord(value) && ["done", "status", "failed"].some((kind) => kind === value["kind"]);
}

function parsePart(value: unknown): Part | undefined {
  if (!isRecord(value) || !isText(value["name"])) return undefined;
  const kind = PART_KINDS.find((known) => known === value["kind"]);
  return kind === undefined ? undefined : { kind, name: value["name"] };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
