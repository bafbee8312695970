/**
 * Events and results as the demo prints them.
 *
 * @module
 */

import { printable } from "../../log/logger.ts";

/** What a person wants to see of an event, by its name. */
const SHOWN: Readonly<Record<string, readonly string[]>> = {
  CHANNEL_CREATE: ["Caller-Caller-ID-Number", "Caller-Destination-Number"],
  CHANNEL_ANSWER: ["Caller-Caller-ID-Number", "Caller-Destination-Number"],
  CHANNEL_HANGUP_COMPLETE: ["Hangup-Cause", "variable_billsec"],
  HEARTBEAT: ["Event-Info", "Session-Count", "Idle-CPU"],
  BACKGROUND_JOB: ["Job-Command", "Job-UUID"],
};

/**
 * One line, or more where the event has a body, for a received message. Anybody may publish to the
 * demo's broker, so it may be no event at all.
 */
export function describeMessage(topic: string, payload: Uint8Array, at: Date): string {
  const event = parseEvent(new TextDecoder().decode(payload));
  const name = String(event["Event-Name"] ?? "");
  const fields = (SHOWN[name] ?? [])
    .filter((field) => event[field] !== undefined)
    .map((field) => `${field.replace(/^(Caller|variable)[-_]/, "")}=${event[field]}`);
  const time = at.toLocaleTimeString("en-GB");
  const size = `${payload.length} B`.padStart(8);
  const line = `${time}  ${topic.padEnd(20)}  ${name.padEnd(23)} ${size}  ${fields.join("  ")}`;
  const body = typeof event["_body"] === "string" ? event["_body"].trimEnd() : "";
  return [
    line,
    ...body.split("\n").filter((text) => text !== "").map((text) => `          | ${text}`),
  ].map(printable).join("\n");
}

function parseEvent(text: string): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Shown as it is.
  }
  return { _body: text };
}
