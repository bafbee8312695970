/**
 * Where commands are answered.
 *
 * @module
 */

import { brokerName } from "./broker.ts";
import { type Findings, place } from "./findings.ts";
import type { Publication, Subscription } from "./placed_topics.ts";
import { patternsMayOverlap } from "./template.ts";

/** Where the commands of these topics may be answered. */
export function replies(subscriptions: readonly Subscription[]): Publication[] {
  return subscriptions.flatMap(({ topic, connection }) => {
    const { responsePrefix, responsePattern, name, source: { at, given } } = topic;
    const reply = (parameter: string, pattern: string) => ({
      what: `\`${parameter}\` of topic "${name}"`,
      pattern,
      at: given.get(parameter) ?? at,
      broker: brokerName(connection),
    });
    return [
      ...(responsePattern === undefined ? [] : [reply("response_pattern", responsePattern)]),
      // As a filter that is the topic itself too (MQTT 5.0, section 4.7.1.2).
      ...(responsePrefix === undefined
        ? []
        : [reply("response_prefix", `${responsePrefix.replace(/\/$/, "")}/#`)]),
    ];
  });
}

/** Checks where commands are answered; `others` is what is published beside that. */
export function checkReplies(
  subscriptions: readonly Subscription[],
  others: readonly Publication[],
  findings: Findings,
): void {
  for (const subscription of subscriptions) checkVersion(subscription, findings);
  for (const { what, pattern, at, broker } of replies(subscriptions)) {
    const other = others.find((each) =>
      each.broker === broker && patternsMayOverlap(each.pattern, pattern)
    );
    if (other === undefined) continue;
    const text = `${what} lets answers to commands come where ${other.what} publishes ` +
      `(${place(other.at)}): who sends a command could have its answer taken for that. Give one ` +
      "of them another";
    findings.warn(at, "response-topic", text);
  }
}

function checkVersion({ topic, connection }: Subscription, findings: Findings): void {
  const { responsePrefix, responsePattern, name, source: { at, given } } = topic;
  if (responsePrefix === undefined || connection.protocolVersion === "V5") return;
  const remedy = responsePattern === undefined ? ", or give a `response_pattern`" : "";
  const text = `\`response_prefix\` of topic "${name}" has no effect: only in MQTT 5 does a ` +
    `message say where it is answered. Set \`protocol_version\` V5 of connection ` +
    `"${connection.name}"${remedy}`;
  findings.warn(given.get("response_prefix") ?? at, "response-topic", text);
}
