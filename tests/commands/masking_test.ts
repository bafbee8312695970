/** What the audit log shows of arguments: numbers for an inquiry, and never a password. */

import assert from "node:assert/strict";
import { LONGEST_VALUE } from "../../lib/commands/audit.ts";
import { maskedArguments } from "../../lib/commands/masking.ts";
import { MASK } from "../../lib/secret.ts";

/** Stands where a secret may stand; no result may hold it. */
const SECRET = "hunter2";

type Row = readonly [command: string, args: string, shown: string];

/** In what is shown, `*` is the mask. */
const GROUPS: Readonly<Record<string, readonly Row[]>> = {
  "names, calls and numbers are shown as they are": [
    ["status", "", ""],
    ["show", "channels like 1000", "channels like 1000"],
    ["SHOW", "calls", "calls"],
    ["uuid_kill", "5c9d-77 NORMAL_CLEARING", "5c9d-77 NORMAL_CLEARING"],
    ["global_getvar", "local_ip_v4", "local_ip_v4"],
    ["sofia_contact", "internal/1000@example.org", "internal/1000@example.org"],
  ],
  "of what is not known to be harmless the length is told": [
    ["nonsense", "hunter2", "(7 characters)"],
    ["system", "curl -u me:hunter2 http://example.org", "(37 characters)"],
    ["echo", "x", "(1 character)"],
    ["uuid_send_dtmf", "5c9d hunter2", "(12 characters)"],
    ["uuid_recv_dtmf", "5c9d hunter2", "(12 characters)"],
    ["smpp_send", "gw|1|2|hunter2", "(14 characters)"],
    ["db", "insert/realm/key/hunter2", "(24 characters)"],
    ["uuid_setvar_multi", "5c9d a=1;b=hunter2", "(18 characters)"],
    ["sched_api", "+10 hunter2", "(11 characters)"],
    ["constructor", "hunter2", "(7 characters)"],
  ],
  "whom an originate calls is shown, and what the call does then": [
    ["originate", "user/1000 &park", "user/1000 &park"],
    ["ORIGINATE", "user/1000 9386 XML default", "user/1000 9386 XML default"],
    [
      "originate",
      "sofia/gateway/gw/+4930123 9386 XML default 'Anna B.' +49301 30",
      "sofia/gateway/gw/+4930123 9386 XML default 'Anna B.' +49301 30",
    ],
    [
      "originate",
      "sofia/internal/sip:1000@192.0.2.1:58289;transport=tcp &bridge(sofia/gateway/gw/+4930123)",
      "sofia/internal/sip:1000@192.0.2.1:58289;transport=tcp &bridge(sofia/gateway/gw/+4930123)",
    ],
    ["originate", "user/1 &playback(/tmp/a.wav)", "user/1 &playback(/tmp/a.wav)"],
    [
      "originate",
      "sofia/internal/sip:1000@[2001:db8::1]:5060 &park",
      "sofia/internal/sip:1000@[2001:db8::1]:5060 &park",
    ],
    [
      "originate",
      "sofia/a/1000@b,sofia/c/sip:2000@d|loopback/3000/x &park",
      "sofia/a/1000@b,sofia/c/sip:2000@d|loopback/3000/x &park",
    ],
    [
      "originate",
      "user/1 transfer:9386,bridge:sip:1@h inline",
      "user/1 transfer:9386,bridge:sip:1@h inline",
    ],
  ],
  "of variables the names are shown, and the values of caller ids alone": [
    [
      "originate",
      "{origination_caller_id_name=Anna,origination_caller_id_number=+4930,x=hunter2}user/1 &park",
      "{origination_caller_id_name=Anna,origination_caller_id_number=+4930,x=*}user/1 &park",
    ],
    ["originate", "{a=hunter2}{b=hunter2}user/1 2", "{a=*}{b=*}user/1 2"],
    ["originate", "<a=hunter2>[b=hunter2,c=hunter2]user/1 2", "<a=*>[b=*,c=*]user/1 2"],
    ["originate", "{A='x,hunter2'}user/1 2", "{A=*}user/1 2"],
    ["originate", "{a=x,hunter2}user/1 2", "{a=*,*}user/1 2"],
    ["originate", "{a=x\\,hunter2}user/1 2", "{a=*}user/1 2"],
    ["originate", "{a={hunter2},b=1}user/1 2", "{a=*,b=*}user/1 2"],
    [
      "originate",
      "{^^:a=hunter2:caller_id_number=77}user/1 2",
      "{^^:a=*:caller_id_number=77}user/1 2",
    ],
    ["originate", "{a[1]=hunter2}user/1 2", "{a[1]=*}user/1 2"],
    ["originate", "{ a = hunter2 , b=}user/1 2", "{ a =*, b=*}user/1 2"],
    ["originate", "'{a=hunter2 x}user/1' '&park'", "'{a=*}user/1' '&park'"],
    ["originate", "user/1 &bridge({a=hunter2}user/2)", "user/1 &bridge({a=*}user/2)"],
    ["originate", "user/1 &set(foo=hunter2)", "user/1 &set(foo=*)"],
    ["originate", "user/1 '&set(foo=a, hunter2)' 7", "user/1 '&set(foo=*)' 7"],
    ["originate", "user/1 '&export(nolocal:foo=a hunter2)'", "user/1 '&export(nolocal:foo=*)'"],
    ["originate", "user/1 'set:foo=a hunter2,park:' inline", "user/1 'set:foo=*,park:' inline"],
    ["uuid_broadcast", "5c9d set::foo=a,b hunter2", "5c9d set::foo=*"],
    ["uuid_broadcast", "5c9d set::foo=a\nhunter2", "5c9d set::foo=*"],
    ["originate", "user/1 '&set(foo = a hunter2)'", "user/1 '&set(foo =*)'"],
    ["originate", "user/1 '&set(a b foo=a hunter2)'", "user/1 '&set(a b foo=*)'"],
    ["originate", "user/1 &set(foo) a=hunter2", "user/1 &set(foo) a=*"],
    [
      "originate",
      "user/1 'set:foo=hunter2,bridge:user/2' inline",
      "user/1 'set:foo=*,bridge:user/2' inline",
    ],
    [
      "originate",
      "user/1 &set(effective_caller_id_number=77)",
      "user/1 &set(effective_caller_id_number=77)",
    ],
    ["originate", "{caller_id_name=u:hunter2@h}user/1 2", "{caller_id_name=u:*@h}user/1 2"],
    ["uuid_setvar", "5c9d sip_auth_password hunter2 x", "5c9d sip_auth_password *"],
    ["uuid_setvar", "5c9d effective_caller_id_number 77", "5c9d effective_caller_id_number 77"],
    ["uuid_setvar", "5c9d hunter2", "5c9d *"],
    ["global_setvar", "default_password=hunter2", "default_password=*"],
  ],
  "a bracket or a quote that is not closed hides the rest": [
    ["originate", "{a=b user/1 hunter2", "{a=*"],
    ["originate", "{a='hunter2}hunter2' user/1 &park", "{a=*"],
    ["originate", "[a=hunter2", "[a=*"],
  ],
  "a password in an address is masked, a number in its place is not": [
    ["originate", "sofia/p/sip:1000:hunter2@h:5060 &park", "sofia/p/sip:1000:*@h:5060 &park"],
    ["originate", "sofia/p/1000:hunter2@h &park", "sofia/p/1000:*@h &park"],
    ["originate", "sofia/p/SIPS:1000:hunt:er2hunter2@h 2", "sofia/p/SIPS:1000:*@h 2"],
    ["originate", "sofia/p/sip:1000:a@hunter2@h 2", "sofia/p/sip:1000:*@h 2"],
    ["originate", "a/sip:1:hunter2@h,b/sip:2:hunter2@h 2", "a/sip:1:*@h,b/sip:2:*@h 2"],
    [
      "uuid_broadcast",
      "5c9d playback::http://me:hunter2@h/x.wav aleg",
      "5c9d playback::http://me:*@h/x.wav aleg",
    ],
    ["uuid_broadcast", "5c9d bridge::me:hunter2@h", "5c9d bridge::me:*@h"],
    ["uuid_broadcast", "5c9d bridge::sip:+4930@h", "5c9d bridge::sip:+4930@h"],
    ["uuid_broadcast", "5c9d fifo::sip:+4930@h", "5c9d fifo::sip:+4930@h"],
    ["originate", "user/1 &bridge::sip:+4930@h", "user/1 &bridge::sip:+4930@h"],
    ["uuid_deflect", "5c9d sip:+4930@h", "5c9d sip:+4930@h"],
  ],
  "what follows a word that speaks of secrets is masked": [
    ["originate", "user/1 &fifo(h:8084 password hunter2)", "user/1 &fifo(h:8084 password *"],
    [
      "originate",
      "user/1 &fifo(Authorization: Bearer hunter2)",
      "user/1 &fifo(Authorization: Bearer *",
    ],
    [
      "originate",
      "user/1 &fifo(http://h/?api_token=hunter2&y=hunter2)",
      "user/1 &fifo(http://h/?api_token=*",
    ],
    ["originate", 'user/1 &fifo(secret="a hunter2" key: hunter2', "user/1 &fifo(secret=* key: *"],
    ["uuid_deflect", "5c9d sip:1@h;auth=a;hunter2", "5c9d sip:1@h;auth=*"],
    ["originate", "sofia/gateway/keystone/+4930 &park", "sofia/gateway/keystone/+4930 &park"],
  ],
  "of an application whose arguments may be anything, the name is shown and how long the rest is": [
    ["originate", "user/1 &system(mysql -phunter2)", "user/1 &system(17 characters)"],
    ["originate", "user/1 '&hash(insert/r/k/hunter2)' XML", "user/1 '&hash(25 characters)"],
    ["originate", "user/1 &lua::hunter2", "user/1 &lua(9 characters)"],
    ["originate", "user/1 answer,hash:insert/hunter2 inline", "user/1 answer,hash(22 characters)"],
    ["uuid_broadcast", "5c9d lua::hunter2 aleg", "5c9d lua(14 characters)"],
  ],
  "digits that open something are masked": [
    ["originate", "user/1 &send_dtmf(hunter2)", "user/1 &send_dtmf(*)"],
    ["originate", "user/1 queue_dtmf:hunter2 inline", "user/1 queue_dtmf:* inline"],
    ["originate", "user/1 &conference(3000@p+hunter2+flags)", "user/1 &conference(3000@p+*+flags)"],
    ["originate", "user/1 &conference(3000@p) 7", "user/1 &conference(3000@p) 7"],
    ["conference", "3000 dtmf all hunter2", "3000 dtmf all *"],
  ],
  "what starts or moves calls is shown like an originate": [
    ["uuid_transfer", "5c9d -both 9386 XML default", "5c9d -both 9386 XML default"],
    ["uuid_transfer", "5c9d bridge:{a=hunter2}user/1 inline", "5c9d bridge:{a=*}user/1 inline"],
    ["conference", "3000 dial {a=hunter2}sofia/g/+4930", "3000 dial {a=*}sofia/g/+4930"],
    ["sched_transfer", "+5 5c9d 9386 XML default", "+5 5c9d 9386 XML default"],
  ],
  "a command within a command is shown by its own rules": [
    ["bgapi", "originate {a=hunter2}user/1 2", "originate {a=*}user/1 2"],
    ["sched_api", "+10 none originate {a=hunter2}user/1 2", "+10 none originate {a=*}user/1 2"],
    ["expand", "uuid_setvar 5c9d a hunter2", "uuid_setvar 5c9d a *"],
    ["bgapi", "bgapi expand system hunter2", "bgapi expand system (7 characters)"],
    ["bgapi", "'hunter2", "(8 characters)"],
    ["bgapi", "status ", "status "],
    ["bgapi", "  ", ""],
  ],
};

for (const [title, rows] of Object.entries(GROUPS)) {
  Deno.test(title, () => {
    for (const [command, args, shown] of rows) {
      const masked = maskedArguments(command, args);
      assert.equal(masked.replaceAll(MASK, "*"), shown, `${command} ${args}`);
      assert(!masked.includes(SECRET), `${command} ${args}`);
    }
  });
}

Deno.test("a text that is too long is cut at a space, or hidden", () => {
  const masked = maskedArguments("originate", "1 ".repeat(1_500));
  assert(masked.endsWith("1…") && masked.length <= LONGEST_VALUE + 1, `${masked.length}`);
  const shown = `user/1 ${"x".repeat(LONGEST_VALUE - 20)}`;
  const address = `${shown} sip:me:${SECRET}@${"h".repeat(100)}`;
  assert.equal(maskedArguments("originate", address), `${shown}…`);
  assert.equal(maskedArguments("bgapi", `originate ${address}`), `originate ${shown}…`);
  assert.equal(maskedArguments("originate", "x".repeat(3_000)), "(3000 characters)");
  assert.equal(maskedArguments("bgapi", "bgapi ".repeat(1_000)), "(6000 characters)");
  const setting = `${"x".repeat(3_000)} effective_caller_id_name ${SECRET}`;
  assert.equal(maskedArguments("uuid_setvar", setting), `(${setting.length} characters)`);
});

/** What the patterns hold. */
const PIECES = `set:: set: set( multiset:: export( conference( conference: send_dtmf( dtmf password
  passpass key key: key= pin= Authorization:Bearer a a. a= a@ a: sip: :a@ &a &a( a:: a, inline { [
  < { } ] > {a= ' " \\ , | = + / @ ( ) \u00a0 \u0000`.split(/\s+/).concat(
  " ",
  "a ",
  "key ",
  "dtmf ",
);
const COMMANDS = ["originate", "bgapi", "sched_api", "uuid_setvar", "conference", "status"];

/** Texts of this length in which each piece stands often, before another one that does too. */
function* crowded(length: number): Generator<string> {
  yield `set(${"a".repeat(length)}/=a`;
  for (const first of PIECES) {
    for (const second of PIECES) {
      const half = length / 2;
      yield first.repeat(half / first.length) + second.repeat(half / second.length);
      yield (first + second).repeat(length / (first.length + second.length));
    }
  }
}

Deno.test("of a text of any kind and length, no more is looked at than is shown", () => {
  const begin = performance.now();
  let count = 0;
  for (const text of crowded(64_000)) {
    for (const command of COMMANDS) maskedArguments(command, text);
    count++;
  }
  const ms = performance.now() - begin;
  assert(ms < 10_000, `${ms} ms for ${count} texts`);
});

Deno.test("no text takes time but in proportion to its length", () => {
  // What takes time in proportion to its square takes 200 ms and more, else 30 at most.
  const mostMs = 120;
  for (const text of crowded(48_000)) {
    const tries = Array.from({ length: 5 });
    const isSoon = tries.some(() => {
      const begin = performance.now();
      maskedArguments("originate", text, Infinity);
      return performance.now() - begin < mostMs;
    });
    assert(isSoon, `${text.slice(0, 40)}…${text.slice(-40)}`);
  }
});
