/**
 * Events and results as the demo prints them.
 *
 * @module
 */

/** What a person wants to see of an event, by its name. */
const SHOWN: Readonly<Record<string, readonly string[]>> = {
  CHANNEL_CREATE: ["Caller-Caller-ID-Number", "Caller-Destination-Number"],
  CHANNEL_ANSWER: ["Caller-Caller-ID-Number", "Caller-Destination-Number"],
  CHANNEL_HANGUP_COMPLETE: ["Hangup-Cause", "variable_billsec"],
  HEARTBEAT: ["Event-Info", "Session-Count", "Idle-CPU"],
  BACKGROUND_JOB: ["Job-Command", "Job-UUID"],
};

/** One line, or more where the event has a body, for a received message. */
export function describeMessage(topic: string, payload: Uint8Array, at: Date): string {
  const event = JSON.parse(new TextDecoder().decode(payload)) as Record<string, unknown>;
  const name = String(event["Event-Name"]);
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
  ]
    .join("\n");
}
