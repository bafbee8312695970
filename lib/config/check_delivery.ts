/**
 * Rules of the parameters that say how events are kept, throttled and given up.
 *
 * @module
 */

import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import type {
  Config,
  ConnectionConfig,
  Named,
  ProfileConfig,
  PublisherTopicConfig,
} from "./config.ts";
import { sizeText } from "../size_text.ts";
import { type Findings, place } from "./findings.ts";
import type { connectionParameters } from "./parameters.ts";
import type { Position } from "./position.ts";

type ConnectionParameter = keyof typeof connectionParameters;

/** Parameters that count only with `spool` on `disk`. */
const ONLY_ON_DISK = ["spool_commit_ms", "spool_max_messages", "spool_max_bytes"] as const;
/** Parameters that count only with a breaker that can open. */
const ONLY_WITH_BREAKER = ["breaker_shed", "breaker_open_seconds", "breaker_high_mark"] as const;
/** Parameters that count only with `max_rate`. */
const ONLY_WITH_RATE = ["max_burst", "over_rate"] as const;

/** What a spool takes on the disk for each byte of its events, with its tables and its log. */
const DISK_SHARE = 1.2;

/** Timers are no finer than this, in milliseconds, on a machine that has other things to do. */
const TIMER_MS = 10;

/** What {@linkcode checkDelivery} asks of the machine. */
export interface DeliveryCheckOptions {
  /** The folder that spools are in. */
  readonly stateDir: string;
  /** Bytes that are free in a folder; none if nobody can tell. Default: asks the system. */
  readonly freeBytes?: ((folder: string) => number | undefined) | undefined;
}

/** A connection with what publishes over it, switched on or not. */
interface Publishing {
  readonly connection: ConnectionConfig;
  readonly topics: readonly PublisherTopicConfig[];
}

/** Checks how each connection delivers. */
export function checkDelivery(
  { profiles }: Config,
  options: DeliveryCheckOptions,
  findings: Findings,
): void {
  for (const profile of profiles) {
    const connections = publishing(profile);
    warnOfEach(connections, spoolFault, findings);
    for (const name of ONLY_ON_DISK) {
      warnOfEach(connections, (each) => spoolNoEffect(each, name), findings);
    }
    warnOfEach(connections, sessionFault, findings);
    for (const name of ONLY_WITH_BREAKER) {
      warnOfEach(connections, (each) => breakerNoEffect(each, name), findings);
    }
    warnOfEach(connections, shedsAll, findings);
    for (const { topics } of profile.publishers) {
      for (const topic of topics) checkRate(topic, findings);
    }
  }
  checkSpace(profiles.flatMap(({ connections }) => connections), options, findings);
}

function publishing({ connections, publishers }: ProfileConfig): Publishing[] {
  const topics = publishers.flatMap(({ topics }) => topics);
  return connections.map((connection) => ({
    connection,
    topics: topics.filter(({ connectionName }) => connectionName === connection.name),
  }));
}

/** What is wrong with a parameter of a connection. */
interface Fault {
  readonly code: Parameters<Findings["warn"]>[1];
  /** The parameter that is to blame. */
  readonly name: ConnectionParameter;
  readonly text: string;
}

/**
 * Warns of each connection's fault. A parameter that several connections have from the defaults of
 * their profile is no fault as long as it is none in one of them, and is told of once.
 */
function warnOfEach(
  connections: readonly Publishing[],
  faultOf: (publishing: Publishing) => Fault | undefined,
  findings: Findings,
): void {
  const told = new Set<string>();
  for (const publishing of connections) {
    const fault = faultOf(publishing);
    if (fault === undefined) continue;
    const { code, name, text } = fault;
    const at = placeOf(publishing.connection, name);
    const isSame = (other: Publishing) => key(placeOf(other.connection, name)) === key(at);
    if (told.has(key(at)) || connections.some((each) => isSame(each) && !faultOf(each))) continue;
    told.add(key(at));
    findings.warn(at, code, text);
  }
}

function placeOf({ source: { at, given } }: Named, parameter: string): Position {
  return given.get(parameter) ?? at;
}

function key(at: Position): string {
  return `${place(at)}:${at.column}`;
}

function spoolNoEffect({ connection }: Publishing, name: ConnectionParameter): Fault | undefined {
  const { spool, source } = connection;
  if (spool === "disk" || !source.given.has(name)) return undefined;
  const bounds = name === "spool_commit_ms"
    ? ""
    : ", where event-queue-size and event-queue-bytes of <settings> are the bounds";
  const text = `\`${name}\` of connection "${connection.name}" has no effect with \`spool\` on ` +
    `memory${bounds}: give \`spool\` the value disk, or take this out`;
  return { code: "spool-no-effect", name, text };
}

function spoolFault({ connection, topics }: Publishing): Fault | undefined {
  const { spool, name } = connection;
  if (spool !== "disk" || topics.length === 0 || topics.some(({ qos }) => qos > 0)) {
    return undefined;
  }
  const text = `connection "${name}" has \`spool\` on disk, and all its topics have QoS 0, of ` +
    "which nothing is kept on disk: give those that matter `qos` 1 or 2";
  return { code: "spool-no-effect", name: "spool", text };
}

function sessionFault({ connection, topics }: Publishing): Fault | undefined {
  const { spool, name, cleanSession, clientId } = connection;
  const topic = topics.find(({ qos }) => qos === 2);
  if (spool !== "disk" || topic === undefined) return undefined;
  const missing = [
    ...(cleanSession ? ["`clean_session` false"] : []),
    ...(clientId === undefined ? ["a `client_id`, such as FreeSWITCH-Hostname-Unique"] : []),
  ];
  if (missing.length === 0) return undefined;
  const text =
    `topic "${topic.name}" has QoS 2, but a restart of fsmqtt may repeat events, since ` +
    `the session of connection "${name}" does not last: give it ${missing.join(" and ")}`;
  return { code: "spool-session", name: "spool", text };
}

function breakerNoEffect({ connection }: Publishing, name: ConnectionParameter): Fault | undefined {
  const { breakerFailures, breakerHighSeconds, source } = connection;
  if (breakerHighSeconds > 0 || !source.given.has(name)) return undefined;
  const before = `\`${name}\` of connection "${connection.name}" has no effect, since `;
  if (breakerFailures === 0) {
    const text =
      `${before}\`breaker_failures\` and \`breaker_high_seconds\` are 0 and the breaker ` +
      "never opens: give one of them a value, or take this out";
    return { code: "breaker-no-effect", name, text };
  }
  if (name !== "breaker_high_mark") return undefined;
  const text = `${before}\`breaker_high_seconds\` is 0: give that a value, or take this out`;
  return { code: "breaker-no-effect", name, text };
}

function shedsAll({ connection }: Publishing): Fault | undefined {
  const { breakerShed, breakerFailures, breakerHighSeconds, name } = connection;
  if (breakerShed !== "all" || (breakerFailures === 0 && breakerHighSeconds === 0)) {
    return undefined;
  }
  const text =
    `connection "${name}" LOSES all events, those of QoS 1 and 2 too, that come while its ` +
    "breaker is open, as in each longer outage of its broker: that is what `breaker_shed` all " +
    "means; none loses nothing, and qos0 those of QoS 0 alone";
  return { code: "breaker-sheds-all", name: "breaker_shed", text };
}

function checkRate(topic: PublisherTopicConfig, findings: Findings): void {
  const { name, maxRate, maxBurst = maxRate, overRate, source: { given } } = topic;
  if (maxRate === 0) {
    for (const parameter of ONLY_WITH_RATE) {
      const at = given.get(parameter);
      const text = `\`${parameter}\` of topic "${name}" has no effect without \`max_rate\`: give ` +
        "it, or take this out";
      if (at !== undefined) findings.warn(at, "rate-no-effect", text);
    }
    return;
  }
  const enough = Math.ceil(maxRate * TIMER_MS / 1000);
  if (overRate !== "hold" || maxBurst >= enough) return;
  const text =
    `topic "${name}" will not reach its \`max_rate\` of ${maxRate} with a \`max_burst\` ` +
    `of ${maxBurst}, since timers are no finer than ${TIMER_MS} ms: give it ${enough} or more`;
  findings.warn(placeOf(topic, "max_burst"), "rate-burst", text);
}

function checkSpace(
  connections: readonly ConnectionConfig[],
  { stateDir, freeBytes = freeBytesIn }: DeliveryCheckOptions,
  findings: Findings,
): void {
  const spooling = connections.filter(({ spool }) => spool === "disk");
  if (spooling.length === 0) return;
  const free = freeBytes(stateDir);
  if (free === undefined) return;
  let wanted = 0;
  for (const connection of spooling) {
    const own = Math.round(connection.spoolMaxBytes * DISK_SHARE);
    wanted += own;
    if (wanted <= free) continue;
    const others = wanted > own ? " together with those before it" : "";
    const text = `the spool of connection "${connection.name}" may take${others} ` +
      `${sizeText(wanted, Math.ceil)} (a fifth more than \`spool_max_bytes\`), and the disk of ` +
      `${stateDir} has ${sizeText(free, Math.floor)} free: lower \`spool_max_bytes\`, or give ` +
      "`state-dir` a larger disk. On a full disk events wait in memory alone, and are dropped " +
      "when that is full";
    findings.warn(placeOf(connection, "spool_max_bytes"), "spool-space", text);
    return;
  }
}

/**
 * Bytes that this user may still write to the disk of a folder. One that is not there yet is judged
 * by the nearest one above it that is.
 *
 * @returns Nothing if the system does not tell, or Deno may not ask it.
 */
export function freeBytesIn(folder: string): number | undefined {
  // Asking without the permission would ask the person at the terminal.
  const permission = { name: "sys", kind: "statfs" } as unknown as Deno.SysPermissionDescriptor;
  if (Deno.permissions.querySync(permission).state !== "granted") return undefined;
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch (error) {
    const parent = dirname(folder);
    const isMissing = (error as { code?: unknown }).code === "ENOENT";
    return isMissing && parent !== folder ? freeBytesIn(parent) : undefined;
  }
}
