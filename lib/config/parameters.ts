/**
 * Every parameter of `mosquitto.conf.xml`, written once. The loader, the checker with its
 * suggestions, `fsmqtt config`, the types of a loaded configuration and `docs/reference.md` are
 * made from this table.
 *
 * @module
 */

import {
  choice,
  choiceOr,
  commandRules,
  events,
  flag,
  host,
  hostOr,
  integer,
  logLevel,
  optionalInteger,
  type Parameter,
  path,
  qos,
  secret,
  strictFlag,
  template,
  templateOr,
  text,
  topicFilter,
  topicName,
  valueRules,
} from "./parameter.ts";

/** Numbers that only memory and time bound. */
const ANY = Number.MAX_SAFE_INTEGER;
/** Delays in seconds end at a day: a longer one is a mistake. */
const DAY = 86_400;
/** FreeSWITCH takes 16 MiB; no command over MQTT needs that. */
const MAX_COMMAND_BYTES = 65_536;

const log = (inherits: boolean) => {
  const from = (name: string) => inherits ? { inherits: name } : {};
  return {
    "log-enable": flag({
      default: false,
      ...from("log-enable"),
      help: "Whether a log file is written. Standard error always has the log.",
    }),
    "log-details": flag({
      default: false,
      ...from("log-details"),
      help: "Whether the log shows each message: topic, size, and the text of commands.",
    }),
    "log-level": logLevel({
      default: "info",
      ...from("log-level"),
      help: "The least severe messages that are logged.",
    }),
    "log-dir": text({
      ...from("log-dir"),
      fallbackText: inherits
        ? "the log-dir of settings"
        : "FreeSWITCH's log folder, else /var/log/fsmqtt",
      help: "Folder of the log file.",
    }),
    "log-file": text({
      fallbackText: inherits ? "the profile's name and `.log`" : "mosquitto.log",
      help: "Name of the log file.",
    }),
  };
};

const enable = (what: string, inherits: string) =>
  flag({ default: true, inherits, live: true, help: `Whether this ${what} is enabled.` });

const REQUIRED = { fallbackText: "none; it must be given" };

const PROTOCOL_VERSIONS = ["V31", "V311", "V5"] as const;

/** `<settings>` */
export const settingsParameters = {
  ...log(false),
  "enable-profiles": flag({
    default: true,
    help: "Whether profiles are enabled that do not say it themselves.",
  }),
  "enable-publishers": flag({
    default: true,
    help: "Whether publishers are enabled that do not say it themselves.",
  }),
  "enable-subscribers": flag({
    default: true,
    help: "Whether subscribers are enabled that do not say it themselves.",
  }),
  "enable-connections": flag({
    default: true,
    help: "Whether connections are enabled that do not say it themselves.",
  }),
  "enable-topics": flag({
    default: true,
    help: "Whether topics are enabled that do not say it themselves.",
  }),
  "event-queue-size": integer(1, ANY, {
    default: 5000,
    unit: "events",
    help: "How many events each connection holds in memory while its broker cannot take them.",
  }),
  "event-queue-bytes": integer(65_536, ANY, {
    default: 64 * 1024 * 1024,
    unit: "bytes",
    added: true,
    help: "How many bytes of events each connection holds in memory, beside event-queue-size.",
  }),
  "unique-string-length": integer(1, 127, {
    default: 10,
    unit: "characters",
    help:
      "Length of the random part of FreeSWITCH-Switchname-Unique and FreeSWITCH-Hostname-Unique.",
  }),
  "esl-host": hostOr({
    default: "127.0.0.1",
    fallbackText: "listen-ip of event_socket.conf.xml in the same folder, else 127.0.0.1",
    added: true,
    help: "Where FreeSWITCH's event socket listens.",
  }),
  "esl-port": integer(1, 65_535, {
    default: 8021,
    fallbackText: "listen-port of event_socket.conf.xml in the same folder, else 8021",
    added: true,
    help: "The port of FreeSWITCH's event socket.",
  }),
  "esl-user": text({
    added: true,
    help: "A user of FreeSWITCH's directory as `user@domain`, to log in with `userauth`.",
  }),
  "esl-password": secret({
    added: true,
    fallbackText:
      "the password in event_socket.conf.xml in the same folder, else FreeSWITCH's own default with a warning",
    help: "The password of FreeSWITCH's event socket.",
  }),
  "control-socket": text({
    added: true,
    fallbackText: "/run/fsmqtt/control.sock, or under $XDG_RUNTIME_DIR without the rights for that",
    help: "The unix socket on which the running agent is steered.",
  }),
  "control-group": text({
    added: true,
    help: "A group that may steer the agent too, beside its own user.",
  }),
  "audit-log": text({
    fallbackText: "`audit.jsonl` in state-dir",
    added: true,
    help:
      "The file that says, as lines of JSON, which commands ran over MQTT and what became of them. " +
      "What was refused stands in a file beside it, whose name has `-refused` in it.",
  }),
  "audit-log-bytes": integer(0, ANY, {
    default: 5 * 1024 * 1024,
    unit: "bytes",
    added: true,
    zero: "is no audit log",
    help:
      "How long each of the two files grows before it is renamed to end in `.1`, over the one " +
      "before.",
  }),
  "state-dir": text({
    added: true,
    fallbackText: "/var/lib/fsmqtt, or under $XDG_STATE_HOME without the rights for that",
    help: "Folder for what must outlive a restart: spools, and generated client ids.",
  }),
  "shutdown-timeout": integer(0, DAY, {
    default: 5,
    unit: "seconds",
    added: true,
    help:
      "How long the brokers may take, when fsmqtt ends, for what is still queued. What is left " +
      "then stays on disk where `spool` is `disk`, and is lost elsewhere.",
  }),
} as const;

/** `<profile>` */
export const profileParameters = {
  enable: enable("profile", "enable-profiles"),
  ...log(true),
} as const;

/** `<connection>`; directly under `<connections>` they are the defaults of that profile. */
export const connectionParameters = {
  enable: enable("connection", "enable-connections"),
  host: hostOr({ default: "localhost", help: "Host name or address of the MQTT broker." }),
  port: optionalInteger(1, 65_535, {
    fallbackText: "1883, with TLS 8883",
    help: "Port of the MQTT broker.",
  }),
  bind_address: text({ help: "Local address that the connection is made from." }),
  srv: flag({
    default: false,
    help: "Whether DNS SRV records of the host name the broker and its port.",
  }),
  protocol_version: choiceOr(PROTOCOL_VERSIONS, {
    default: "V311",
    added: true,
    help: "MQTT 3.1, 3.1.1 or 5.",
  }),
  keepalive: integer(0, 65_535, {
    default: 60,
    unit: "seconds",
    zero: "never asks",
    help: "Silence after which the broker is asked for a sign of life.",
  }),
  username: text({ help: "User name at the broker." }),
  password: secret({ help: "Password at the broker." }),
  client_id: template({
    fallbackText: "random at each start",
    help:
      "Client id at the broker. FreeSWITCH-Switchname and FreeSWITCH-Hostname stand for those " +
      "names; with -Unique a random part is added, which is kept in state-dir.",
  }),
  clean_session: flag({
    default: true,
    help: "Whether the broker forgets subscriptions and unsent messages between connections.",
  }),
  send_maximum: integer(1, 65_535, {
    default: 20,
    unit: "messages",
    help: "How many QoS 1 and 2 messages may be on their way to the broker at once.",
  }),
  receive_maximum: integer(1, 65_535, {
    default: 20,
    unit: "messages",
    help: "How many QoS 1 and 2 messages the broker may have on their way at once.",
  }),
  retries: integer(0, ANY, {
    default: 0,
    zero: "never says so",
    help: "Attempts before the trouble is logged as lasting and they go on at reconnect_delay_max.",
  }),
  reconnect_delay: integer(1, DAY, {
    default: 1,
    unit: "seconds",
    help: "Wait before the first reconnect.",
  }),
  reconnect_delay_max: integer(1, DAY, {
    default: 30,
    unit: "seconds",
    help: "Longest wait between reconnects.",
  }),
  reconnect_exponential_backoff: flag({
    default: true,
    misspellings: ["reconnect_exponsntial_backoff"],
    help: "Whether the wait doubles each time; otherwise reconnect_delay is added each time.",
  }),
  spool: choiceOr(["memory", "disk"], {
    default: "memory",
    added: true,
    live: true,
    help:
      "Where events of QoS 1 and 2 wait for the broker: in memory alone, or also in a file in " +
      "state-dir, where they outlive a crash and a reboot. Events of QoS 0 are never on disk.",
  }),
  spool_commit_ms: integer(0, 60_000, {
    default: 50,
    unit: "milliseconds",
    added: true,
    live: true,
    help: "How long an event may be without the broker's acknowledgement before it is written to " +
      "disk. A broker that is faster costs the disk nothing.",
  }),
  spool_max_messages: integer(1, ANY, {
    default: 1_000_000,
    unit: "events",
    added: true,
    live: true,
    help: "How many events of QoS 1 and 2 wait at most, with `spool` on `disk`.",
  }),
  spool_max_bytes: integer(65_536, ANY, {
    default: 1024 ** 3,
    unit: "bytes",
    added: true,
    live: true,
    help: "How many bytes of them wait at most, with `spool` on `disk`.",
  }),
  spool_max_age: integer(0, ANY, {
    default: 0,
    unit: "seconds",
    added: true,
    live: true,
    zero: "is no limit",
    help: "Events that have waited longer are dropped, in memory and on disk.",
  }),
  queue_full: choiceOr(["drop_oldest", "drop_newest"], {
    default: "drop_oldest",
    added: true,
    live: true,
    help: "What is dropped when a bound is reached. Events of QoS 0 go before the others.",
  }),
  drain_rate: integer(0, ANY, {
    default: 0,
    unit: "events a second",
    added: true,
    live: true,
    zero: "is as fast as the broker takes it",
    help:
      "How fast what has gathered during an outage is sent when the broker is back, with live " +
      "events beside it.",
  }),
  status_topic: topicName({
    added: true,
    help: "A topic where fsmqtt says, retained and in JSON, whether it is online, degraded or " +
      "offline, and which events were missed.",
  }),
  breaker_failures: integer(0, ANY, {
    default: 5,
    added: true,
    live: true,
    zero: "never opens it",
    help: "So many failed connections in a row open the breaker.",
  }),
  breaker_high_mark: integer(1, 100, {
    default: 80,
    unit: "percent",
    added: true,
    live: true,
    help: "A queue this full, for breaker_high_seconds, opens the breaker.",
  }),
  breaker_high_seconds: integer(0, DAY, {
    default: 60,
    unit: "seconds",
    added: true,
    live: true,
    zero: "is for ever",
    help: "How long the queue may stay over breaker_high_mark.",
  }),
  breaker_open_seconds: integer(1, DAY, {
    default: 30,
    unit: "seconds",
    added: true,
    live: true,
    help: "How long the breaker stays open before it is half open and puts the connection to the " +
      "test. A connection that is made meanwhile begins the test at once.",
  }),
  breaker_shed: choiceOr(["none", "qos0", "all"], {
    default: "none",
    added: true,
    live: true,
    help: "Which events are dropped at once while the breaker is open.",
  }),
} as const;

/** `<tls>` in a connection */
export const tlsParameters = {
  enable: strictFlag({ default: false, help: "Whether the connection uses TLS." }),
  support: choice(["certificate", "psk"], {
    synonyms: { pks: "psk" },
    help: "Whether the broker is known by its certificate or by a pre-shared key.",
  }),
  port: optionalInteger(1, 65_535, { help: "Port that takes the place of the connection's." }),
  cafile: path("file", { help: "PEM file of trusted CA certificates." }),
  capath: path("folder", { help: "Folder of PEM files of trusted CA certificates." }),
  certfile: path("file", { help: "PEM file of this client's certificate; goes with keyfile." }),
  keyfile: path("file", { help: "PEM file of this client's private key; goes with certfile." }),
  keyfile_password: secret({
    added: true,
    help: "The password that the private key in keyfile is encrypted with.",
  }),
  advanced_options: strictFlag({
    default: false,
    help: "Whether cert_reqs, version and opts_ciphers count.",
  }),
  cert_reqs: choiceOr(["SSL_VERIFY_PEER", "SSL_VERIFY_NONE"], {
    default: "SSL_VERIFY_PEER",
    help: "Whether the broker's certificate is verified. SSL_VERIFY_NONE gives no security.",
  }),
  version: choice(["tlsv1", "tlsv1.1", "tlsv1.2", "tlsv1.3"], {
    fallbackText: "1.2 or later",
    help: "The one TLS version to use.",
  }),
  opts_ciphers: text({
    fallbackText: "the usual ones",
    help: "The only ciphers to use, as `openssl ciphers` lists them. A TLS version of which it " +
      "names none is not used; the names of TLS 1.3's begin with TLS_.",
  }),
  psk: secret({
    misspellings: ["pks"],
    help: "The pre-shared key in hex digits.",
  }),
  identity: text({ help: "The identity that goes with psk." }),
  psk_ciphers: text({
    fallbackText: "all that use a pre-shared key",
    help: "The only ciphers to use with psk, in the same form.",
  }),
  alpn: text({
    added: true,
    help: "Application protocols to offer, separated by commas: `mqtt`, or `x-amzn-mqtt-ca` for " +
      "AWS IoT on port 443.",
  }),
  servername: host({
    added: true,
    fallbackText: "the host; with `srv` the host that the SRV record names",
    help:
      "The name that the broker's certificate must have, which is told to the broker too (SNI).",
  }),
} as const;

/** `<will>` in a connection */
export const willParameters = {
  enable: flag({
    default: false,
    help: "Whether the will is published when the connection ends, orderly or not.",
  }),
  topic: topicName({ help: "Topic of the will." }),
  payload: templateOr({ default: "", help: "Payload of the will." }),
  qos: qos("Quality of Service of the will."),
  retain: flag({
    default: false,
    help: "Whether the broker keeps the will for later subscribers.",
  }),
} as const;

/** `<publisher>` */
export const publisherParameters = {
  enable: enable("publisher", "enable-publishers"),
} as const;

/** `<topic>` of a publisher */
export const publisherTopicParameters = {
  enable: enable("topic", "enable-topics"),
  connection_name: text({ ...REQUIRED, help: "The connection of this profile that publishes." }),
  event: events({
    help: "An event to publish: a name of `fsmqtt events`, `ALL`, `CUSTOM`, or `CUSTOM` and a " +
      "subclass.",
  }),
  pattern: topicName({ ...REQUIRED, help: "The MQTT topic that is published to." }),
  qos: qos("Quality of Service of the messages."),
  retain: flag({ default: false, help: "Whether the broker keeps the last message." }),
  max_rate: integer(0, ANY, {
    default: 0,
    unit: "events a second",
    added: true,
    zero: "is no limit",
    help: "The most that is published to this topic over time. What comes from disk is not held " +
      "again: there is drain_rate.",
  }),
  max_burst: optionalInteger(1, ANY, {
    fallbackText: "max_rate",
    unit: "events",
    added: true,
    help: "How many events may come at once before max_rate counts.",
  }),
  over_rate: choiceOr(["hold", "drop"], {
    default: "hold",
    added: true,
    help: "Whether events over max_rate wait for their turn, within the queue's bounds, or are " +
      "dropped.",
  }),
} as const;

/** `<subscriber>` */
export const subscriberParameters = {
  enable: enable("subscriber", "enable-subscribers"),
} as const;

/** What an owner meant to lock is not to stay open because a variable was not set. */
const LOCK = { added: true, neverEmpty: true } as const;

/** `<topic>` of a subscriber */
export const subscriberTopicParameters = {
  enable: enable("topic", "enable-topics"),
  connection_name: text({ ...REQUIRED, help: "The connection of this profile that subscribes." }),
  pattern: topicFilter({
    ...REQUIRED,
    help: "The MQTT topic filter that commands are taken from.",
  }),
  qos: qos("Quality of Service of the subscription."),
  originate_authorized: flag({
    default: false,
    help: "Whether messages of this topic may start, move or connect calls.",
  }),
  bgapi_authorized: flag({
    default: false,
    help:
      "Whether messages of this topic may run API commands. Those that give a shell, run code, " +
      "wrap other commands, reveal secrets or end FreeSWITCH have to be named by bgapi_allow.",
  }),
  bgapi_allow: commandRules({
    ...LOCK,
    help: "An API command that may run; with one of these, no other may. `status` means without " +
      "arguments, `show *` with any, `show /channels|calls/` with those that the whole pattern " +
      "matches (RE2), `show calls` with these.",
  }),
  originate_allow_endpoint: valueRules({
    ...LOCK,
    help: "An endpoint that may be called, such as `user/1000`. With any `originate_allow_…`, an " +
      "originate may hold only what is named.",
  }),
  originate_allow_app: commandRules({
    ...LOCK,
    help: "An application that an originate may run, such as `park` or `bridge /user.10../`.",
  }),
  originate_allow_context: valueRules({
    ...LOCK,
    help: "A dialplan context that an originate may send a call to.",
  }),
  originate_allow_destination: valueRules({
    ...LOCK,
    help: "An extension that an originate may send a call to.",
  }),
  originate_allow_variable: valueRules({
    ...LOCK,
    help: "The name of a channel variable that an originate may set, the caller id included.",
  }),
  originate_unrestricted: flag({
    default: false,
    ...LOCK,
    help:
      "Whether an originate is passed on as it is, as mod_mosquitto does: with it, whoever may " +
      "publish can run any application and any command of FreeSWITCH.",
  }),
  rate_limit: integer(0, 600_000, {
    default: 0,
    unit: "commands a minute",
    ...LOCK,
    zero: "is no limit",
    help: "The most commands that run over time. What is refused does not count.",
  }),
  rate_burst: optionalInteger(1, 600_000, {
    fallbackText: "rate_limit",
    unit: "commands",
    ...LOCK,
    help: "How many commands may come at once before rate_limit counts.",
  }),
  max_concurrent: integer(1, 10_000, {
    default: 100,
    unit: "commands",
    ...LOCK,
    help: "How many commands may be under way at once: each is a thread of FreeSWITCH's.",
  }),
  max_calls_per_day: integer(0, 100_000, {
    default: 0,
    unit: "calls",
    ...LOCK,
    zero: "is no limit",
    help: "How many calls may be started within 24 hours, restarts included.",
  }),
  max_call_seconds: integer(0, DAY, {
    default: 0,
    unit: "seconds",
    ...LOCK,
    zero: "is no limit",
    help: "After this time a call that an originate started, and that was answered, is hung up.",
  }),
  max_command_bytes: integer(16, MAX_COMMAND_BYTES, {
    default: MAX_COMMAND_BYTES,
    unit: "bytes",
    ...LOCK,
    help: "How long a message may be.",
  }),
  command_timeout: integer(1, DAY, {
    default: 120,
    unit: "seconds",
    ...LOCK,
    help: "How long a result is waited for. The command itself goes on in FreeSWITCH.",
  }),
  max_command_age: integer(1, 30 * DAY, {
    default: 60,
    unit: "seconds",
    ...LOCK,
    help: "How far the `issued_at` of a command may lie in the past, or in the future.",
  }),
  require_issued_at: flag({
    default: false,
    ...LOCK,
    help: "Whether a command needs an `issued_at`.",
  }),
  replay_window: integer(1, 30 * DAY, {
    default: 3600,
    unit: "seconds",
    ...LOCK,
    help: "How long the id of a command is remembered, restarts included: it runs once.",
  }),
  hmac_key: secret({
    ...LOCK,
    help:
      "The key with which commands are signed (HMAC-SHA256). With it, nothing runs that has no " +
      "valid signature.",
  }),
  response_prefix: topicName({
    ...LOCK,
    help: "Under this topic, senders may choose where they are answered (MQTT 5, response topic).",
  }),
  response_pattern: topicName({
    ...LOCK,
    help: "The topic that commands are answered on whose sender chose none.",
  }),
  response_final_only: flag({
    default: false,
    ...LOCK,
    help:
      "Whether `accepted` is left out of the answers, for senders that take the first one for " +
      "the last.",
  }),
} as const;

/** A section of the table: parameters by name. */
export type Parameters = Readonly<Record<string, Parameter<unknown>>>;

/** A kind of section. */
export interface Section {
  /** What it is called in messages and in the reference. */
  readonly title: string;
  /** Its parameters. */
  readonly parameters: Parameters;
}

/** Every section of the configuration, in the order of the file. */
export const sections = {
  settings: { title: "<settings>", parameters: settingsParameters },
  profile: { title: "<profile>", parameters: profileParameters },
  connection: { title: "<connection>", parameters: connectionParameters },
  tls: { title: "<tls>", parameters: tlsParameters },
  will: { title: "<will>", parameters: willParameters },
  publisher: { title: "<publisher>", parameters: publisherParameters },
  publisherTopic: { title: "<topic> of a publisher", parameters: publisherTopicParameters },
  subscriber: { title: "<subscriber>", parameters: subscriberParameters },
  subscriberTopic: { title: "<topic> of a subscriber", parameters: subscriberTopicParameters },
} as const;

/** The name of a kind of section. */
export type SectionName = keyof typeof sections;

/** A name in kebab or snake case as a property. */
export type CamelCase<S extends string> = S extends `${infer Head}${"-" | "_"}${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

/** The values of a section's parameters, their names in camel case. */
export type Values<P> = {
  readonly [K in keyof P & string as CamelCase<K>]: P[K] extends Parameter<infer T> ? T : never;
};

/** A parameter's name as a property: `log-enable` and `log_enable` give `logEnable`. */
export function propertyName(name: string): string {
  return name.replace(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** A section's value of one parameter of the table. */
export function valueOf(section: object, name: string): unknown {
  return (section as Readonly<Record<string, unknown>>)[propertyName(name)];
}

/**
 * The name under which a secret parameter is given as a file: `password_file`, and in the kebab
 * case of `<settings>` `esl-password-file`.
 */
export function fileForm(name: string): string {
  return name.includes("-") ? `${name}-file` : `${name}_file`;
}
