/**
 * What a subscriber's topic lets those do who publish there, in words.
 *
 * @module
 */

import { type CommandRule, isRestricted } from "../protocol/allow_rules.ts";
import { type ApiDanger, DANGERS, powerOf } from "../protocol/api_commands.ts";
import type { SubscriberTopicConfig } from "./config.ts";

/** What can be done by way of a topic. */
export interface Powers {
  /** Each to stand after "can"; none where nothing can run. */
  readonly phrases: readonly string[];
  /** Whether calls can be started, moved or connected. */
  readonly placesCalls: boolean;
}

/** What a rule that names a command allows. */
export interface RulePower {
  /** Why the command has to be named; the worst that the rule allows. */
  readonly danger?: ApiDanger;
  /** Whether what it allows starts, moves or connects calls. */
  readonly placesCalls: "never" | "sometimes" | "always";
}

/** Parameters of which any one makes an originate hold only what is named. */
export const ORIGINATE_RULES = [
  "originate_allow_endpoint",
  "originate_allow_app",
  "originate_allow_context",
  "originate_allow_destination",
  "originate_allow_variable",
] as const;

/** So many names can be read in a sentence. */
const MAX_NAMES = 4;
const UUID = "00000000-0000-4000-8000-000000000000";
/** Commands that place calls, and arguments with which they run an application. */
const RUNNING: ReadonlyMap<string, string> = new Map([
  ["conference", "x dial {api_on_answer=system id}user/x"],
  ["sched_broadcast", `+1 ${UUID} system::id`],
  ["sched_transfer", `+1 ${UUID} system:id inline`],
  ["uuid_broadcast", `${UUID} system::id`],
  ["uuid_dual_transfer", `${UUID} system:id/inline x`],
  ["uuid_transfer", `${UUID} system:id inline`],
]);
/** Arguments with which some commands do more than with others. */
const TELLING_ARGUMENTS: readonly string[] = [
  ...["", "x", `${UUID} x`, `${UUID} ${UUID}`, `${UUID} sip:x@192.0.2.1`],
  ...["x dial user/x", "x bgdial user/x", "x transfer y 1", "x play /tmp/x", "x record /tmp/x"],
  ...["profile x stop", "profile x restart", "profile x rescan", "profile x killgw x"],
  `${UUID} api_hangup_hook system id`,
  ...RUNNING.values(),
];

/** What a topic lets those do who publish there. */
export function powersOf(topic: SubscriberTopicConfig): Powers {
  const calls = originatePhrase(topic);
  const commands = commandPhrase(topic);
  const phrases = [calls, commands].filter((phrase) => phrase !== undefined);
  const moving = runnableRules(topic).some((rule) =>
    mayPlaceCalls(topic, rule.name) && powerOfRule(rule).placesCalls !== "never"
  );
  return { phrases, placesCalls: calls !== undefined || moving };
}

/** What a rule allows, as far as examples tell. */
function powerOfRule(rule: CommandRule): RulePower {
  const powers = examplesOf(rule).map((args) => powerOf(rule.name, args));
  const found = new Set(powers.map(({ danger }) => danger));
  const danger = (Object.keys(DANGERS) as ApiDanger[]).find((danger) => found.has(danger));
  const placing = powers.filter(({ placesCalls }) => placesCalls).length;
  return {
    ...(danger === undefined ? {} : { danger }),
    placesCalls: placing === 0 ? "never" : placing === powers.length ? "always" : "sometimes",
  };
}

/** Arguments that a rule allows. */
function examplesOf(rule: CommandRule): string[] {
  const own = rule.text.trim().slice(rule.name.length).trim();
  const allowed = [own, ...TELLING_ARGUMENTS].filter((args) => rule.allows(rule.name, args));
  // Of a pattern that allows none of them, no more is known than which command it is about.
  return allowed.length === 0 ? [""] : allowed;
}

/** The rules of a topic of which something is not refused for another reason. */
export function runnableRules(topic: SubscriberTopicConfig): CommandRule[] {
  const { bgapiAuthorized, bgapiAllow } = topic;
  if (!bgapiAuthorized) return [];
  return bgapiAllow.filter((rule) =>
    mayPlaceCalls(topic, rule.name) || powerOfRule(rule).placesCalls !== "always"
  );
}

/** Whether a topic's commands of this name may place calls. */
function mayPlaceCalls(
  { originateAuthorized, maxCallSeconds }: SubscriberTopicConfig,
  name: string,
): boolean {
  return originateAuthorized && (maxCallSeconds === 0 || isOriginate(name));
}

function isOriginate(name: string): boolean {
  return name.toLowerCase() === "originate";
}

/** Names in backquotes, as a list: `a`, `b` and `c`; the last ones are counted if they are many. */
export function named(names: readonly string[], last: "and" | "or" = "and"): string {
  const shown = names.length > MAX_NAMES + 1 ? names.slice(0, MAX_NAMES) : names;
  const words = shown.map((name) => `\`${name}\``);
  if (shown.length < names.length) words.push(`${names.length - shown.length} more`);
  return joined(words, last);
}

/** Words as a list: a, b and c. */
export function joined(words: readonly string[], last: "and" | "or" = "and"): string {
  const before = words.slice(0, -1).join(", ");
  return [...(before === "" ? [] : [before]), ...words.slice(-1)].join(` ${last} `);
}

function originatePhrase(topic: SubscriberTopicConfig): string | undefined {
  const { originateAuthorized, originateUnrestricted, maxCallSeconds } = topic;
  if (!originateAuthorized) return undefined;
  if (originateUnrestricted) {
    return "start any call and run any application, command and program " +
      "(`originate_unrestricted`)";
  }
  const end = maxCallSeconds === 0 ? "" : `, each of ${maxCallSeconds} s at most`;
  if (!isRestricted(topic)) return `start calls to any endpoint, at your cost${end}`;
  const goal = goals(topic);
  const endpoints = topic.originateAllowEndpoint.map(({ text }) => text);
  if (endpoints.length === 0 || goal.length === 0) return undefined;
  return `start calls to ${named(endpoints, "or")} alone, to ${goal.join(", or to ")}${end}`;
}

/** What may become of a call where it is named. */
function goals(topic: SubscriberTopicConfig): string[] {
  const texts = (rules: readonly { readonly text: string }[]) => rules.map(({ text }) => text);
  const apps = texts(topic.originateAllowApp);
  const contexts = texts(topic.originateAllowContext);
  const destinations = texts(topic.originateAllowDestination);
  return [
    ...(apps.length === 0 ? [] : [`run ${named(apps, "or")}`]),
    ...(contexts.length === 0 || destinations.length === 0
      ? []
      : [`go to ${named(destinations, "or")} in ${named(contexts, "or")}`]),
  ];
}

function commandPhrase(topic: SubscriberTopicConfig): string | undefined {
  const { bgapiAuthorized, bgapiAllow } = topic;
  if (!bgapiAuthorized) return undefined;
  if (bgapiAllow.length === 0) {
    return movesUnnamed(topic)
      ? "see, move and end all calls and run every API command but the dangerous ones " +
        "(`system` and its kind)"
      : "see and end all calls and run every API command but the dangerous ones (`system` and " +
        "its kind) and those that place calls";
  }
  const rules = runnableRules(topic).filter(({ name }) => !isOriginate(name));
  if (rules.length === 0) return undefined;
  const dangers = dangersOf(rules);
  const which = dangers.length === 0 ? "" : ` (${dangers.join("; ")})`;
  return `run no API command but ${named(rules.map(({ text }) => text))}${which}`;
}

/** Whether commands that place calls run without being named. */
function movesUnnamed(topic: SubscriberTopicConfig): boolean {
  const { bgapiAuthorized, bgapiAllow } = topic;
  return bgapiAuthorized && bgapiAllow.length === 0 && mayPlaceCalls(topic, "uuid_transfer") &&
    !isRestricted(topic);
}

function dangersOf(rules: readonly CommandRule[]): string[] {
  const byConsequence = Map.groupBy(rules, (rule) => {
    const { danger } = powerOfRule(rule);
    if (danger !== undefined) return DANGERS[danger];
    return runsApplications(rule) ? "can run any application" : undefined;
  });
  byConsequence.delete(undefined);
  return [...byConsequence].map(([consequence, rules]) =>
    `${named(rules.map(({ text }) => text))} ${consequence}`
  );
}

/** Whether a rule for a command that places calls allows arguments that name an application. */
function runsApplications(rule: CommandRule): boolean {
  const args = RUNNING.get(rule.name.toLowerCase());
  return args !== undefined && rule.allows(rule.name, args);
}
