/**
 * fsmqtt's configuration for a measurement.
 *
 * @module
 */

import { EVENT_NAMES } from "../../../lib/protocol/event_names.ts";
import { configuration, param } from "../../../tests/e2e/setup.ts";
import type { EventSocket } from "../wire/roles.ts";

/** Where events go. */
export interface Layout {
  /** How many topics of each connection want every event that is sent. */
  readonly matching: number;
  /** How many topics of each connection want other events, which never come. */
  readonly passedBy: number;
  /** How many connections, all to the same broker. */
  readonly connections: number;
}

/** How much waits for a broker at most, for each connection. */
export interface QueueBounds {
  /** `event-queue-size`. */
  readonly events: number;
  /** `event-queue-bytes`. */
  readonly bytes: number;
}

/** What a configuration is made for. */
export interface AgentOptions {
  /** The event socket. */
  readonly esl: EventSocket;
  /** The port of the broker. */
  readonly broker: number;
  /** The names of the events that are sent. */
  readonly events: readonly string[];
  /** Of all topics. */
  readonly qos: 0 | 1 | 2;
  /** Where events go. @default {ONE_TOPIC} */
  readonly layout?: Layout | undefined;
  /** How much waits; `own` is fsmqtt's own default. @default {ENDLESS} */
  readonly queue?: QueueBounds | "own" | undefined;
}

/** One topic that takes all. */
export const ONE_TOPIC: Layout = { matching: 1, passedBy: 0, connections: 1 };

/** A queue that holds whatever waits. */
export const ENDLESS: QueueBounds = { events: 10_000_000, bytes: 2 ** 36 };

/** What every topic begins with. */
export const TOPIC_ROOT = "bench";

/** How often each event is published. */
export function copiesOf({ matching, connections }: Layout): number {
  return matching * connections;
}

/** The text of `mosquitto.conf.xml`, for an agent that keeps what it has to in the folder. */
export function agentConfiguration(options: AgentOptions, folder: string): string {
  const { esl, broker, events, qos, layout = ONE_TOPIC, queue = ENDLESS } = options;
  const names = Array.from({ length: layout.connections }, (_, i) => `c${i}`);
  const connection = (name: string) =>
    `<connection name="${name}">${param("host", "127.0.0.1")}${param("port", broker)}</connection>`;
  return configuration({
    esl,
    broker,
    settings: queue === "own"
      ? []
      : [param("event-queue-size", queue.events), param("event-queue-bytes", queue.bytes)],
    connection: [param("enable", false)],
    connections: names.map(connection).join("\n"),
  })
    .replace("</profile>", `${publishers(names, events, qos, layout)}</profile>`)
    .replaceAll("{folder}", folder);
}

function publishers(
  connections: readonly string[],
  wanted: readonly string[],
  qos: number,
  { matching, passedBy }: Layout,
): string {
  const others = EVENT_NAMES.filter((name) => name !== "CUSTOM" && !wanted.includes(name));
  const topics = connections.flatMap((connection) => {
    const topic = (name: string, events: readonly string[]) =>
      `<topic name="${connection}-${name}">${
        [
          param("connection_name", connection),
          param("pattern", `${TOPIC_ROOT}/${connection}/${name}`),
          param("qos", qos),
          ...events.map((event) => param("event", event)),
        ].join("")
      }</topic>`;
    return [
      ...Array.from({ length: matching }, (_, i) => topic(`m${i}`, wanted)),
      ...Array.from(
        { length: passedBy },
        (_, i) => topic(`o${i}`, [others[i % others.length] ?? "ALL"]),
      ),
    ];
  });
  return `<publishers><publisher name="p"><topics>${
    topics.join("\n")
  }</topics></publisher></publishers>`;
}
