/**
 * What a loaded configuration says that cannot be meant, or should be known.
 *
 * @module
 */

import { resolve } from "node:path";
import { brokerName } from "./broker.ts";
import { checkCommands } from "./check_commands.ts";
import { checkDelivery } from "./check_delivery.ts";
import { checkTls } from "./check_tls.ts";
import { checkTopics } from "./check_topics.ts";
import type { Config, ConnectionConfig } from "./config.ts";
import { writeFault } from "./files.ts";
import { Findings, place, sortFindings } from "./findings.ts";
import { loadConfig, type LoadOptions, type LoadResult } from "./load.ts";
import { type Env, resolveLogDir, resolveStateDir } from "./paths.ts";
import { publishingTopics, subscribingTopics } from "./placed_topics.ts";
import type { Finding } from "./position.ts";

/** How {@linkcode checkConfig} works. */
export interface CheckOptions {
  /** The environment. Default: the process's own. */
  readonly env?: Env;
  /** Why files cannot be made in a folder. Default: asks the system, and writes nothing. */
  readonly writeFault?: (folder: string) => string | undefined;
  /** Bytes that are free in a folder; none if nobody can tell. Default: asks the system. */
  readonly freeBytes?: (folder: string) => number | undefined;
  /** Finds more in a configuration that could be loaded. Default: nothing. */
  readonly more?: (config: Config) => readonly Finding[];
}

/** Finds, by place, what loading alone does not. */
export function checkConfig(config: Config, options: CheckOptions = {}): Finding[] {
  const findings = new Findings();
  const connections = config.profiles.flatMap((profile) => profile.connections);
  for (const connection of connections) checkConnection(connection, findings);
  checkClientIds(config, findings);
  checkTask(config, findings);
  checkTopics(config, findings);
  checkCommands(config, findings);
  const stateDir = resolve(resolveStateDir(config.settings, options.env));
  checkDelivery(config, { stateDir, freeBytes: options.freeBytes }, findings);
  checkFolders(config, options, findings);
  return findings.sorted();
}

/** Loads a configuration and checks it; `config` is there only if neither found an error. */
export function loadAndCheck(file: string, options: LoadOptions & CheckOptions = {}): LoadResult {
  const { config, findings } = loadConfig(file, options);
  if (config === undefined) return { findings };
  const more = options.more?.(config) ?? [];
  const all = sortFindings([...findings, ...checkConfig(config, options), ...more]);
  return all.some(({ severity }) => severity === "error")
    ? { findings: all }
    : { config, findings: all };
}

/** A connection has something to do for an enabled topic, and if it tells its status. */
function checkTask(config: Config, findings: Findings): void {
  const { profiles, settings } = config;
  const connections = profiles.flatMap((profile) => profile.connections);
  const topics = [...publishingTopics(config), ...subscribingTopics(config)];
  const isBusy = topics.some(({ topic }) => topic.enable) ||
    connections.some(({ statusTopic }) => statusTopic !== undefined);
  if (isBusy) return;
  const lack = connections.length === 0
    ? "no profile has a connection"
    : "no connection has an enabled topic";
  const text = `${lack}: nothing is published and no command taken`;
  findings.warn(profiles[0]?.source.at ?? settings.source.at, "nothing-to-do", text);
}

function checkConnection(connection: ConnectionConfig, findings: Findings): void {
  const { name, will, source: { at, given } } = connection;
  checkTls(connection, findings);
  if (will.enable && will.topic === undefined) {
    const text = `the will of connection "${name}" is enabled but has no \`topic\``;
    findings.error(will.source.at, "will-without-topic", text);
  }
  if (!connection.cleanSession && connection.clientId === undefined) {
    const text = `connection "${name}" needs a \`client_id\` for its session to last: a random ` +
      "one leaves a session behind at the broker at each start";
    findings.warn(given.get("clean_session") ?? at, "lost-session", text);
  }
  if (connection.password !== undefined && connection.username === undefined) {
    const text = `connection "${name}" has a \`password\` that is not sent without a \`username\``;
    findings.warn(given.get("password") ?? at, "unused-password", text);
  }
  if (connection.reconnectDelay > connection.reconnectDelayMax) {
    const text =
      `\`reconnect_delay\` of connection "${name}" is over its \`reconnect_delay_max\` ` +
      `of ${connection.reconnectDelayMax} s, which counts`;
    findings.warn(given.get("reconnect_delay") ?? at, "reconnect-delays", text);
  }
}

/** A broker drops a client when another comes with the same id: the two would never rest. */
function checkClientIds({ profiles }: Config, findings: Findings): void {
  const taken = new Map<string, { connection: ConnectionConfig; enabled: boolean }>();
  for (const profile of profiles) {
    for (const connection of profile.connections) {
      const { clientId, source, name } = connection;
      if (clientId === undefined || /^FreeSWITCH-(Switch|Host)name-Unique$/i.test(clientId)) {
        continue;
      }
      const enabled = profile.enable && connection.enable;
      const key = JSON.stringify([brokerName(connection), clientId]);
      const first = taken.get(key);
      if (first === undefined) {
        taken.set(key, { connection, enabled });
        continue;
      }
      const text = `connection "${name}" has the \`client_id\` "${clientId}" at ` +
        `${brokerName(connection)}, as has connection "${first.connection.name}" ` +
        `(${place(first.connection.source.at)}): they would push each other off`;
      const at = source.given.get("client_id") ?? source.at;
      if (enabled && first.enabled) findings.error(at, "duplicate-client-id", text);
      else findings.warn(at, "duplicate-client-id", text);
    }
  }
}

function checkFolders(config: Config, options: CheckOptions, findings: Findings): void {
  const { settings, profiles } = config;
  const fault = options.writeFault ?? writeFault;
  const seen = new Set<string>();
  const check = (
    what: string,
    folder: string,
    section: Config["settings"]["source"],
    name: string,
    consequence = "",
  ) => {
    const path = resolve(folder);
    const why = seen.has(path) ? undefined : fault(path);
    seen.add(path);
    if (why === undefined) return;
    const text = `Cannot write ${what} in ${path} as this user: ${why}${consequence}`;
    findings.warn(section.given.get(name) ?? section.at, "unwritable-folder", text);
  };
  const stateDir = resolveStateDir(settings, options.env);
  check("state", stateDir, settings.source, "state-dir", withoutDisk(config));
  for (const section of [settings, ...profiles]) {
    if (section.logEnable) check("logs", resolveLogDir(section), section.source, "log-dir");
  }
}

/** What a state folder that cannot be written means for those who want to be kept there. */
function withoutDisk({ profiles }: Config): string {
  const names = profiles.filter(({ enable }) => enable)
    .flatMap(({ connections }) => connections)
    .filter(({ enable, spool }) => enable && spool === "disk")
    .map(({ name }) => `"${name}"`);
  if (names.length === 0) return "";
  return `. Run so, connection${names.length === 1 ? "" : "s"} ${names.join(", ")} would keep ` +
    "NOTHING on disk, although `spool` is disk: a crash or a reboot would lose what waits";
}
