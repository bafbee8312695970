/**
 * What can make a call of FreeSWITCH's run more than it seems to.
 *
 * @module
 */

import type { CommandRule, ValueRule } from "./allow_rules.ts";

/** What is allowed that runs more than it seems to. */
export interface CallDanger {
  /** The rule that allows it, as it was written. */
  readonly rule: string;
  /** What it allows; a rule may allow more. */
  readonly example: string;
  /** What comes of it, to stand after "which". */
  readonly consequence: string;
}

/** Applications, and arguments with which they do what `consequence` says. */
interface Applications {
  readonly names: readonly string[];
  readonly args: readonly string[];
  readonly consequence: string;
}

/** Applications of FreeSWITCH 1.11 (`SWITCH_ADD_APP`) that a sender should not use freely. */
const APPLICATIONS: readonly Applications[] = [
  {
    names: ["system", "bgsystem"],
    args: ["id", "/usr/bin/id", "/bin/sh -c id"],
    consequence: "runs programs of the machine",
  },
  {
    names: ["lua", "javascript", "java", "python", "perl", "managed", "basic"],
    args: ["x", "x.lua", "x.js", "x.py", "x.pl", "/tmp/x", "/tmp/x.lua", "/tmp/x.js", "/tmp/x.py"],
    consequence: "runs code",
  },
  {
    names: ["socket", "erlang", "httapi"],
    args: ["192.0.2.1:8084", "192.0.2.1:8084 async full", "x", "x y@z", "http://192.0.2.1/x"],
    consequence: "hands the call over to a program anywhere, which may run any application",
  },
  {
    names: ["curl", "curl_sendfile"],
    args: ["http://192.0.2.1/", "https://192.0.2.1/x post x=1", "x"],
    consequence: "asks any server for anything",
  },
  {
    names: ["set", "multiset", "export", "bridge_export", "push", "unshift"],
    args: [
      "api_hangup_hook=system id",
      "execute_on_answer=system id",
      "exec_after_bridge_app=system",
    ],
    consequence: "sets variables, of which some run programs",
  },
  {
    names: ["transfer", "sched_transfer", "execute_extension"],
    args: ["system:id inline", "+1 system:id inline"],
    consequence: "runs any application, by a dialplan of `inline`",
  },
  {
    names: ["broadcast", "sched_broadcast", "bind_meta_app", "bind_digit_action", "limit_execute"],
    args: [
      "x system::id",
      "+1 system::id",
      "1 a s system::id",
      "x,1,exec:system,id",
      "x x x 1 system id",
    ],
    consequence: "runs any application",
  },
  {
    names: ["bridge", "att_xfer"],
    args: ["loopback/system:id/default/inline"],
    consequence: "runs any application, by way of loopback",
  },
  {
    names: ["eavesdrop", "userspy", "three_way", "intercept"],
    args: ["x", "all", "1000@x", "00000000-0000-4000-8000-000000000000"],
    consequence: "listens to other calls",
  },
  {
    names: ["record", "record_session", "record_fsv", "mkdir", "rename", "rxfax"],
    args: ["/tmp/x", "/tmp/x.wav", "/tmp/x /tmp/y"],
    consequence: "writes files anywhere",
  },
];

/**
 * Channel variables of FreeSWITCH 1.11 that run an application or a command. What begins
 * with `execute_on_…` or `api_on_…` of these does too (`switch_channel_execute_on`).
 */
const VARIABLES: readonly string[] = [
  "execute_on_answer",
  "execute_on_originate",
  "execute_on_ring",
  "execute_on_media",
  "execute_on_pre_answer",
  "execute_on_pre_originate",
  "execute_on_post_originate",
  "execute_on_pre_bridge",
  "execute_on_post_bridge",
  "execute_on_tone_detect",
  "api_on_answer",
  "api_on_originate",
  "api_on_ring",
  "api_on_media",
  "api_on_pre_answer",
  "api_on_pre_originate",
  "api_on_post_originate",
  "api_on_tone_detect",
  "api_hangup_hook",
  "api_reporting_hook",
  "api_after_bridge",
  "api_before_bridge",
  "exec_after_bridge_app",
  "bridge_pre_execute_app",
  "bridge_pre_execute_aleg_app",
  "bridge_pre_execute_bleg_app",
  "record_post_process_exec_app",
  "record_post_process_exec_api",
  "group_confirm_file",
];

const HOOK = /^(execute|api)_on_/;

/** Endpoints that run a dialplan of the sender's: here, an application. */
const ENDPOINTS: readonly string[] = [
  "loopback/system:id/default/inline",
  "loopback/answer/default/inline",
];

/** What an application rule allows that runs more than it seems to. */
export function applicationDanger(rule: CommandRule): CallDanger | undefined {
  const name = rule.name.toLowerCase();
  for (const { names, args, consequence } of APPLICATIONS) {
    const given = names.includes(name)
      ? args.find((each) => rule.allows(rule.name, each))
      : undefined;
    if (given !== undefined) return { rule: rule.text, example: `${name} ${given}`, consequence };
  }
  return undefined;
}

/**
 * What a variable rule allows that runs more than it seems to.
 *
 * @param hooks Whether those count that begin with `execute_on_` or `api_on_`.
 */
export function variableDanger(rule: ValueRule, hooks: boolean): CallDanger | undefined {
  const example = VARIABLES.filter((name) => hooks || !HOOK.test(name)).find((name) =>
    rule.allows(name) || rule.text.toLowerCase().startsWith(name)
  );
  if (example === undefined) return undefined;
  const consequence = "makes the call run any application or command";
  return { rule: rule.text, example, consequence };
}

/** What an endpoint rule allows that runs more than it seems to. */
export function endpointDanger(rule: ValueRule): CallDanger | undefined {
  const example = ENDPOINTS.find((endpoint) => rule.allows(endpoint));
  if (example === undefined) return undefined;
  return { rule: rule.text, example, consequence: "runs applications" };
}
