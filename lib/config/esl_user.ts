/**
 * The user of FreeSWITCH's event socket that a configuration needs, for `fsmqtt check --esl-user`.
 *
 * The rules are mod_event_socket.c's (`parse_command`, "userauth"; `auth_api_command`).
 *
 * @module
 */

import type { EventSelector } from "../protocol/event_names.ts";
import { runnableRules } from "./command_powers.ts";
import type { Config, SubscriberTopicConfig } from "./config.ts";

/** What a user of the event socket may do. */
export interface EslRights {
  /** `esl-allowed-events`; everything is allowed where it is absent. */
  readonly events?: string;
  /** `esl-allowed-api`; everything is allowed where it is absent. */
  readonly api?: string;
  /** What could not be limited as it should, and what follows from that. */
  readonly remarks: readonly string[];
}

/** The user's name where `esl-user` does not say it. */
const USUAL_NAME = "fsmqtt";
/** Where it does not say the domain. */
const ANY_DOMAIN = "DOMAIN";

/** Signs of life, and the results of commands. */
const OWN_EVENTS = ["HEARTBEAT", "BACKGROUND_JOB"] as const;
/** What fsmqtt asks for itself, right after it has logged in. */
const OWN_QUESTIONS = [
  "global_getvar",
  "hostname",
  "switchname",
  "module_exists",
  "status",
] as const;

/**
 * FreeSWITCH tells a user at the login what it may do, in 511 bytes with all around it; it cuts off
 * what is over, the end of its answer too, and the login never comes to an end.
 */
const MAX_RIGHTS_BYTES = 434;
/** What it tells of a right that is not limited. */
const EVERYTHING = "all";

/** Commands whose arguments are looked at as well (`sneaky_commands`). */
const WRAPPERS = ["bgapi", "sched_api", "eval", "expand", "xml_wrap"];

/** What fsmqtt has to be allowed for all topics, those that are disabled too. */
export function eslRights({ profiles }: Config): EslRights {
  const events = allowedEvents(
    profiles.flatMap(({ publishers }) => publishers)
      .flatMap(({ topics }) => topics)
      .flatMap(({ event }) => event),
  );
  const topics = profiles.flatMap(({ subscribers }) => subscribers)
    .flatMap(({ topics }) => topics);
  const unlimited = topics.find(({ bgapiAuthorized, bgapiAllow }) =>
    bgapiAuthorized && bgapiAllow.length === 0
  );
  if (unlimited !== undefined) {
    const remark =
      `EVERY API COMMAND IS ALLOWED to this user, since topic "${unlimited.name}" has ` +
      "bgapi_authorized and no bgapi_allow: name there which commands may run, and print this again.";
    const { remarks, ...rights } = fitting(events, undefined);
    return { ...rights, remarks: [remark, ...remarks] };
  }
  const commands = [...new Set([...OWN_QUESTIONS, ...topics.flatMap(commandsOf)])];
  const wrappers = commands.filter((name) => WRAPPERS.includes(name.toLowerCase()));
  const rights = fitting(events, commands.join(" "));
  const remark = `What ${wrappers.join(" and ")} may run has to be named in esl-allowed-api too.`;
  return { ...rights, remarks: [...(wrappers.length === 0 ? [] : [remark]), ...rights.remarks] };
}

/** An entry of FreeSWITCH's directory for that user, as a file for its folder. */
export function eslUserXml(config: Config): string {
  const { events, api, remarks } = eslRights(config);
  const [name = "", domain = ANY_DOMAIN] = (config.settings.eslUser ?? USUAL_NAME).split("@");
  const params = [
    param("esl-password", ""),
    ...(events === undefined ? [] : [param("esl-allowed-events", events)]),
    ...(api === undefined ? [] : [param("esl-allowed-api", api)]),
    param("esl-allowed-log", "false"),
    "<!-- Without these two, anybody could register and make calls as this user, with any password. -->",
    param("allow-empty-password", "false"),
    param("sip-forbid-register", "true"),
  ];
  return [
    ...comment(explanation(config, name, domain)),
    ...remarks.flatMap((remark) => comment([remark])),
    // FreeSWITCH takes away whole lines that hold this word.
    "<include>",
    `  <user id="${escape(name)}">`,
    "    <params>",
    ...params.map((line) => `      ${line}`),
    "    </params>",
    "  </user>",
    "</include>",
  ].join("\n");
}

function explanation({ file }: Config, name: string, domain: string): string[] {
  const asked = domain === ANY_DOMAIN
    ? [`   where ${ANY_DOMAIN} is what fs_cli -x "global_getvar domain" says.`]
    : [];
  return [
    "A user of FreeSWITCH's event socket that may do what fsmqtt needs for",
    file,
    "and little more. What is not here is refused by FreeSWITCH itself, also to `fsmqtt bgapi`: print",
    "this again when topics have changed.",
    "",
    `1. Make this directory/default/${name}.xml in FreeSWITCH's configuration.`,
    "2. Fill in esl-password, which lets nobody in while it is empty: openssl rand -hex 24",
    "3. fs_cli -x reloadxml",
    "4. In the settings of fsmqtt:",
    `     <param name="esl-user" value="${name}@${domain}"/>`,
    '     <param name="esl-password-file" value="a file that holds that password"/>',
    ...asked,
    "",
    "This limits what fsmqtt can be brought to do. It does not limit who learns the password: any",
    "user of the event socket may send messages that run applications in calls, and hide a command",
    "behind one that is allowed. And who has the password in event_socket.conf.xml needs no user at",
    "all: let it not be ClueCon.",
    "",
    "global_getvar tells fsmqtt when FreeSWITCH was restarted. It tells all global variables,",
    "passwords among them: without it fsmqtt waits for the first event, up to 20 s, to know that.",
  ];
}

function allowedEvents(selectors: readonly EventSelector[]): string {
  const names = new Set<string>(OWN_EVENTS);
  const subclasses = new Set<string>();
  let isAll = false;
  for (const selector of selectors) {
    if (selector.kind === "name") names.add(selector.name);
    else if (selector.kind === "custom" && selector.subclass !== undefined) {
      subclasses.add(selector.subclass);
      // Custom events of any subclass come only to who is sent everything.
    } else isAll = true;
  }
  return [
    ...(isAll ? ["ALL"] : names),
    // Behind CUSTOM, everything is a subclass. ALL does not allow to ask for one by its name.
    ...(subclasses.size > 0 ? ["CUSTOM", ...subclasses] : []),
  ].join(" ");
}

/** The names of the API commands that a topic may run, as they come. */
function commandsOf(topic: SubscriberTopicConfig): string[] {
  const names = runnableRules(topic).map(({ name }) => name);
  return topic.originateAuthorized ? [...names, "originate"] : names;
}

/** Rights that are short enough for FreeSWITCH; events are the first to be given up. */
function fitting(events: string, api: string | undefined): EslRights {
  const limit = "FreeSWITCH does not end the login of a user whose esl-allowed-events and " +
    `esl-allowed-api have more than ${MAX_RIGHTS_BYTES} bytes together`;
  if (isFitting(events, api)) {
    return { events, ...(api === undefined ? {} : { api }), remarks: [] };
  }
  const everyEvent = `This user may hear every event: ${limit}.`;
  if (api === undefined) return { remarks: [everyEvent] };
  if (isFitting(EVERYTHING, api)) return { api, remarks: [everyEvent] };
  const everyCommand =
    `EVERY API COMMAND IS ALLOWED to this user: ${limit}. Name fewer in bgapi_allow.`;
  const { remarks, ...rights } = fitting(events, undefined);
  return { ...rights, remarks: [everyCommand, ...remarks] };
}

function isFitting(events: string, api = EVERYTHING): boolean {
  return bytesIn(events) + bytesIn(api) <= MAX_RIGHTS_BYTES;
}

function bytesIn(text: string): number {
  return new TextEncoder().encode(text).length;
}

function param(name: string, value: string): string {
  return `<param name="${name}" value="${escape(value)}"/>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** A comment cannot hold two hyphens in a row. */
function comment(lines: readonly string[]): string[] {
  const text = lines.map((line) => line.replace(/-(?=-)/g, "- "));
  return ["<!--", ...text.map((line) => line === "" ? "" : `  ${line}`), "-->"];
}
