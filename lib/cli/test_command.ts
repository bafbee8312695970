/**
 * `fsmqtt test-command`
 *
 * @module
 */

import { type AnswerRules, asksForAnswer } from "../commands/answers.ts";
import type { SignedDocument } from "../commands/contract.ts";
import { narrowest } from "../commands/filters.ts";
import { judge } from "../commands/judgement.ts";
import type { CommandMessage } from "../commands/screening.ts";
import { sign } from "../commands/signature.ts";
import { loadAndCheck } from "../config/check.ts";
import type { Config, SubscriberTopicConfig } from "../config/config.ts";
import { WITHHELD } from "../config/credentials.ts";
import { place } from "../config/findings.ts";
import { formatFinding } from "../config/position.ts";
import {
  fillTemplate,
  holdsTemplate,
  TEMPLATE_NAMES,
  type TemplateName,
} from "../config/template.ts";
import { ExitCode } from "../exit_code.ts";
import { topicMatches, topicNameFault, unshared } from "../protocol/mqtt_topics.ts";
import { type Command, optionText, requiredOption, UsageError } from "./command.ts";
import { configFile, configOption } from "./config_option.ts";

/** Says what a message on a topic would do, without doing it. */
export const testCommand: Command = {
  name: "test-command",
  words: "PAYLOAD|-",
  summary: "Says what a message would do (`-` reads it), and why.",
  options: {
    ...configOption,
    topic: { value: "TOPIC", required: true, help: "The MQTT topic that it is published to." },
    "response-topic": { value: "TOPIC", help: "The response topic that it asks for (MQTT 5)." },
    sign: { help: "Signs it first with the topic's hmac_key, and prints what to publish." },
    json: { help: "Prints that as JSON." },
  },
  verbatim: true,
  async run(words, options, output) {
    const topic = requiredOption("test-command", options, "topic");
    const fault = topicNameFault(topic);
    if (fault !== undefined) throw new UsageError(`fsmqtt test-command: --topic ${fault}`);
    if (words.length === 0) throw new UsageError("fsmqtt test-command: PAYLOAD is missing");
    const payload = words.length === 1 && words[0] === "-"
      ? new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer())
      : new TextEncoder().encode(words.join(" "));
    const chosen = configFile("test-command", options, output);
    if ("exitCode" in chosen) return chosen.exitCode;
    const { config, findings } = loadAndCheck(chosen.file, { withoutCredentials: true });
    if (config === undefined) {
      for (const finding of findings) output.err(formatFinding(finding));
      return ExitCode.CONFIG;
    }
    const responseTopic = optionText(options, "response-topic");
    const message = {
      topic,
      payload,
      retained: false,
      repeated: false,
      ...(responseTopic === undefined ? {} : { responseTopic }),
    };
    const isSigned = options["sign"] === true;
    const verdicts = listeners(config, topic).map((listener) =>
      verdictOn(listener, isSigned ? signed(message, listener.config) : message, config, isSigned)
    );
    if (options["json"] === true) output.out(JSON.stringify(verdicts, null, 2));
    else if (verdicts.length === 0) output.out(nobodyListens(config, topic));
    else for (const verdict of verdicts) output.out(verdictText(verdict));
    return verdicts.some(({ runs }) => runs !== undefined) ? ExitCode.OK : ExitCode.NOT_PERMITTED;
  },
};

/** Why a signature can neither be made nor judged. */
const KEY_WITHHELD = "its hmac_key is a credential, which only the service is given";

/** A topic that would take the message. */
interface Listener {
  readonly filter: string;
  readonly config: SubscriberTopicConfig;
  /** The profile, subscriber and connection that it needs. */
  readonly parts: readonly { readonly name: string; readonly enable: boolean }[];
  /** Whether the broker keeps for it what comes while fsmqtt is away. */
  readonly isKept: boolean;
}

/** What a topic makes of the message. */
interface Verdict {
  /** The topic's name in the configuration. */
  readonly name: string;
  /** Where it stands there. */
  readonly at: string;
  /** What FreeSWITCH would get. */
  readonly runs?: string;
  /** Why nothing would run. */
  readonly refused?: { readonly reason: string; readonly because: string };
  /** Where it would be answered. */
  readonly answered_on?: string;
  /** What should be known besides. */
  readonly notes: readonly string[];
  /** The message with its signature. */
  readonly publish?: string;
}

/** On each connection, the narrowest topic counts. */
function listeners({ profiles }: Config, topic: string): Listener[] {
  return profiles.flatMap((profile) =>
    profile.connections.flatMap((connection) => {
      const all = profile.subscribers.flatMap((subscriber) =>
        subscriber.topics
          .filter(({ connectionName, enable }) => connectionName === connection.name && enable)
          .map((config): Listener => ({
            filter: anyNames(config.pattern),
            config,
            parts: [profile, subscriber, connection],
            isKept: config.qos > 0 && !connection.cleanSession,
          }))
      );
      return narrowest(all, topic);
    })
  );
}

function nobodyListens({ profiles }: Config, topic: string): string {
  const patterns = profiles.flatMap(({ subscribers }) =>
    subscribers.flatMap(({ topics }) => topics.map(({ pattern }) => `"${pattern}"`))
  );
  const known = patterns.length === 0 ? "none is configured" : `there is ${patterns.join(", ")}`;
  return `refused: no topic listens to "${topic}"; ${known}`;
}

/** FreeSWITCH's names are not known here: any may stand in their place. */
function anyNames(pattern: string): string {
  return pattern.split("/").map((level) => holdsTemplate(level) ? "+" : level).join("/");
}

function signed(message: CommandMessage, { hmacKey, name }: SubscriberTopicConfig): CommandMessage {
  if (hmacKey === undefined) {
    throw new UsageError(`fsmqtt test-command: topic "${name}" has no hmac_key to sign with`);
  }
  if (hmacKey === WITHHELD) {
    throw new UsageError(`fsmqtt test-command: cannot sign for topic "${name}": ${KEY_WITHHELD}`);
  }
  const text = new TextDecoder().decode(message.payload);
  const document: SignedDocument = { signed: text, signature: sign(text, message.topic, hmacKey) };
  return { ...message, payload: new TextEncoder().encode(JSON.stringify(document)) };
}

function verdictOn(
  { config, parts, isKept }: Listener,
  message: CommandMessage,
  whole: Config,
  isSigned: boolean,
): Verdict {
  const filters = whole.profiles.flatMap(({ subscribers }) =>
    subscribers.flatMap(({ topics }) => topics.map(({ pattern }) => anyNames(pattern)))
  );
  const { request, place: answered, verdict } = judge(message, {
    rules: config,
    answers: answersAt(message.topic, config),
    takesCommands: (topic) => filters.some((filter) => topicMatches(filter, topic)),
    now: Date.now(),
  });
  const off = parts.filter(({ enable }) => !enable).map(({ name }) => `"${name}" is not enabled`);
  const isAnswered = typeof answered === "string" && asksForAnswer(message, request);
  const common = {
    name: config.name,
    at: place(config.source.at),
    ...(isAnswered ? { answered_on: answered } : {}),
    ...(isSigned ? { publish: new TextDecoder().decode(message.payload) } : {}),
  };
  if ("fault" in verdict) {
    const { reason, fault } = verdict;
    const notes = config.hmacKey === WITHHELD ? [`it may be signed well: ${KEY_WITHHELD}`] : [];
    return { ...common, refused: { reason, because: fault }, notes: [...notes, ...off] };
  }
  if (off.length > 0) {
    return { ...common, refused: { reason: "disabled", because: off.join(", ") }, notes: [] };
  }
  const isLost = answered === undefined &&
    (request.id !== undefined || message.responseTopic !== undefined);
  const notes = [
    ...(request.id === undefined ? ["it has no id: sent twice, it runs twice"] : []),
    ...(verdict.request.issuedAt === undefined && isKept
      ? ["it has no issued_at: kept by the broker, it runs however late it comes"]
      : []),
    ...(isLost
      ? ["it is not answered: the topic has neither response_prefix nor response_pattern"]
      : []),
  ];
  return { ...common, runs: `bgapi ${verdict.line}`, notes };
}

/** Where a topic answers, with FreeSWITCH's names as they stand in the topic that was published to. */
function answersAt(topic: string, config: SubscriberTopicConfig): AnswerRules {
  const names = namesIn(config.pattern, topic);
  const complete = (pattern: string | undefined) =>
    pattern && fillTemplate(pattern, (name) => names.get(name) ?? `\${${name}}`);
  return {
    responsePrefix: complete(config.responsePrefix),
    responsePattern: complete(config.responsePattern),
  };
}

/** The names that a topic has where its pattern has templates. */
function namesIn(pattern: string, topic: string): ReadonlyMap<TemplateName, string> {
  const levels = topic.split("/");
  return new Map(
    unshared(pattern).split("/").flatMap((level, i) =>
      TEMPLATE_NAMES.filter((name) => level === `\${${name}}`)
        .map((name) => [name, levels[i] ?? ""] as const)
    ),
  );
}

function verdictText({ name, at, runs, refused, answered_on, notes, publish }: Verdict): string {
  return [
    `topic "${name}" (${at})`,
    ...(runs === undefined ? [] : [`  would run: ${runs}`]),
    ...(refused === undefined ? [] : [`  refused (${refused.reason}): ${refused.because}`]),
    ...(answered_on === undefined ? [] : [`  answered on: ${answered_on}`]),
    ...notes.map((note) => `  note: ${note}`),
    ...(publish === undefined ? [] : [`  publish: ${publish}`]),
  ].join("\n");
}
