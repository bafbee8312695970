/**
 * A broker connection's options from its configuration, FreeSWITCH's names put in.
 *
 * @module
 */

import { brokerPort } from "../config/broker.ts";
import type { ConnectionConfig } from "../config/config.ts";
import { holdsTemplate } from "../config/template.ts";
import { expand, expandTopic, type SwitchNames } from "../events/template.ts";
import type { OfflineAnnouncement } from "../control/announcement.ts";
import type { BrokerOptions, Will } from "../mqtt/options.ts";
import { VERSION } from "../version.ts";
import { randomLetters } from "./state_dir.ts";

/** mod_mosquitto's words for a client id made from FreeSWITCH's names. */
const SWITCH_CLIENT_ID = /^FreeSWITCH-(Switchname|Hostname)(-Unique)?$/i;

/** A random client id is `fsmqtt-` and this many letters: 23 are what MQTT 3.1 allows. */
const RANDOM_LETTERS = 16;

/** Makes what a client id may need. */
export interface ClientIdSource {
  /** The random part of this connection's client id, the same at every start. */
  uniquePart(): string;
}

/** The options, or `undefined` while FreeSWITCH's names are needed and unknown. */
export function brokerOptions(
  config: ConnectionConfig,
  names: SwitchNames | undefined,
  ids: ClientIdSource,
): BrokerOptions | undefined {
  const { will, tls, statusTopic } = config;
  const templates = [config.clientId ?? "", statusTopic ?? ""];
  if (will.enable) templates.push(will.topic ?? "", will.payload);
  const needsNames = templates.some(holdsTemplate) ||
    SWITCH_CLIENT_ID.test(config.clientId ?? "");
  if (names === undefined && needsNames) return undefined;
  const known = names ?? { hostname: "", switchname: "" };
  return {
    host: config.host,
    port: brokerPort(config),
    bindAddress: config.bindAddress,
    srv: config.srv,
    protocolVersion: config.protocolVersion,
    keepalive: config.keepalive,
    username: config.username,
    password: config.password,
    clientId: clientId(config.clientId, known, ids),
    cleanSession: config.cleanSession,
    sendMaximum: config.sendMaximum,
    receiveMaximum: config.receiveMaximum,
    retries: config.retries,
    reconnectDelay: config.reconnectDelay,
    reconnectDelayMax: config.reconnectDelayMax,
    reconnectExponentialBackoff: config.reconnectExponentialBackoff,
    tls: tls.enable ? tls : undefined,
    will: will.enable && will.topic !== undefined
      ? {
        topic: expandTopic(will.topic, known),
        payload: expand(will.payload, known),
        qos: will.qos,
        retain: will.retain,
      }
      : undefined,
    offline: statusTopic === undefined ? undefined : offline(statusTopic, known, names),
  };
}

/** The names in it do not make another connection: they are as known when it is begun. */
function offline(pattern: string, known: SwitchNames, names: SwitchNames | undefined): Will {
  const announcement: OfflineAnnouncement = {
    state: "offline",
    version: VERSION,
    hostname: names?.hostname ?? null,
    switchname: names?.switchname ?? null,
  };
  const payload = JSON.stringify(announcement);
  return { topic: expandTopic(pattern, known), payload, qos: 0, retain: true };
}

function clientId(
  configured: string | undefined,
  names: SwitchNames,
  ids: ClientIdSource,
): string {
  if (configured === undefined) return `fsmqtt-${randomLetters(RANDOM_LETTERS)}`;
  const [, which, unique] = SWITCH_CLIENT_ID.exec(configured) ?? [];
  if (which === undefined) return expand(configured, names);
  const name = which.toLowerCase() === "switchname" ? names.switchname : names.hostname;
  return unique === undefined ? name : `${name}-${ids.uniquePart()}`;
}
