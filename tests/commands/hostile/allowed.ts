/**
 * What the narrow topic of the hostile tests allows, in every form.
 *
 * @module
 */

import { json, signed, text, TOPICS, type Transport } from "./message.ts";

/** A message that runs, and as what. */
export interface Allowed {
  /** What is particular about it. */
  readonly name: string;
  /** The message. */
  readonly payload: Uint8Array;
  /** How it comes, where that matters. */
  readonly transport?: Transport;
  /** What FreeSWITCH gets behind `bgapi`. */
  readonly line: string;
  /** The Job-UUID that the sender chose. */
  readonly job?: string;
  /** The id in its answers; `null` if it has none. */
  readonly id: string | null;
}

const PARK = "originate user/1000 &park";

/** Every allowed form, each of which runs once. */
export function allowedForms(now: Date): Allowed[] {
  const seconds = now.getTime() / 1000;
  const status = { command: "bgapi", args: "status" };
  const fresh = (id: string) => ({ ...status, id, issued_at: now.toISOString() });
  const call = { command: "originate", endpoint: "user/1000", app: "park" };
  const response = (data: string): Transport => ({
    responseTopic: `${TOPICS.replies}/allowed`,
    correlationData: text(data),
  });
  const texts: readonly (readonly [name: string, text: string, line: string])[] = [
    ["a text", "bgapi status", "status"],
    ["a first word in capitals", "BGAPI status", "status"],
    ["a first word in any case", "bGaPi status", "status"],
    ["more spaces", "bgapi   status  ", "status"],
    ["an originate", "originate user/1000 &park", PARK],
    ["an originate in capitals", "ORIGINATE user/1000 &park", PARK],
    ["an originate with more spaces", "originate  user/1000   &park  ", PARK],
    ["an originate with parentheses", "originate user/1000 &park()", `${PARK}()`],
    ["an originate in quotes", "originate 'user/1000' '&park'", PARK],
    ["an originate with a dialplan", "originate user/1000 &park XML", PARK],
    ["a dialplan in small letters", "originate user/1000 &park xml default", PARK],
    // Beside an application FreeSWITCH makes nothing of it.
    ["a context of any name", "originate user/1000 &park XML any", PARK],
    [
      "a timeout behind the context",
      "originate user/1000 &park XML default undef undef 30",
      `${PARK} XML default undef undef 30`,
    ],
  ];
  const documents: readonly (readonly [
    name: string,
    document: object,
    line: string,
    id?: string,
  ])[] = [
    ["a document", status, "status"],
    ["a document with spaces in its args", { ...status, args: " status " }, "status"],
    ["a document with a time", { ...status, issued_at: now.toISOString() }, "status"],
    ["a document with a time in seconds", { ...status, issued_at: seconds - 30 }, "status"],
    ["a document with a sender", { ...status, sender: "reload mod_event_socket" }, "status"],
    ["a document with a number for its id", { ...status, id: 17 }, "status", "17"],
    ["an originate of args", { command: "originate", args: "user/1000 &park" }, PARK],
    ["an originate of fields", call, PARK],
    ["an originate of fields with empty arguments", { ...call, app_args: "" }, `${PARK}()`],
    ["an originate of fields with no variables", { ...call, variables: {} }, PARK],
    [
      "an originate of fields with a timeout",
      { ...call, timeout: 3600 },
      `${PARK} XML default undef undef 3600`,
    ],
  ];
  return [
    ...texts.map(([name, body, line]) => ({ name, payload: text(body), line, id: null })),
    ...documents.map(([name, document, line, id = null]) => ({
      name,
      payload: json(document),
      line,
      id,
    })),
    {
      name: "a document with white space",
      payload: text(`\r\n ${JSON.stringify(status, undefined, 2)}\r\n`),
      line: "status",
      id: null,
    },
    {
      name: "a Job-UUID",
      payload: text("bgapi uuid:allowed-1 status"),
      line: "status",
      job: "allowed-1",
      id: "allowed-1",
    },
    {
      name: "a Job-UUID of a strange word",
      payload: text("bgapi uuid:reload  status"),
      line: "status",
      job: "reload",
      id: "reload",
    },
    {
      name: "a document with an id",
      payload: json({ ...status, id: "mod_event_socket.reload:1" }),
      line: "status",
      id: "mod_event_socket.reload:1",
    },
    {
      name: "an originate with an id",
      payload: json({ ...call, id: "allowed-call" }),
      line: PARK,
      id: "allowed-call",
    },
    {
      name: "a request of MQTT 5",
      payload: text("bgapi status"),
      transport: response("a"),
      line: "status",
      id: null,
    },
    {
      name: "another request of MQTT 5",
      payload: json(status),
      transport: response("b"),
      line: "status",
      id: null,
    },
    {
      name: "a request with an id",
      payload: json({ ...status, id: "allowed-request" }),
      transport: response("b"),
      line: "status",
      id: "allowed-request",
    },
    {
      name: "an originate as a request",
      payload: text("originate user/1000 &park"),
      transport: response("c"),
      line: PARK,
      id: null,
    },
    {
      name: "a message that is good for a while",
      payload: text("bgapi status"),
      transport: { expirySeconds: 60 },
      line: "status",
      id: null,
    },
    {
      name: "a signed command",
      payload: signed(JSON.stringify(fresh("signed-1"))),
      transport: { topic: TOPICS.signed },
      line: "status",
      id: "signed-1",
    },
    {
      name: "a signed originate",
      payload: signed(JSON.stringify({ ...call, id: "signed-2", issued_at: seconds })),
      transport: { topic: TOPICS.signed },
      line: PARK,
      id: "signed-2",
    },
  ];
}
