/**
 * The events of FreeSWITCH and how a configuration names them.
 *
 * @module
 */

/** Every event of FreeSWITCH 1.11 by name (switch_event.c, `EVENT_NAMES`), without `ALL`. */
export const EVENT_NAMES: readonly string[] = [
  "CUSTOM",
  "CLONE",
  "CHANNEL_CREATE",
  "CHANNEL_DESTROY",
  "CHANNEL_STATE",
  "CHANNEL_CALLSTATE",
  "CHANNEL_ANSWER",
  "CHANNEL_HANGUP",
  "CHANNEL_HANGUP_COMPLETE",
  "CHANNEL_EXECUTE",
  "CHANNEL_EXECUTE_COMPLETE",
  "CHANNEL_HOLD",
  "CHANNEL_UNHOLD",
  "CHANNEL_BRIDGE",
  "CHANNEL_UNBRIDGE",
  "CHANNEL_PROGRESS",
  "CHANNEL_PROGRESS_MEDIA",
  "CHANNEL_OUTGOING",
  "CHANNEL_PARK",
  "CHANNEL_UNPARK",
  "CHANNEL_APPLICATION",
  "CHANNEL_ORIGINATE",
  "CHANNEL_UUID",
  "API",
  "LOG",
  "INBOUND_CHAN",
  "OUTBOUND_CHAN",
  "STARTUP",
  "SHUTDOWN",
  "PUBLISH",
  "UNPUBLISH",
  "TALK",
  "NOTALK",
  "SESSION_CRASH",
  "MODULE_LOAD",
  "MODULE_UNLOAD",
  "DTMF",
  "MESSAGE",
  "PRESENCE_IN",
  "NOTIFY_IN",
  "PRESENCE_OUT",
  "PRESENCE_PROBE",
  "MESSAGE_WAITING",
  "MESSAGE_QUERY",
  "ROSTER",
  "CODEC",
  "BACKGROUND_JOB",
  "DETECTED_SPEECH",
  "DETECTED_TONE",
  "PRIVATE_COMMAND",
  "HEARTBEAT",
  "TRAP",
  "ADD_SCHEDULE",
  "DEL_SCHEDULE",
  "EXE_SCHEDULE",
  "RE_SCHEDULE",
  "RELOADXML",
  "NOTIFY",
  "PHONE_FEATURE",
  "PHONE_FEATURE_SUBSCRIBE",
  "SEND_MESSAGE",
  "RECV_MESSAGE",
  "REQUEST_PARAMS",
  "CHANNEL_DATA",
  "GENERAL",
  "COMMAND",
  "SESSION_HEARTBEAT",
  "CLIENT_DISCONNECTED",
  "SERVER_DISCONNECTED",
  "SEND_INFO",
  "RECV_INFO",
  "RECV_RTCP_MESSAGE",
  "SEND_RTCP_MESSAGE",
  "CALL_SECURE",
  "NAT",
  "RECORD_START",
  "RECORD_STOP",
  "PLAYBACK_START",
  "PLAYBACK_STOP",
  "CALL_UPDATE",
  "FAILURE",
  "SOCKET_DATA",
  "MEDIA_BUG_START",
  "MEDIA_BUG_STOP",
  "CONFERENCE_DATA_QUERY",
  "CONFERENCE_DATA",
  "CALL_SETUP_REQ",
  "CALL_SETUP_RESULT",
  "CALL_DETAIL",
  "DEVICE_STATE",
  "TEXT",
  "SHUTDOWN_REQUESTED",
  "CERT_RELOAD",
];

const KNOWN = new Set(EVENT_NAMES);

/** What a publisher topic asks for with one `event` parameter. */
export type EventSelector =
  | { readonly kind: "all" }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "custom"; readonly subclass?: string };

/**
 * Reads an event as a configuration writes it: a name in any case, with or without
 * `SWITCH_EVENT_` before it; `ALL`; `CUSTOM` for every custom event; or `CUSTOM sofia::register`
 * for those of one subclass. `undefined` if FreeSWITCH has no such event.
 */
export function parseEventSelector(text: string): EventSelector | undefined {
  const [word = "", ...rest] = text.trim().split(/\s+/);
  const name = word.toUpperCase().replace(/^SWITCH_EVENT_/, "");
  if (name === "CUSTOM") {
    const [subclass, ...more] = rest;
    if (more.length > 0) return undefined;
    return subclass === undefined ? { kind: "custom" } : { kind: "custom", subclass };
  }
  if (rest.length > 0) return undefined;
  if (name === "ALL") return { kind: "all" };
  return KNOWN.has(name) ? { kind: "name", name } : undefined;
}

/** The selector as a configuration writes it. */
export function eventSelectorText(selector: EventSelector): string {
  switch (selector.kind) {
    case "all":
      return "ALL";
    case "name":
      return selector.name;
    case "custom":
      return selector.subclass === undefined ? "CUSTOM" : `CUSTOM ${selector.subclass}`;
  }
}
