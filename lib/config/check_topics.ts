/**
 * Rules that hold between topics and connections.
 *
 * @module
 */

import { eventSelectorText } from "../protocol/event_names.ts";
import { sharedGroup } from "../protocol/mqtt_topics.ts";
import { brokerName } from "./broker.ts";
import { checkReplies, replies } from "./check_replies.ts";
import type { Config, ConnectionConfig, Named, PublisherTopicConfig, Wired } from "./config.ts";
import { type Findings, place } from "./findings.ts";
import { suggestion } from "./nearest.ts";
import {
  type Connected,
  isConnected,
  patternAt,
  type Placed,
  type Publication,
  publishingTopics,
  subscribingTopics,
  type Subscription,
} from "./placed_topics.ts";
import type { Position } from "./position.ts";
import { patternMayCover, patternsMayOverlap } from "./template.ts";

/** Checks every topic against its surroundings and against the others. */
export function checkTopics(config: Config, findings: Findings): void {
  const publishing = publishingTopics(config);
  const subscribing = subscribingTopics(config);
  for (const topic of [...publishing, ...subscribing]) checkReach(topic, findings);
  for (const { topic } of publishing) checkEvents(topic, findings);
  const subscriptions = subscribing.filter(isConnected);
  const published = publishing.filter(isConnected);
  const others = publications(config, published);
  checkLoops([...others, ...replies(subscriptions)], subscriptions, findings);
  checkStatusTopics(config, published, findings);
  checkReplies(subscriptions, others, findings);
  checkOverlaps(subscriptions, findings);
}

type AnyTopic = Wired & Named & { readonly enable: boolean };

function checkReach(
  { profile, group, kind, topic, connection }: Placed<AnyTopic>,
  findings: Findings,
): void {
  const { source: { at, given }, name, connectionName } = topic;
  if (connection === undefined) {
    const names = profile.connections.map(({ name }) => name);
    const text = `topic "${name}" names the connection "${connectionName}", which profile ` +
      `"${profile.name}" does not have${suggestion(connectionName, names, (n) => `"${n}"`)}`;
    findings.error(given.get("connection_name") ?? at, "unknown-connection", text);
    return;
  }
  if (!topic.enable) return;
  const around = { profile, [kind]: group, connection };
  for (const [what, section] of Object.entries(around)) {
    if (section.enable) continue;
    const text = `topic "${name}" is enabled, but its ${what} "${section.name}" is not`;
    findings.warn(at, "unreachable-topic", text);
    return;
  }
}

function checkEvents({ name, event, source }: PublisherTopicConfig, findings: Findings): void {
  if (event.length === 0) {
    findings.warn(source.at, "no-event", `topic "${name}" names no \`event\` and never publishes`);
  }
  const names = event.map(eventSelectorText);
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated === undefined) return;
  const text = `topic "${name}" names ${repeated} more than once; it is published once`;
  findings.warn(source.given.get("event") ?? source.at, "repeated-event", text);
}

function publications(
  config: Config,
  topics: readonly Connected<PublisherTopicConfig>[],
): Publication[] {
  const wills = config.profiles.flatMap(({ connections }) => connections)
    .flatMap((connection): Publication[] => {
      const { name, will } = connection;
      if (!will.enable || will.topic === undefined) return [];
      const at = will.source.given.get("topic") ?? will.source.at;
      const what = `the will of connection "${name}"`;
      return [{ what, pattern: will.topic, at, broker: brokerName(connection) }];
    });
  const announced = config.profiles.flatMap(({ connections }) => connections)
    .flatMap((connection): Publication[] => {
      const { name, statusTopic } = connection;
      if (statusTopic === undefined) return [];
      const what = `the status of connection "${name}"`;
      const at = statusTopicAt(connection);
      return [{ what, pattern: statusTopic, at, broker: brokerName(connection) }];
    });
  const published = topics.map(({ topic, connection }) => ({
    what: `topic "${topic.name}"`,
    pattern: topic.pattern,
    at: patternAt(topic),
    broker: brokerName(connection),
  }));
  return [...published, ...wills, ...announced];
}

function statusTopicAt({ source }: ConnectionConfig): Position {
  return source.given.get("status_topic") ?? source.at;
}

/** A retained document is good for nothing where others are stored in its place. */
function checkStatusTopics(
  { profiles }: Config,
  topics: readonly Connected<PublisherTopicConfig>[],
  findings: Findings,
): void {
  const seen: ConnectionConfig[] = [];
  for (const connection of profiles.flatMap(({ connections }) => connections)) {
    const { name, statusTopic, will } = connection;
    if (statusTopic === undefined) continue;
    const at = statusTopicAt(connection);
    const isSame = (other: ConnectionConfig) => brokerName(other) === brokerName(connection);
    const published = topics.find((each) =>
      isSame(each.connection) && patternsMayOverlap(each.topic.pattern, statusTopic)
    );
    if (published !== undefined) {
      const text =
        `the \`status_topic\` "${statusTopic}" of connection "${name}" is where events ` +
        `are published too, by topic "${published.topic.name}" ` +
        `(${place(patternAt(published.topic))}): give one of them another`;
      findings.warn(at, "status-topic", text);
    }
    const other = seen.find((each) =>
      isSame(each) && patternsMayOverlap(each.statusTopic ?? "", statusTopic)
    );
    if (other !== undefined) {
      const text = `the \`status_topic\` "${statusTopic}" of connection "${name}" is that of ` +
        `connection "${other.name}" (${place(statusTopicAt(other))}) too, and the last to speak ` +
        "would be heard for both: give one of them another";
      findings.warn(at, "status-topic", text);
    }
    seen.push(connection);
    if (!will.enable) continue;
    const text = `connection "${name}" has a will of its own, and a broker takes no second one: ` +
      "when fsmqtt dies, its `status_topic` does not say that it is offline. Take the <will> out, " +
      "or leave it if that is meant";
    findings.warn(at, "status-topic", text);
  }
}

/** Whatever is disabled counts too: it can be enabled while the agent runs. */
function checkLoops(
  publications: readonly Publication[],
  subscriptions: readonly Subscription[],
  findings: Findings,
): void {
  for (const { what, pattern, at, broker } of publications) {
    const taker = subscriptions.find(({ topic, connection }) =>
      brokerName(connection) === broker && patternsMayOverlap(topic.pattern, pattern)
    );
    if (taker === undefined) continue;
    const { topic } = taker;
    const text = `${what} publishes to "${pattern}", which the subscription of topic ` +
      `"${topic.name}" (${place(patternAt(topic))}) to "${topic.pattern}" would take for ` +
      "commands: give one of them another pattern";
    findings.error(at, "loop", text);
  }
}

function checkOverlaps(subscriptions: readonly Subscription[], findings: Findings): void {
  for (const [i, later] of subscriptions.entries()) {
    for (const earlier of subscriptions.slice(0, i)) {
      if (brokerName(later.connection) !== brokerName(earlier.connection)) continue;
      if (!patternsMayOverlap(later.topic.pattern, earlier.topic.pattern)) continue;
      if (later.connection === earlier.connection) checkSameConnection(earlier, later, findings);
      else checkTwoConnections(earlier, later, findings);
    }
  }
}

function checkSameConnection(a: Subscription, b: Subscription, findings: Findings): void {
  const [first, second] = [a.topic.pattern, b.topic.pattern];
  const before = `topic "${a.topic.name}" (${place(patternAt(a.topic))})`;
  const connection = `connection "${b.connection.name}"`;
  if (first === second) {
    const text = `${connection} subscribes to "${first}" already for ${before}`;
    findings.error(patternAt(b.topic), "duplicate-subscription", text);
    return;
  }
  // Of two of which one covers the other, only that one is subscribed to; a shared subscription
  // is another one in any case, and gets the message besides.
  const isShared = [first, second].some((pattern) => sharedGroup(pattern) !== undefined);
  const isNested = patternMayCover(first, second) || patternMayCover(second, first);
  if (isNested && !isShared) return;
  const text = `"${second}" and "${first}" of ${before} have topics in common, and a broker may ` +
    `deliver those twice to ${connection}: make them apart` +
    (isShared ? "" : ", or one a part of the other");
  findings.error(patternAt(b.topic), "overlapping-subscriptions", text);
}

function checkTwoConnections(a: Subscription, b: Subscription, findings: Findings): void {
  const group = sharedGroup(a.topic.pattern);
  // Members of a group share the messages out among them.
  if (group !== undefined && group === sharedGroup(b.topic.pattern)) return;
  const both = (a.topic.bgapiAuthorized && b.topic.bgapiAuthorized) ||
    (a.topic.originateAuthorized && b.topic.originateAuthorized);
  if (!both) return;
  const text = `a command to "${b.topic.pattern}" would run twice: topic "${a.topic.name}" ` +
    `(${place(patternAt(a.topic))}) takes it too, over connection "${a.connection.name}" to the ` +
    "same broker";
  findings.warn(patternAt(b.topic), "command-runs-twice", text);
}
