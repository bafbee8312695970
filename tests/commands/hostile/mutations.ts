/**
 * Messages made and changed at random, with FreeSWITCH's own signs and words.
 *
 * @module
 */

import type { Random } from "../../faults/random.ts";
import { text } from "./message.ts";

/** Signs and words that mean something to FreeSWITCH, to JSON, to MQTT or to a log. */
const WORDS: readonly string[] = [
  ..."'\"\\ ,;:|&$%^~`!?*#@=+-_./()[]{}<>\n\r\t\0",
  ..."\u0000\u0007\u001b\u007f\u0085\u00a0\u00ad\u200b\u200d\u202e\u2028\u2029\u3000\ufeff",
  ..."ıſKé漢１а",
  "\ud800",
  "\u{1f600}",
  "''",
  ";;",
  "::",
  ":_:",
  "^^",
  "^^|",
  "^^:",
  "${",
  "$${",
  "}",
  "%[",
  "\\,",
  "\\'",
  "\\n",
  "\\s",
  "\\\\",
  "\n\n",
  "\r\n",
  "&park",
  "&park()",
  "&system(id)",
  "&playback(a.wav)",
  "&echo",
  "user/1000",
  "user/1001",
  "loopback/9386",
  "group/x",
  "sofia/gateway/gw/1",
  "sofia/internal/sip:1@[::1]:5060",
  ";transport=tcp",
  ";fs_path=sip:x",
  ",user/1001",
  "|user/1001",
  ":_:user/1001",
  "{a=b}",
  "[a=b]",
  "<a=b>",
  "{^^:a=b:c=d}",
  "execute_on_answer",
  "api_on_answer",
  "execute_on_answer_fsmqtt",
  "execute_on_originate_fsmqtt=sched_hangup +9",
  "user_recurse_variables=false",
  "local_var_clobber=true",
  "loopback_bowout=true",
  "origination_nested_vars=true",
  "leg_timeout=5",
  "origination_caller_id_name='A B'",
  "absolute_codec_string=PCMU\\,PCMA",
  "ARRAY::a|:b",
  "[0]",
  " inline",
  " XML default",
  " XML",
  " undef",
  "undef",
  "9386",
  "sched_hangup",
  "sched_cancel",
  "mod_event_socket",
  "reload",
  "unload",
  "console_execute: true",
  "\nJob-UUID: x",
  "\n\napi shutdown\n\n",
  "bgapi ",
  "originate ",
  "status",
  "system ",
  "expand ",
  "eval ",
  "sched_api +1 none ",
  "uuid_transfer ",
  "uuid_broadcast ",
  "conference x dial ",
  "show ",
  "echo ",
  "uuid_kill ",
  "uuid:a ",
  "__proto__",
  '"command":"bgapi",',
  '"args":"status"',
  '"id":"a",',
  "\\u000a",
  "\\ud800",
  "1e400",
  "null",
];

/** What is well written, and what should not be taken. */
interface Choices {
  readonly good: readonly string[];
  readonly bad: readonly string[];
}

const NAMES: Choices = {
  good: [
    "leg_timeout",
    "originate_timeout",
    "origination_caller_id_name",
    "origination_caller_id_number",
    "absolute_codec_string",
  ],
  bad: [
    "execute_on_answer",
    "EXECUTE_ON_ANSWER",
    "execute_on_answer_fsmqtt",
    "api_on_answer",
    "local_var_clobber",
    "loopback_bowout",
    "user_recurse_variables",
    "origination_nested_vars",
    "sip_h_X-Foo",
    "^^:a",
    "a[0]",
    "a",
  ],
};
const VALUES: Choices = {
  good: ["5", "'A B'", "'A, B'", "A\\, B", "PCMU\\,PCMA", "'PCMU,PCMA'", "'Jürgen Ö'", "x"],
  bad: [
    "'sched_hangup +9'",
    "${system(id)}",
    "ARRAY::a|:b",
    "^^:a:b",
    ":_:",
    "a;;b",
    "a\\\\,b",
    "",
  ],
};
const ENDPOINTS: Choices = {
  good: [
    "user/1000",
    "user/1000",
    "user/1000",
    "sofia/internal/sip:1000@192.168.1.1:58289;transport=tcp",
    "sofia/gateway/gw/+4930",
    "sofia/internal/sip:1@[2001:db8::1]:5060",
    "verto.rtc/1",
  ],
  bad: [
    "user/1001",
    "loopback/9386",
    "LoopBack/system:id/default/inline",
    "group/x",
    "user/1000,user/1001",
    "user/1000|user/1001",
    "user/1000:_:user/1001",
    "[a=b]user/1000",
    "user/1000;fs_path=sip:x",
  ],
};
const EXTENSIONS: Choices = {
  good: [
    "&park",
    "&park",
    "&park",
    "&park()",
    "'&park'",
    "&echo",
    "&playback(a/b.wav)",
    "'&playback(a b.wav)'",
    "9386",
    "+49*#.-",
  ],
  bad: [
    "&bridge(user/1)",
    "&system(id)",
    "&system(id)x",
    "&park::system",
    "&playback(${x})",
    "&playback(%[a=b]c)",
    "&playback(%a)",
    "&sched_cancel",
    "undef",
    "'Undef'",
    "system:id",
    "&",
  ],
};
const DIALPLANS: Choices = { good: ["XML", "xml"], bad: ["inline", "XML,inline", "undef"] };
const CONTEXTS: Choices = { good: ["default", "public", "a.b-c"], bad: ["undef", "${x}", "''"] };
const CALLER_NAMES: Choices = { good: ["undef", "'A B'", "Ö"], bad: ["''", "<x>", "'${x}'"] };
const NUMBERS: Choices = { good: ["undef", "+4930"], bad: ["1@2", "''"] };
const TIMEOUTS: Choices = { good: ["30", "3600"], bad: ["3601", "0", "-1", "undef", "9s"] };
const APPS: Choices = {
  good: ["park", "park", "echo", "playback"],
  bad: ["system", "park::system", "sched_cancel", "park()", "undef"],
};
const APP_ARGS: Choices = { good: ["", "a.wav", "a b"], bad: [")", "${x}", "'", "%[a=b]"] };
const API: Choices = {
  good: [
    "status",
    "status",
    "show channels",
    "show calls as json",
    "echo a b",
    "uuid_kill 00000000-0000-4000-8000-000000000000",
    "uuid_transfer a 9386 XML default",
    "uuid_transfer a -both 9386",
    "uuid_broadcast a b.wav both",
    "uuid_bridge a b",
    "uuid_deflect a sip:1@b",
    "sched_transfer +1 a 9386",
    "conference x dial user/1",
    "conference x list",
    "group_call a@b+F",
  ],
  bad: [
    "show ${x}",
    "show calls;;status",
    "echo ${x}",
    "uuid_transfer a system:id inline",
    "uuid_broadcast a system::id",
    "conference x dial loopback/1",
    "conference x bgdial {a=b}user/1",
    "system id",
    "expand originate user/1000 &park",
    "eval ${x}",
    "sched_api +1 none status",
    "lua x",
    "reload mod_event_socket",
    "global_getvar",
  ],
};

/** Mostly something good. */
function choose(random: Random, { good, bad }: Choices): string {
  const list = random.between(0, 5) === 0 ? bad : good;
  return list[random.between(0, list.length - 1)] ?? "";
}

/** A command that is well written more often than not. */
export function randomCommand(random: Random): string {
  const command = random.between(0, 3) === 0
    ? `bgapi ${choose(random, API)}`
    : randomOriginate(random);
  const [verb = "", ...rest] = command.split(" ");
  const args = rest.join(" ");
  switch (random.between(0, 5)) {
    case 0:
      return `bgapi ${command}`;
    case 1:
      return JSON.stringify({ command: verb, args });
    case 2:
      return JSON.stringify({ id: `i${random.between(0, 1e9)}`, ...randomDocument(random) });
    default:
      return command;
  }
}

function randomOriginate(random: Random): string {
  const count = random.pick(0, 0, 1, 2, 3);
  const variables = Array.from(
    { length: count },
    () => `${choose(random, NAMES)}=${choose(random, VALUES)}`,
  ).join(",");
  const rest = [
    choose(random, DIALPLANS),
    choose(random, CONTEXTS),
    choose(random, CALLER_NAMES),
    choose(random, NUMBERS),
    choose(random, TIMEOUTS),
  ].slice(0, random.pick(0, 0, 0, 1, 2, 3, 4, 5));
  const leg = (count === 0 ? "" : `{${variables}}`) + choose(random, ENDPOINTS);
  return ["originate", leg, choose(random, EXTENSIONS), ...rest].join(" ");
}

function randomDocument(random: Random): Record<string, unknown> {
  const maybe = (name: string, choices: Choices) =>
    random.between(0, 5) === 0 ? { [name]: choose(random, choices).replaceAll("'", "") } : {};
  return {
    command: "originate",
    endpoint: choose(random, ENDPOINTS),
    ...(random.between(0, 3) === 0
      ? { destination: choose(random, EXTENSIONS), ...maybe("context", CONTEXTS) }
      : { app: choose(random, APPS) }),
    ...maybe("app_args", APP_ARGS),
    ...maybe("caller_id_name", CALLER_NAMES),
    ...maybe("caller_id_number", NUMBERS),
    ...(random.between(0, 4) === 0 ? { timeout: random.pick(1, 30, 3600, 3601, 0, -1, 1.5) } : {}),
    ...(random.between(0, 2) === 0
      ? { variables: { [choose(random, NAMES)]: choose(random, VALUES).replaceAll("'", "") } }
      : {}),
  };
}

type Mutation = (body: string, random: Random, other: string) => string;

const anywhere = (body: string, random: Random) => random.between(0, body.length);
const anyWord = (random: Random) => WORDS[random.between(0, WORDS.length - 1)] ?? "";

const MUTATIONS: readonly [Mutation, ...Mutation[]] = [
  // Insert a word.
  (body, random) => {
    const at = anywhere(body, random);
    return body.slice(0, at) + anyWord(random) + body.slice(at);
  },
  // Put one in the place of something, or take something out.
  (body, random) => {
    const at = anywhere(body, random);
    return body.slice(0, at) + anyWord(random) + body.slice(at + random.between(1, 8));
  },
  (body, random) => {
    const at = anywhere(body, random);
    return body.slice(0, at) + body.slice(at + random.between(1, 8));
  },
  // Behind or before it.
  (body, random) => body + anyWord(random),
  (body, random) => anyWord(random) + body,
  // Put two together.
  (body, random, other) =>
    body.slice(0, anywhere(body, random)) + other.slice(anywhere(other, random)),
  (body, _, other) => body + other,
  // Say something twice.
  (body, random) => {
    const at = anywhere(body, random);
    const part = body.slice(at, at + random.between(1, 30));
    return body.slice(0, at) + part + body.slice(at);
  },
  // Change the case of something.
  (body, random) => {
    const at = anywhere(body, random);
    const end = at + random.between(1, 8);
    const part = body.slice(at, end);
    const other = part === part.toUpperCase() ? part.toLowerCase() : part.toUpperCase();
    return body.slice(0, at) + other + body.slice(end);
  },
  // Within something.
  (body, random) => {
    const [open, close] = random.pick(["'", "'"], ['"', '"'], ["{", "}"], ["(", ")"], ["[", "]"]);
    const at = anywhere(body, random);
    const end = random.between(at, body.length);
    return body.slice(0, at) + open + body.slice(at, end) + close + body.slice(end);
  },
  // A text as a document, and the reverse.
  (body) => JSON.stringify({ command: "bgapi", args: body.replace(/^bgapi +/i, "") }),
  (body) => JSON.stringify({ command: "originate", args: body.replace(/^originate +/i, "") }),
  changeDocument,
  // Written in another way.
  (body, random) =>
    body.startsWith("{")
      ? body.replace(
        /[a-z ]/g,
        (sign) =>
          random.between(0, 20) === 0
            ? `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`
            : sign,
      )
      : body,
  (body, random) => body.replace(/ /g, () => random.pick(" ", " ", "  ", "\t", "\u00a0")),
  // Long.
  (body, random) => {
    const at = anywhere(body, random);
    return body.slice(0, at) + anyWord(random).repeat(random.between(1, 3_000)) + body.slice(at);
  },
];

/** Changes a key or a value of a document. */
function changeDocument(body: string, random: Random): string {
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch {
    return body;
  }
  if (typeof document !== "object" || document === null) return body;
  const entries = Object.entries(document);
  const at = random.between(0, Math.max(0, entries.length - 1));
  const [key = "x", value] = entries[at] ?? [];
  const word = anyWord(random);
  const text = typeof value === "string" ? value : "";
  const changed: [string, unknown] = random.pick<[string, unknown]>(
    [key, word],
    [key, text + word],
    [key, word + text],
    [key, [value]],
    [key, { [word]: value }],
    [key, null],
    [key, random.between(-1, 4_000)],
    [key, true],
    [key + word, value],
    [key.toUpperCase(), value],
    [word, value],
    ["variables", { [choose(random, NAMES)]: choose(random, VALUES) }],
    ["id", `i${random.between(0, 1e9)}`],
    ["issued_at", random.pick<unknown>(0, 1e400, "2026-11-22T12:00:00Z", word)],
    ["sender", word],
  );
  const others = random.between(0, 1) === 0 ? entries.toSpliced(at, 1) : entries;
  // Repeated keys are lost in an object.
  const fields = [...others, changed]
    .map(([name, each]) => `${JSON.stringify(name)}:${JSON.stringify(each)}`);
  return `{${fields.join(",")}}`;
}

/** Changes a message in up to five ways; every tenth not at all, every fifth byte by byte as well. */
export function mutate(
  payload: Uint8Array,
  random: Random,
  corpus: readonly Uint8Array[],
): Uint8Array {
  if (random.between(0, 9) === 0) return payload;
  const decoder = new TextDecoder();
  let body = decoder.decode(payload);
  for (let left = random.pick(0, 1, 1, 1, 2, 2, 3, 5); left > 0; left--) {
    const other = decoder.decode(corpus[random.between(0, corpus.length - 1)]);
    body = random.pick(...MUTATIONS)(body, random, other).slice(0, 80_000);
  }
  const bytes = text(body);
  return random.between(0, 4) === 0 ? withChangedBytes(bytes, random) : bytes;
}

function withChangedBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const changed = [...bytes];
  for (let left = random.between(1, 3); left > 0; left--) {
    const at = random.between(0, changed.length);
    const byte = random.pick(random.between(0, 255), 0x0a, 0x00, 0xc0, 0xff, 0x27, 0x5c);
    switch (random.between(0, 2)) {
      case 0:
        changed.splice(at, 0, byte);
        break;
      case 1:
        changed.splice(at, 1, byte);
        break;
      case 2:
        changed.splice(at, 1, (changed[at] ?? 0) ^ (1 << random.between(0, 7)));
        break;
    }
  }
  return Uint8Array.from(changed);
}
