/**
 * The status of a running agent: the contract of `fsmqtt status --json`.
 *
 * Fields are added over time; none is renamed or removed without a new major version.
 *
 * @module
 */

/** Parameters by their names in the configuration; secrets are masked, unset ones are `null`. */
export type ShownParameters = Readonly<Record<string, string | number | boolean | null>>;

/** The whole agent. */
export interface StatusReport {
  /** fsmqtt's version. */
  readonly version: string;
  /** Seconds since the agent started. */
  readonly uptime_seconds: number;
  /** The configuration file. */
  readonly config_file: string;
  /** `<settings>` */
  readonly settings: ShownParameters;
  /** The configuration that the last reload refused; the next start would, too. */
  readonly config_refused?: {
    /** When: ISO 8601. */
    readonly at: string;
    /** The first thing that is wrong with it. */
    readonly reason: string;
  };
  /** Why the audit log cannot be written, if it cannot. */
  readonly audit_trouble?: string;
  /** The link to FreeSWITCH. */
  readonly freeswitch: FreeswitchStatus;
  /** The profiles, in the order of the configuration. */
  readonly profiles: readonly ProfileStatus[];
}

/** The link to FreeSWITCH. */
export interface FreeswitchStatus {
  /** `connected` once authenticated and the subscription acknowledged. */
  readonly state: "connecting" | "connected" | "refused";
  /** Why it is not connected. */
  readonly reason?: string;
  /** `host:port` of the event socket. */
  readonly address: string;
  /** New at each start of FreeSWITCH; `null` until it was heard. */
  readonly core_uuid: string | null;
  /** FreeSWITCH's hostname; `null` until it was heard. */
  readonly hostname: string | null;
  /** FreeSWITCH's switchname; `null` until it was heard. */
  readonly switchname: string | null;
  /** Events read from the event socket. */
  readonly events_received: number;
  /** How often the link was made again. */
  readonly reconnects: number;
  /** Connections dropped since what came was no frame, or absurdly long. */
  readonly protocol_errors: number;
  /** Events missed since they were over 16 MiB. */
  readonly events_too_long: number;
  /** Whether FreeSWITCH has mod_mosquitto loaded: commands would run twice. */
  readonly mod_mosquitto_loaded: boolean;
  /** How often events were missed since the agent started, and before it did. */
  readonly gaps: number;
  /** The last time that events were missed. */
  readonly last_gap: GapStatus | null;
}

/**
 * A time of which FreeSWITCH's events are missed: its event socket has no replay. The numbers come
 * with the first events after it, HEARTBEAT (every 20 s) at the latest.
 */
export interface GapStatus {
  /** When it began (ISO 8601); `null` where nobody knows. */
  readonly from: string | null;
  /** When events came again (ISO 8601). */
  readonly until: string;
  /** How long it was; `null` where nobody knows. */
  readonly seconds: number | null;
  /** Why events were missed. */
  readonly reason: string;
  /**
   * Whether FreeSWITCH was restarted meanwhile; `null` while that is unknown. If so the numbers are
   * those of the new one, and what the former one did before its end is unknown.
   */
  readonly restarted: boolean | null;
  /** Events of any kind that FreeSWITCH fired, wanted or not; `null` where that is unknown. */
  readonly events_at_most: number | null;
  /** Call legs that began; `null` where that is unknown. */
  readonly call_legs_at_most: number | null;
}

/** What was missed in a gap at most, in words. */
export function missedIn({ events_at_most: events, call_legs_at_most: legs }: GapStatus): string {
  return [
    events === null
      ? "how many events were fired is unknown"
      : events === 0
      ? "no event was fired"
      : `at most ${events} event${events === 1 ? " was fired" : "s of all kinds were fired"}`,
    legs === null
      ? "how many call legs began is unknown"
      : legs === 0
      ? "no call leg began"
      : `at most ${legs} call leg${legs === 1 ? "" : "s"} began`,
  ].join(", and ");
}

/** One profile. */
export interface ProfileStatus {
  /** Its name. */
  readonly name: string;
  /** Whether it is enabled at present. */
  readonly enabled: boolean;
  /** Its own parameters. */
  readonly parameters: ShownParameters;
  /** Its broker connections. */
  readonly connections: readonly ConnectionStatus[];
  /** Its publishers. */
  readonly publishers: readonly PublisherStatus[];
  /** Its subscribers. */
  readonly subscribers: readonly SubscriberStatus[];
}

/** One broker connection; offered = acknowledged + in_flight + queued + the sum of dropped. */
export interface ConnectionStatus {
  /** Its name. */
  readonly name: string;
  /** Whether it is enabled at present. */
  readonly enabled: boolean;
  /** `connected` once CONNACK and SUBACKs are in. */
  readonly state: "disabled" | "connecting" | "connected" | "waiting" | "refused" | "disconnected";
  /** Why it is waiting or refused. */
  readonly reason?: string;
  /** What TLS was agreed on, while it is connected over TLS: OpenSSL's names. */
  readonly tls_session?: { readonly version: string; readonly cipher: string };
  /** `host:port` of the broker. */
  readonly broker: string;
  /** The client id in use; `null` while FreeSWITCH's name for it is unknown. */
  readonly client_id: string | null;
  /** How often it was made again. */
  readonly reconnects: number;
  /** Its circuit breaker. */
  readonly breaker: BreakerStatus;
  /** Events that it was asked to publish. */
  readonly offered: number;
  /** Events that the broker has; at QoS 0 the socket. */
  readonly acknowledged: number;
  /** Events on their way. */
  readonly in_flight: number;
  /** Events that wait. */
  readonly queued: number;
  /** Bytes that wait. */
  readonly queued_bytes: number;
  /** Events among those that wait for their topic's `max_rate`, where there are any. */
  readonly held?: number;
  /** What its spool holds, where it has one. */
  readonly spool?: SpoolStatus;
  /** Events given up, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Its own parameters. */
  readonly parameters: ShownParameters;
  /** Its `<tls>`. */
  readonly tls: ShownParameters;
  /** Its `<will>`. */
  readonly will: ShownParameters;
}

/** The circuit breaker of a connection. */
export interface BreakerStatus {
  /** `open` in lasting trouble, `half_open` while put to the test after that. */
  readonly state: "closed" | "open" | "half_open";
  /** When it came into this state, in ISO 8601; absent while it has never changed. */
  readonly since?: string;
  /** Why it came into this state; absent while it has never changed. */
  readonly reason?: string;
}

/** The spool of a connection: events of QoS 1 and 2 on disk. */
export interface SpoolStatus {
  /** Events on disk, those in flight among them. */
  readonly messages: number;
  /** Their bytes; what `spool_max_bytes` is the bound of. */
  readonly bytes?: number;
  /** Events of an earlier run that were found there at the start; some may be delivered by now. */
  readonly recovered: number;
  /** The file; none where the state folder cannot be used. */
  readonly file?: string;
  /** Why it cannot be used at present. */
  readonly trouble?: string;
}

/** One publisher. */
export interface PublisherStatus {
  /** Its name. */
  readonly name: string;
  /** Whether it is enabled at present. */
  readonly enabled: boolean;
  /** Its topics. */
  readonly topics: readonly PublisherTopicStatus[];
}

/** One topic that is published to. */
export interface PublisherTopicStatus {
  /** Its name. */
  readonly name: string;
  /** Whether it is enabled. */
  readonly enabled: boolean;
  /** The MQTT topic as configured. */
  readonly pattern: string;
  /** Messages that the broker has; at QoS 0 the socket. */
  readonly messages: number;
  /** Its own parameters, `event` among them. */
  readonly parameters: ShownParameters;
}

/** One subscriber. */
export interface SubscriberStatus {
  /** Its name. */
  readonly name: string;
  /** Whether it is enabled at present. */
  readonly enabled: boolean;
  /** Its topics. */
  readonly topics: readonly SubscriberTopicStatus[];
}

/** One topic that commands are taken from. */
export interface SubscriberTopicStatus {
  /** Its name. */
  readonly name: string;
  /** Whether it is enabled. */
  readonly enabled: boolean;
  /** The topic filter as configured. */
  readonly pattern: string;
  /** Why the broker refused the subscription, if it did. */
  readonly subscription_refused?: string;
  /** Commands that FreeSWITCH took on. */
  readonly commands_run: number;
  /** Messages of which nothing ran. */
  readonly commands_refused: number;
  /** Of these, how many for which reason; `failed` is FreeSWITCH's own. */
  readonly commands_refused_by: Readonly<Record<string, number>>;
  /** Commands whose end is not known yet. */
  readonly commands_running: number;
  /** Its own parameters. */
  readonly parameters: ShownParameters;
}

/** Names one connection. */
export interface ConnectionName {
  /** Its profile. */
  readonly profile: string;
  /** Its own name. */
  readonly connection: string;
}

/**
 * What keeps an agent from being healthy, in words; empty if nothing does. Said by a connection
 * itself, it is without that connection's own state, and without what other brokers say: that
 * changes with each attempt, and is not for everybody.
 */
export function troubles(report: StatusReport, by?: ConnectionName): string[] {
  const found: string[] = [];
  const { freeswitch } = report;
  if (freeswitch.state !== "connected") {
    found.push(`FreeSWITCH is ${freeswitch.state}${because(freeswitch.reason)}`);
  }
  if (freeswitch.mod_mosquitto_loaded) found.push("FreeSWITCH has mod_mosquitto loaded too");
  const { config_refused: refused } = report;
  if (refused !== undefined) {
    const detail = by === undefined ? because(refused.reason) : "";
    found.push(`the configuration on disk was refused at ${refused.at}${detail}`);
  }
  if (report.audit_trouble !== undefined) {
    found.push(by === undefined ? report.audit_trouble : "the audit log cannot be written");
  }
  for (const profile of report.profiles) {
    if (!profile.enabled) continue;
    for (const connection of profile.connections) {
      if (!connection.enabled) continue;
      const name = `${profile.name}/${connection.name}`;
      const { breaker: { state, reason }, spool: { trouble } = {} } = connection;
      if (by === undefined) {
        if (connection.state !== "connected") {
          found.push(`connection ${name} is ${connection.state}${because(connection.reason)}`);
        }
        if (state === "open") found.push(`the breaker of ${name} is open${because(reason)}`);
        if (trouble !== undefined) found.push(`the spool of ${name}: ${trouble}`);
        continue;
      }
      const isOwn = profile.name === by.profile && connection.name === by.connection;
      if (connection.state !== "connected" && !isOwn) found.push(`connection ${name} is away`);
      if (state === "open") found.push(`the breaker of ${name} is open`);
      if (trouble !== undefined) found.push(`the spool of ${name} cannot be used`);
    }
    for (const subscriber of profile.subscribers) {
      for (const topic of subscriber.topics) {
        if (!subscriber.enabled || topic.subscription_refused === undefined) continue;
        found.push(`the broker refuses the subscription to "${topic.pattern}"`);
      }
    }
  }
  return found;
}

function because(reason: string | undefined): string {
  return reason === undefined ? "" : ` (${reason})`;
}
