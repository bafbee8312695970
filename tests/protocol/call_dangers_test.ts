import assert from "node:assert/strict";
import {
  type CommandRule,
  readCommandRule,
  readValueRule,
  type RuleReading,
  type ValueRule,
} from "../../lib/protocol/allow_rules.ts";
import {
  applicationDanger,
  endpointDanger,
  variableDanger,
} from "../../lib/protocol/call_dangers.ts";

function rule<Rule>(reading: RuleReading<Rule>): Rule {
  if ("expected" in reading) throw new Error(reading.expected);
  return reading.value;
}

const application = (text: string) => applicationDanger(rule<CommandRule>(readCommandRule(text)));
const value = (text: string) => rule<ValueRule>(readValueRule(text));

/** Every application that is dangerous when anything may stand behind it. */
const applications = {
  "runs programs of the machine": "system bgsystem",
  "runs code": "lua javascript java python perl managed basic",
  "hands the call over to a program anywhere, which may run any application":
    "socket erlang httapi",
  "asks any server for anything": "curl curl_sendfile",
  "sets variables, of which some run programs": "set multiset export bridge_export push unshift",
  "runs any application, by a dialplan of `inline`": "transfer sched_transfer execute_extension",
  "runs any application": "broadcast sched_broadcast bind_meta_app bind_digit_action limit_execute",
  "runs any application, by way of loopback": "bridge att_xfer",
  "listens to other calls": "eavesdrop userspy three_way intercept",
  "writes files anywhere": "record record_session record_fsv mkdir rename rxfax",
};

for (const [consequence, names] of Object.entries(applications)) {
  for (const name of names.split(" ")) {
    Deno.test(`\`${name} *\` ${consequence}`, () => {
      assert.equal(application(`${name} *`)?.consequence, consequence);
      assert.equal(application(`${name.toUpperCase()} *`)?.consequence, consequence);
      assert.equal(application(`${name} /.*/`)?.rule, `${name} /.*/`);
    });
  }
}

for (
  const text of [
    "park",
    "park *",
    "echo *",
    "playback *",
    "system",
    "system reboot",
    "system /reboot|halt/",
    "lua ivr.lua",
    "set /hold_music=.*/",
    "bridge /user.10../",
    "transfer /\\d+ XML default/",
    "record /[a-z]+[.]wav/",
  ]
) {
  Deno.test(`\`${text}\` does what it says and no more`, () => {
    assert.equal(application(text), undefined);
  });
}

for (
  const name of [
    "execute_on_answer",
    "execute_on_answer_2",
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
  ]
) {
  Deno.test(`the variable \`${name}\` runs something, unless such are refused anyway`, () => {
    assert.ok(variableDanger(value(name), true));
    assert.ok(variableDanger(value(name.toUpperCase()), true));
    assert.ok(variableDanger(value(`/${name.slice(0, -2)}.*/`), true));
    assert.equal(variableDanger(value(name), false), undefined);
  });
}

for (
  const name of [
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
  ]
) {
  Deno.test(`the variable \`${name}\` runs something in any case`, () => {
    for (const hooks of [true, false]) {
      assert.equal(variableDanger(value(name), hooks)?.example, name);
      assert.equal(variableDanger(value(`/${name}|x/`), hooks)?.example, name);
    }
  });
}

Deno.test("variables that run nothing, and patterns of such", () => {
  for (const text of ["origination_caller_id_name", "sip_h_X-Id", "/sip_h_.*/", "/.*_id_name/"]) {
    assert.equal(variableDanger(value(text), true), undefined);
  }
});

Deno.test("an endpoint rule that lets loopback choose a dialplan runs applications", () => {
  for (const text of ["/.*/", "/loopback/.*/", "/loopback/[^/]+/default/inline/"]) {
    assert.equal(endpointDanger(value(text))?.consequence, "runs applications", text);
  }
  for (const text of ["user/1000", "/user/.*/", "loopback/9386", "/loopback/\\d+/default/"]) {
    assert.equal(endpointDanger(value(text)), undefined, text);
  }
});
