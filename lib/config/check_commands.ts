/**
 * What the owner has to know of the topics that commands are taken from.
 *
 * @module
 */

import { isRestricted } from "../protocol/allow_rules.ts";
import { unshared } from "../protocol/mqtt_topics.ts";
import {
  applicationDanger,
  type CallDanger,
  endpointDanger,
  variableDanger,
} from "../protocol/call_dangers.ts";
import { verifiesBroker } from "../tls/settings.ts";
import { brokerName } from "./broker.ts";
import { joined, named, ORIGINATE_RULES, powersOf, runnableRules } from "./command_powers.ts";
import type { Config, ConnectionConfig, SubscriberTopicConfig } from "./config.ts";
import type { Findings } from "./findings.ts";
import { type subscriberTopicParameters, valueOf } from "./parameters.ts";
import { isConnected, subscribingTopics, type Subscription } from "./placed_topics.ts";
import type { Position } from "./position.ts";

type TopicParameter = keyof typeof subscriberTopicParameters;

/** Parameters that count only with `originate_authorized`. */
const ONLY_WITH_CALLS = [
  ...ORIGINATE_RULES,
  "originate_unrestricted",
  "max_calls_per_day",
  "max_call_seconds",
] as const;
/** Parameters that count only where something is authorized. */
const ONLY_WITH_COMMANDS = [
  "rate_limit",
  "rate_burst",
  "max_concurrent",
  "command_timeout",
  "max_command_age",
  "require_issued_at",
  "replay_window",
] as const;

/** A key that is shorter can be guessed. */
const MIN_KEY_BYTES = 16;
/** A longer key adds little (RFC 2104, section 3). */
const FULL_KEY_BYTES = 32;

/** Checks every topic that commands are taken from. */
export function checkCommands(config: Config, findings: Findings): void {
  for (const { topic } of subscribingTopics(config)) {
    checkEffect(topic, findings);
    checkContradictions(topic, findings);
    checkRefused(topic, findings);
    checkOriginate(topic, findings);
    checkRunning(topic, findings);
    checkKey(topic, findings);
  }
  for (const subscription of subscribingTopics(config).filter(isConnected)) {
    checkAuthorized(subscription, findings);
    checkStored(subscription, findings);
  }
}

/** The place of a parameter; that of the topic if it is not given. */
function placeOf({ source: { at, given } }: SubscriberTopicConfig, name: TopicParameter): Position {
  return given.get(name) ?? at;
}

/** Says what a stranger could do: one sentence for each topic where anything can be done. */
function checkAuthorized({ topic, connection }: Subscription, findings: Findings): void {
  const { phrases, placesCalls } = powersOf(topic);
  if (phrases.length === 0) return;
  const { maxCallsPerDay, rateLimit, hmacKey, name, pattern } = topic;
  const who = hmacKey === undefined
    ? "whoever may publish"
    : `only who has the \`hmac_key\` of topic "${name}" and may publish`;
  const gaps = gapsOf(connection, hmacKey !== undefined);
  const text = [
    `${who} to ${patternText(pattern)} at ${brokerName(connection)} can ${phrases.join(", and ")}`,
    ...(gaps.length === 0 ? [] : [`connection "${connection.name}" ${gaps.join(" and ")}`]),
    ...(placesCalls && maxCallsPerDay === 0 && rateLimit === 0
      ? ["nothing limits how many calls: give `max_calls_per_day` or `rate_limit`"]
      : []),
  ].join("; ");
  const { source: { at, given } } = topic;
  const origin = given.get("bgapi_authorized") ?? given.get("originate_authorized") ?? at;
  findings.warn(origin, "commands-authorized", text);
}

function patternText(pattern: string): string {
  const [first] = unshared(pattern).split("/");
  if (first === "#") return `"${pattern}" (any topic)`;
  return first === "+" ? `"${pattern}" (below any name)` : `"${pattern}"`;
}

/** What of a connection lets others in. A signature makes up for most of it. */
function gapsOf({ tls, username }: ConnectionConfig, isSigned: boolean): string[] {
  const hasLogin = isSigned || username !== undefined ||
    (tls.enable && (tls.support === "psk" || tls.certfile !== undefined));
  const isVerified = tls.enable && (tls.support === "psk" || verifiesBroker(tls));
  const others = isSigned
    ? "anybody on the way can read and hold back commands"
    : "anybody on the way can do the same";
  return [
    ...(isVerified
      ? []
      : [`${tls.enable ? "does not verify its broker" : "has no TLS"} (${others})`]),
    ...(hasLogin ? [] : ["has no login (the broker may let anybody in)"]),
  ];
}

/** What a broker kept while fsmqtt was away comes all at once, however old it is. */
function checkStored({ topic, connection }: Subscription, findings: Findings): void {
  const { qos, requireIssuedAt, hmacKey, name, pattern } = topic;
  const { cleanSession, clientId } = connection;
  const isKept = qos > 0 && !cleanSession && clientId !== undefined;
  if (!isKept || requireIssuedAt || hmacKey !== undefined || !powersOf(topic).placesCalls) return;
  const text =
    `topic "${name}" starts calls long after they were asked for: the broker keeps what ` +
    `comes to "${pattern}" while fsmqtt is away (\`qos\` ${qos}, \`clean_session\` false). Set ` +
    "`require_issued_at`, or `qos` 0, or have senders give an expiry (MQTT 5)";
  findings.warn(placeOf(topic, "qos"), "stored-commands", text);
}

function checkEffect(topic: SubscriberTopicConfig, findings: Findings): void {
  const { bgapiAuthorized, originateAuthorized, name } = topic;
  const warn = (parameters: readonly TopicParameter[], remedy: string) => {
    for (const parameter of parameters.filter((each) => isSet(topic, each))) {
      const text = `\`${parameter}\` of topic "${name}" has no effect without ${remedy}`;
      findings.warn(placeOf(topic, parameter), "commands-no-effect", text);
    }
  };
  if (!bgapiAuthorized) warn(["bgapi_allow"], "`bgapi_authorized`");
  if (!originateAuthorized) warn(ONLY_WITH_CALLS, "`originate_authorized`");
  checkNamedOriginate(topic, findings);
  if (!bgapiAuthorized && !originateAuthorized) {
    warn(ONLY_WITH_COMMANDS, "`bgapi_authorized` or `originate_authorized`");
  } else if (topic.rateLimit === 0) warn(["rate_burst"], "`rate_limit`");
}

/** A rule of `bgapi originate` limits nothing where the other form runs too. */
function checkNamedOriginate(topic: SubscriberTopicConfig, findings: Findings): void {
  const { bgapiAuthorized, bgapiAllow, originateAuthorized, name } = topic;
  const rule = bgapiAllow.find(({ text }) => /^originate .*[^*]$/i.test(text));
  if (!bgapiAuthorized || !originateAuthorized || rule === undefined) return;
  const text = `\`bgapi_allow\` of topic "${name}" names \`${rule.text}\`, which limits ` +
    "`bgapi originate` alone: for both forms there is `originate_allow_endpoint` and its kin";
  findings.warn(placeOf(topic, "bgapi_allow"), "commands-no-effect", text);
}

/** Whether a parameter is given and asks for something. */
function isSet(topic: SubscriberTopicConfig, name: TopicParameter): boolean {
  const value = valueOf(topic, name);
  const isEmpty = Array.isArray(value) ? value.length === 0 : !value;
  return topic.source.given.has(name) && !isEmpty;
}

function checkContradictions(topic: SubscriberTopicConfig, findings: Findings): void {
  const { originateAuthorized, originateUnrestricted, name } = topic;
  if (!originateAuthorized || !originateUnrestricted) return;
  const given = ORIGINATE_RULES.filter((parameter) => isSet(topic, parameter));
  if (given.length > 0) {
    const text = `topic "${name}" has \`originate_unrestricted\`, which allows every originate, ` +
      `beside ${named(given)}, which ${given.length === 1 ? "limits" : "limit"} what one may ` +
      "hold: take one of them out";
    findings.error(placeOf(topic, "originate_unrestricted"), "commands-contradict", text);
  }
  for (const limit of ["max_call_seconds", "max_calls_per_day"] as const) {
    if (!isSet(topic, limit)) continue;
    const text = `\`${limit}\` of topic "${name}" cannot be held with ` +
      "`originate_unrestricted`, which passes an originate on as it is: take one of them out";
    findings.error(placeOf(topic, limit), "commands-contradict", text);
  }
}

/** Commands that are named and yet refused. */
function checkRefused(topic: SubscriberTopicConfig, findings: Findings): void {
  const { bgapiAuthorized, bgapiAllow, originateAuthorized, name } = topic;
  if (!bgapiAuthorized) return;
  const runnable = runnableRules(topic);
  const texts = bgapiAllow.filter((rule) => !runnable.includes(rule)).map(({ text }) => text);
  if (texts.length === 0) return;
  const [place, is] = texts.length === 1 ? ["places calls", "is"] : ["place calls", "are"];
  const why = originateAuthorized
    ? "with `max_call_seconds`, which only an originate can be held to"
    : "without `originate_authorized`";
  const text =
    `\`bgapi_allow\` of topic "${name}" names ${named(texts)}, which ${place} and ${is} ` +
    `refused ${why}`;
  findings.warn(placeOf(topic, "bgapi_allow"), "commands-refused", text);
}

/** Rules that no originate can keep. */
function checkOriginate(topic: SubscriberTopicConfig, findings: Findings): void {
  const { originateAuthorized, originateUnrestricted, name } = topic;
  if (!originateAuthorized || originateUnrestricted || !isRestricted(topic)) return;
  const has = (parameter: TopicParameter) => isSet(topic, parameter);
  const given = ORIGINATE_RULES.find(has) ?? "originate_authorized";
  const half = halfARoute(topic);
  const missing = [
    ...(has("originate_allow_endpoint") ? [] : ["`originate_allow_endpoint`"]),
    ...(has("originate_allow_app") || isRouted(topic) ? [] : [
      half === undefined
        ? "`originate_allow_app` (or a context and a destination)"
        : `\`${half.missing}\``,
    ]),
  ];
  if (missing.length > 0) {
    const text = `topic "${name}" allows no call at all: with an \`originate_allow_…\` only what ` +
      `is named may be used, and it lacks ${joined(missing)}`;
    findings.warn(placeOf(topic, given), "commands-refused", text);
    return;
  }
  if (half === undefined) return;
  const text = `\`${half.given}\` of topic "${name}" has no effect without \`${half.missing}\`` +
    (half.missing === "originate_allow_context" ? "; FreeSWITCH's own is `default`" : "");
  findings.warn(placeOf(topic, half.given), "commands-no-effect", text);
}

function isRouted(
  { originateAllowContext, originateAllowDestination }: SubscriberTopicConfig,
): boolean {
  return originateAllowContext.length > 0 && originateAllowDestination.length > 0;
}

/** Contexts without destinations, or the reverse. */
function halfARoute(topic: SubscriberTopicConfig) {
  const context = "originate_allow_context";
  const destination = "originate_allow_destination";
  const hasContext = topic.originateAllowContext.length > 0;
  if (hasContext === topic.originateAllowDestination.length > 0) return undefined;
  return hasContext
    ? { given: context, missing: destination } as const
    : { given: destination, missing: context } as const;
}

/** Rules by which a call runs more than it seems to. */
function checkRunning(topic: SubscriberTopicConfig, findings: Findings): void {
  const { originateAuthorized, originateUnrestricted, maxCallSeconds, name } = topic;
  if (!originateAuthorized || originateUnrestricted) return;
  const dangers: [TopicParameter, (CallDanger | undefined)[]][] = [
    ["originate_allow_endpoint", topic.originateAllowEndpoint.map(endpointDanger)],
    ["originate_allow_app", topic.originateAllowApp.map(applicationDanger)],
    [
      "originate_allow_variable",
      topic.originateAllowVariable.map((rule) => variableDanger(rule, maxCallSeconds === 0)),
    ],
  ];
  for (const [parameter, found] of dangers) {
    for (const { rule, example, consequence } of found.filter((each) => each !== undefined)) {
      const such = rule === example ? "" : `, \`${example}\` for one`;
      const text = `\`${parameter}\` of topic "${name}" allows \`${rule}\`${such}, which ` +
        `${consequence}: name less, unless that is meant`;
      findings.warn(placeOf(topic, parameter), "commands-run-code", text);
    }
  }
}

function checkKey(topic: SubscriberTopicConfig, findings: Findings): void {
  const { hmacKey, name, source } = topic;
  if (hmacKey === undefined) return;
  const bytes = new TextEncoder().encode(hmacKey.reveal()).length;
  const file = source.secretFiles?.get("hmac_key");
  const what = file === undefined ? "`hmac_key`" : `the key in hmac_key_file ${file}`;
  const remedy = "`openssl rand -hex 32` makes a good one";
  if (bytes < MIN_KEY_BYTES) {
    const text = `${what} of topic "${name}" is shorter than ${MIN_KEY_BYTES} bytes and could be ` +
      `guessed: ${remedy}`;
    findings.error(placeOf(topic, "hmac_key"), "hmac-key", text);
  } else if (bytes < FULL_KEY_BYTES) {
    const text = `${what} of topic "${name}" is shorter than the ${FULL_KEY_BYTES} bytes that ` +
      `HMAC-SHA256 makes full use of: ${remedy}`;
    findings.note(placeOf(topic, "hmac_key"), "hmac-key", text);
  }
}
