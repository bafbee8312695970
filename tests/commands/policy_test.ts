import assert from "node:assert/strict";
import { judge } from "../../lib/commands/judgement.ts";
import { NARROW, OPEN, rulesOf, type Written } from "./rules.ts";

/** Messages, and what FreeSWITCH gets behind `bgapi`, or why not. */
type Row = readonly [
  message: string,
  expected: string | { readonly refusal: RegExp } | { readonly line: RegExp },
];

interface Table {
  readonly what: string;
  readonly rules: Written;
  readonly rows: readonly Row[];
}

const refusal = (refusal: RegExp) => ({ refusal });
const NO_BGAPI = refusal(/^bgapi_authorized is false for this topic/);
const NO_ORIGINATE = refusal(/^originate_authorized is false for this topic/);
const UNNAMED = refusal(/^no bgapi_allow of this topic names `/);
const HIDDEN = refusal(/^its arguments hold `\$\{` or `;;`/);
const CODE = refusal(/^bgapi_allow has to name .* can run code/);
const SWITCH = refusal(/^bgapi_allow has to name .* can end or change FreeSWITCH/);
const WRAPPER = refusal(/^bgapi_allow has to name .* can run other commands/);
const SECRETS = refusal(/^bgapi_allow has to name .* can reveal secrets/);
const MORE = refusal(/^bgapi_allow has to name .* do more than name legs and extensions/);
const BESIDE = refusal(/^bgapi_allow has to name .* beside originate_allow_/);
const END = refusal(/^max_call_seconds cannot be set on `/);
const DEFEATED = refusal(/^max_call_seconds could be got round with `/);
const RELOAD = refusal(/^it FreeSWITCH takes for `reload mod_event_socket`/);
const TIMEOUT = refusal(/^`\w+_timeout` is no number of seconds/);
const no = (kind: string) =>
  refusal(new RegExp(`^no originate_allow_${kind} of this topic names `));
const usual = (kind: string) => refusal(new RegExp(`^originate_allow_${kind} has to name `));

const UUID = "f0e1d2c3-0000-4000-8000-000000000001";

const README = [
  "originate {origination_caller_id_number=19005551212}sofia/internal/sip:1000@192.168.1.1:58289 " +
  "9386 XML default",
  "originate {origination_caller_id_number=9005551212}sofia/default/whatever@wherever 19005551212 " +
  "XML default",
];

const tables: readonly Table[] = [
  {
    what: "with neither flag nothing runs",
    rules: {},
    rows: [
      ["bgapi status", NO_BGAPI],
      ["originate user/1 2", NO_ORIGINATE],
      ["bgapi originate user/1 2", NO_BGAPI],
      ['{"command":"bgapi","args":"status"}', NO_BGAPI],
      ['{"command":"originate","endpoint":"user/1","app":"park"}', NO_ORIGINATE],
    ],
  },
  {
    what: "rules without a flag allow nothing",
    rules: { ...NARROW, bgapi_authorized: false, originate_authorized: false },
    rows: [
      ["bgapi status", NO_BGAPI],
      ["originate user/1000 &park", NO_ORIGINATE],
    ],
  },
  {
    what: "bgapi_authorized alone runs what needs not be named, and no call",
    rules: { bgapi_authorized: true },
    rows: [
      ["bgapi status", "status"],
      ["bgapi STATUS", "STATUS"],
      ["bgapi show channels as json", "show channels as json"],
      ["bgapi sofia status profile internal", "sofia status profile internal"],
      [`bgapi uuid_kill ${UUID}`, `uuid_kill ${UUID}`],
      ["bgapi no_such_command x", "no_such_command x"],
      ["bgapi originate user/1 2", NO_ORIGINATE],
      ["bgapi ORIGINATE user/1 2", NO_ORIGINATE],
      ["originate user/1 2", NO_ORIGINATE],
      [`bgapi uuid_transfer ${UUID} 9386`, NO_ORIGINATE],
      [`bgapi UUID_Transfer ${UUID} 9386`, NO_ORIGINATE],
      [`bgapi uuid_bridge ${UUID} ${UUID}`, NO_ORIGINATE],
      [`bgapi uuid_deflect ${UUID} sip:1@a`, NO_ORIGINATE],
      [`bgapi uuid_broadcast ${UUID} a.wav`, NO_ORIGINATE],
      [`bgapi sched_transfer +1 ${UUID} 9386`, NO_ORIGINATE],
      ["bgapi conference room dial user/1", NO_ORIGINATE],
      ["bgapi conference room bgdial user/1", NO_ORIGINATE],
      ["bgapi group_call sales@example.com", NO_ORIGINATE],
      ["bgapi page x", { refusal: /./ }],
      ["bgapi conference list", "conference list"],
    ],
  },
  {
    what: "originate_authorized alone starts calls by `originate`, and runs no API command",
    rules: { originate_authorized: true },
    rows: [
      ["originate user/1 2", "originate user/1 2"],
      ["bgapi originate user/1 2", NO_BGAPI],
      ["bgapi status", NO_BGAPI],
      [`bgapi uuid_transfer ${UUID} 9386`, NO_BGAPI],
    ],
  },
  {
    what: "both flags run both, and `bgapi originate`",
    rules: OPEN,
    rows: [
      ...README.map((text): Row => [text, text]),
      ...README.map((text): Row => [`bgapi ${text}`, text]),
      ["bgapi status", "status"],
      ["bgapi OriginatE user/1 2", "originate user/1 2"],
      [`bgapi uuid_transfer ${UUID} 9386 XML default`, `uuid_transfer ${UUID} 9386 XML default`],
      [`bgapi uuid_bridge ${UUID} ${UUID}`, `uuid_bridge ${UUID} ${UUID}`],
      [`bgapi uuid_transfer ${UUID} system:id inline`, MORE],
      [`bgapi uuid_broadcast ${UUID} system::id`, MORE],
      ["bgapi conference x dial {execute_on_answer='system id'}user/1", MORE],
      ["bgapi conference x dial loopback/1", MORE],
      [`bgapi uuid_deflect ${UUID} sip:1@a?x=y`, MORE],
    ],
  },
  {
    what: "what gives a shell, code, files, the switch, wrappers or secrets has to be named",
    rules: OPEN,
    rows: [
      ["bgapi system id", CODE],
      ["bgapi SYSTEM id", CODE],
      ["bgapi bg_system id", CODE],
      ["bgapi spawn id", CODE],
      ["bgapi spawn_stream id", CODE],
      ["bgapi lua x.lua", CODE],
      ["bgapi luarun x.lua", CODE],
      ["bgapi python x", CODE],
      ["bgapi python3 x", CODE],
      ["bgapi jsrun x.js", CODE],
      ["bgapi jsapi x", CODE],
      ["bgapi perl x", CODE],
      ["bgapi load mod_shell_stream", CODE],
      ["bgapi unload mod_sofia", CODE],
      ["bgapi reload mod_sofia", CODE],
      ["bgapi curl http://192.0.2.1/", CODE],
      ["bgapi curl_sendfile x", CODE],
      ["bgapi http_get http://192.0.2.1/", CODE],
      ["bgapi http_put x", CODE],
      [`bgapi uuid_setvar ${UUID} api_hangup_hook system id`, CODE],
      ["bgapi global_setvar a=b", CODE],
      [`bgapi uuid_record ${UUID} start /etc/passwd`, CODE],
      ["bgapi shutdown", SWITCH],
      ["bgapi ...", SWITCH],
      ["bgapi fsctl shutdown", SWITCH],
      ["bgapi hupall", SWITCH],
      ["bgapi sofia profile internal stop", SWITCH],
      ["bgapi bgapi system id", WRAPPER],
      ["bgapi sched_api +1 none system id", WRAPPER],
      ["bgapi eval x", WRAPPER],
      ["bgapi expand originate user/1 2", WRAPPER],
      ["bgapi Expand x", WRAPPER],
      ["bgapi cond 1 == 1 ? a : b", WRAPPER],
      ["bgapi xml_wrap system id", WRAPPER],
      ['bgapi json {"command":"x"}', WRAPPER],
      ["bgapi alias add x system", WRAPPER],
      ["bgapi mosquitto bgapi x", WRAPPER],
      ["bgapi global_getvar", SECRETS],
      ["bgapi user_data 1000@example.com param password", SECRETS],
      ["bgapi xml_locate directory", SECRETS],
      ['{"command":"bgapi","args":"system id"}', CODE],
      ["bgapi uuid:1 system id", CODE],
    ],
  },
  {
    what: "arguments that hide something have to be named",
    rules: OPEN,
    rows: [
      ["bgapi echo ${system id}", HIDDEN],
      ["bgapi echo $${x}", HIDDEN],
      ["bgapi show channels;;shutdown", HIDDEN],
      ["bgapi echo a;b", "echo a;b"],
      ["bgapi echo $x {y}", "echo $x {y}"],
    ],
  },
  {
    what: "what FreeSWITCH takes for a reload of its event socket never runs",
    rules: { ...OPEN, bgapi_allow: ["echo *", "reload *"] },
    rows: [
      ["bgapi echo reload mod_event_socket", RELOAD],
      ["bgapi echo MOD_EVENT_SOCKET unLoad", RELOAD],
      ["bgapi reload mod_event_socket x", RELOAD],
      ["bgapi uuid:reload echo mod_event_socket", RELOAD],
      ["bgapi uuid:1 echo mod_event_socket", "echo mod_event_socket"],
      ["bgapi reload mod_event_socket", "reload mod_event_socket"],
      [
        "originate {origination_caller_id_name=mod_event_socket}user/reload 2",
        RELOAD,
      ],
    ],
  },
  {
    what: "bgapi_allow names what may run, with which arguments",
    rules: {
      ...OPEN,
      bgapi_allow: [
        "status",
        "show /channels|calls/",
        "echo *",
        "uptime ms",
        "system *",
        `uuid_kill /${"[0-9a-f-]{36}"}/`,
        "eval *",
        "eval /\\$\\{hostname\\}/",
        "version * ",
      ],
    },
    rows: [
      ["bgapi status", "status"],
      ["bgapi  status ", "status"],
      ["bgapi status x", UNNAMED],
      ["bgapi STATUS", UNNAMED],
      ["bgapi show channels", "show channels"],
      ["bgapi show   calls", "show calls"],
      ["bgapi show channels as json", UNNAMED],
      ["bgapi show xchannels", UNNAMED],
      ["bgapi show", UNNAMED],
      ["bgapi show Calls", UNNAMED],
      ["bgapi echo", "echo"],
      ["bgapi echo a  b 'c' \"d\" $e", "echo a  b 'c' \"d\" $e"],
      ["bgapi echo a${b}", UNNAMED],
      ["bgapi echo a;;b", UNNAMED],
      ["bgapi version ${x}", UNNAMED],
      ["bgapi echoes x", UNNAMED],
      ["bgapi uptime ms", "uptime ms"],
      ["bgapi uptime", UNNAMED],
      ["bgapi uptime s", UNNAMED],
      ["bgapi system id", "system id"],
      ["bgapi bg_system id", UNNAMED],
      [`bgapi uuid_kill ${UUID}`, `uuid_kill ${UUID}`],
      [`bgapi uuid_kill ${UUID} x`, UNNAMED],
      ["bgapi eval ${hostname}", "eval ${hostname}"],
      ["bgapi eval ${hostname} ${x}", UNNAMED],
      ["bgapi sofia status", UNNAMED],
      ["bgapi originate user/1 2", UNNAMED],
      ["originate user/1 2", "originate user/1 2"],
      ["bgapi uuid:status status", "status"],
    ],
  },
  {
    what: "what is named still needs originate_authorized where it can start a call",
    rules: {
      bgapi_authorized: true,
      bgapi_allow: [
        "originate *",
        "expand *",
        "sched_api *",
        "eval /.*/",
        "uuid_transfer *",
        "conference *",
        "json *",
        "status",
      ],
    },
    rows: [
      ["bgapi status", "status"],
      ["bgapi expand status", "expand status"],
      ["bgapi originate user/1 2", NO_ORIGINATE],
      ["bgapi expand originate user/1 2", NO_ORIGINATE],
      ["bgapi expand OriGinate user/1 2", NO_ORIGINATE],
      ["bgapi sched_api +1 none originate user/1 2", NO_ORIGINATE],
      ["bgapi eval ${originate(user/1 2)}", NO_ORIGINATE],
      ["bgapi eval ${x}", NO_ORIGINATE],
      ["bgapi expand expand ori\\'ginate user/1 2", NO_ORIGINATE],
      ['bgapi json {"command":"\\u006friginate"}', NO_ORIGINATE],
      [`bgapi uuid_transfer ${UUID} 1`, NO_ORIGINATE],
      ["bgapi conference x dial user/1", NO_ORIGINATE],
      ["bgapi conference x list", "conference x list"],
    ],
  },
  {
    what: "an originate that is named as an API command is still held to what it may hold",
    rules: { ...OPEN, bgapi_allow: ["originate /.*park.*/"] },
    rows: [
      ["bgapi originate user/1 &park", "originate user/1 &park"],
      ["bgapi originate user/1 2", UNNAMED],
      ["bgapi originate loopback/1 &park", usual("endpoint")],
      ["bgapi originate {api_on_answer=x}user/1 &park", usual("variable")],
    ],
  },
  {
    what: "without originate_allow_… what is usual may be used",
    rules: { originate_authorized: true },
    rows: [
      ...README.map((text): Row => [text, text]),
      ["originate user/1 &park", "originate user/1 &park"],
      ["originate user/1 &park()", "originate user/1 &park()"],
      ["originate user/1 &echo", "originate user/1 &echo"],
      ["originate user/1 &playback(a/b.wav)", "originate user/1 &playback(a/b.wav)"],
      ["originate user/1 &playback(/var/a.wav)", "originate user/1 &playback(/var/a.wav)"],
      ["originate sofia/gateway/gw/1 2 XML any", "originate sofia/gateway/gw/1 2 XML any"],
      ["originate user/1 2 xml any 'A B' 3 30", "originate user/1 2 XML any 'A B' 3 30"],
      [
        "originate {origination_caller_id_name='A B',leg_timeout=9,absolute_codec_string='PCMA,G722'}" +
        "user/1 2",
        "originate {origination_caller_id_name='A B',leg_timeout=9,absolute_codec_string=PCMA\\,G722}" +
        "user/1 2",
      ],
      [
        '{"command":"originate","endpoint":"user/1","app":"park","timeout":9}',
        "originate user/1 &park XML default undef undef 9",
      ],
      [
        '{"command":"originate","endpoint":"user/1","destination":"2",' +
        '"variables":{"effective_caller_id_number":"1","call_timeout":5}}',
        "originate {effective_caller_id_number=1,call_timeout=5}user/1 2",
      ],
      ["originate loopback/1 2", usual("endpoint")],
      ["originate LOOPBACK/1 2", usual("endpoint")],
      ["originate group/sales@a 2", usual("endpoint")],
      ["originate user/1 &system(id)", usual("app")],
      ["originate user/1 &bridge(user/2)", usual("app")],
      ["originate user/1 &park(x)", usual("app")],
      ["originate user/1 &echo(x)", usual("app")],
      ["originate user/1 &PARK", usual("app")],
      ["originate user/1 &playback", usual("app")],
      ["originate user/1 &playback(http://192.0.2.1/a.wav)", usual("app")],
      ["originate user/1 &playback(shell_stream://id)", usual("app")],
      ["originate user/1 &playback(../a.wav)", usual("app")],
      ["originate user/1 &playback(a/../../b.wav)", usual("app")],
      ["originate user/1 &playback(a.wav!b.wav)", usual("app")],
      ["originate user/1 &playback(a.lua)", usual("app")],
      ["originate {ignore_early_media=true}user/1 2", usual("variable")],
      ["originate {execute_on_answer=park}user/1 2", usual("variable")],
      ["originate {api_hangup_hook=status}user/1 2", usual("variable")],
      ["originate {Leg_Timeout=1}user/1 2", usual("variable")],
      ["originate {leg_timeout_x=1}user/1 2", usual("variable")],
      ["originate {__proto__=1}user/1 2", usual("variable")],
      ["originate {leg_timeout=0}user/1 2", TIMEOUT],
      ["originate {leg_timeout=-1}user/1 2", TIMEOUT],
      ["originate {originate_timeout=99999}user/1 2", TIMEOUT],
      ["originate {call_timeout=9;1}user/1 2", TIMEOUT],
      ["originate user/1 system:id inline", { refusal: /^its dialplan is not XML$/ }],
      ["originate user/1", { refusal: /^it needs an endpoint/ }],
    ],
  },
  {
    what: "with originate_allow_… only what is named may be used",
    rules: {
      originate_authorized: true,
      originate_allow_endpoint: ["user/1000", "/user\\/2\\d+/", "loopback/9"],
      originate_allow_app: ["park", "playback /[a-z]+\\.wav/", "bridge user/1", "sleep *"],
      originate_allow_context: ["default", "/team-.*/"],
      originate_allow_destination: ["9386", "/1\\d/"],
      originate_allow_variable: ["leg_timeout", "/sip_h_X-.*/", "origination_caller_id_number"],
    },
    rows: [
      ["originate user/1000 &park", "originate user/1000 &park"],
      ["originate user/2345 &park", "originate user/2345 &park"],
      ["originate loopback/9 &park", "originate loopback/9 &park"],
      ["originate user/1001 &park", no("endpoint")],
      ["originate USER/1000 &park", no("endpoint")],
      ["originate user/10000 &park", no("endpoint")],
      ["originate user/2 &park", no("endpoint")],
      ["originate user/2a &park", no("endpoint")],
      ["originate xuser/22 &park", no("endpoint")],
      ["originate user/22;transport=tcp &park", no("endpoint")],
      ["originate user/1000 &park()", "originate user/1000 &park()"],
      ["originate user/1000 &park(x)", no("app")],
      ["originate user/1000 &echo", no("app")],
      ["originate user/1000 &playback(a.wav)", "originate user/1000 &playback(a.wav)"],
      ["originate user/1000 &playback(a.wavx)", no("app")],
      ["originate user/1000 &bridge(user/1)", "originate user/1000 &bridge(user/1)"],
      ["originate user/1000 &bridge(user/12)", no("app")],
      ["originate user/1000 '&sleep(1 2)'", "originate user/1000 '&sleep(1 2)'"],
      ["originate user/1000 9386", "originate user/1000 9386"],
      ["originate user/1000 11 XML team-a", "originate user/1000 11 XML team-a"],
      ["originate user/1000 9387", no("destination")],
      ["originate user/1000 111", no("destination")],
      ["originate user/1000 9386 XML public", no("context")],
      ["originate user/1000 9386 XML Default", no("context")],
      [
        "originate {leg_timeout=9999999}user/1000 &park",
        "originate {leg_timeout=9999999}user/1000 &park",
      ],
      ["originate {sip_h_X-A=b}user/1000 &park", "originate {sip_h_X-A=b}user/1000 &park"],
      ["originate {sip_h_Y=b}user/1000 &park", no("variable")],
      ["originate {leg_timeout=1,api_on_answer=x}user/1000 &park", no("variable")],
      ["originate {LEG_TIMEOUT=1}user/1000 &park", no("variable")],
      [
        "originate user/1000 &park XML default undef 1",
        "originate user/1000 &park XML default undef 1",
      ],
      ["originate user/1000 &park XML default A 1", no("variable")],
      ["originate user/1000 &park XML default undef undef 30", {
        line: /^originate .* undef undef 30$/,
      }],
      [
        '{"command":"originate","endpoint":"user/1000","app":"park","caller_id_name":"A"}',
        no("variable"),
      ],
      [
        '{"command":"originate","endpoint":"user/1000","destination":"9386","context":"public"}',
        no("context"),
      ],
    ],
  },
  ...(["endpoint", "app", "context", "destination", "variable"] as const).map((kind): Table => ({
    what: `a single originate_allow_${kind} is enough to shut out what is not named`,
    rules: {
      ...OPEN,
      [`originate_allow_${kind}`]: [
        {
          endpoint: "user/1",
          app: "park",
          context: "default",
          destination: "2",
          variable: "x",
        }[kind],
      ],
    },
    rows: [
      ["originate user/1 &park", no(kind === "endpoint" ? "app" : "endpoint")],
      ["originate user/2 &park", no("endpoint")],
      [`bgapi uuid_transfer ${UUID} 9386`, BESIDE],
      ["bgapi status", "status"],
    ],
  })),
  {
    what: "a destination needs its context named too, `default` if none is given",
    rules: {
      originate_authorized: true,
      originate_allow_endpoint: ["user/1"],
      originate_allow_destination: ["2"],
      originate_allow_context: ["public"],
    },
    rows: [
      ["originate user/1 2", no("context")],
      ["originate user/1 2 XML default", no("context")],
      ["originate user/1 2 XML public", "originate user/1 2 XML public"],
    ],
  },
  {
    what: "originate_unrestricted passes on what is no line of its own",
    rules: { ...OPEN, originate_unrestricted: true },
    rows: [
      [
        "originate {a='b c'}[x=y]loopback/1|user/2 &system(id)",
        { line: /^originate \{a='b c'\}\[x=y\]loop/ },
      ],
      ["bgapi originate user/1 system:id inline", "originate user/1 system:id inline"],
      ["originate {a=mod_event_socket}user/reload 2", RELOAD],
      [
        '{"command":"originate","endpoint":"loopback/1","app":"system","app_args":"id"}',
        "originate loopback/1 &system(id)",
      ],
      [
        '{"command":"originate","endpoint":"user/1,user/2","app":"park"}',
        { refusal: /^its endpoint is not a single one/ },
      ],
      ["bgapi system id", CODE],
    ],
  },
  {
    what: "originate_unrestricted opens nothing without originate_authorized",
    rules: { bgapi_authorized: true, originate_unrestricted: true },
    rows: [
      ["originate user/1 2", NO_ORIGINATE],
      ["bgapi originate user/1 2", NO_ORIGINATE],
    ],
  },
  {
    what: "max_call_seconds gives every call its end",
    rules: { ...OPEN, max_call_seconds: 30 },
    rows: [
      [
        "originate user/1 2",
        "originate {execute_on_answer_fsmqtt='sched_hangup +30'," +
        "execute_on_originate_fsmqtt='sched_hangup +90'}user/1 2",
      ],
      [
        "originate {leg_timeout=5}user/1 &park XML default undef undef 100",
        "originate {leg_timeout=5,execute_on_answer_fsmqtt='sched_hangup +30'," +
        "execute_on_originate_fsmqtt='sched_hangup +130'}user/1 &park XML default undef undef 100",
      ],
      [
        '{"command":"originate","endpoint":"user/1","app":"park"}',
        { line: /^originate \{execute_on_answer_fsmqtt='sched_hangup \+30',.*\}user\/1 &park$/ },
      ],
      ["originate loopback/1 2", usual("endpoint")],
      ["originate user/1 &system(id)", usual("app")],
      ["originate {sip_h_X=b}user/1 2", usual("variable")],
      [`bgapi uuid_transfer ${UUID} 9386`, END],
      ["bgapi conference x dial user/1", END],
      ["bgapi status", "status"],
    ],
  },
  {
    what: "nothing that is allowed gets round max_call_seconds",
    rules: {
      ...OPEN,
      max_call_seconds: 30,
      originate_allow_endpoint: ["/.*/"],
      originate_allow_app: ["park", "sched_cancel", "SCHED_CANCEL"],
      originate_allow_variable: ["/.*/"],
    },
    rows: [
      ["originate {a=b}user/1 &park", { line: /^originate \{a=b,execute_on_answer_fsmqtt=/ }],
      ...[
        "execute_on_answer",
        "EXECUTE_ON_ANSWER_fsmqtt",
        "execute_on_answer_zz",
        "api_on_answer",
        "user_recurse_variables",
        "User_Recurse_Variables",
        "local_var_clobber",
      ].map((
        name,
      ): Row => [`originate {${name}=x}user/1 &park`, DEFEATED]),
      ["originate user/1 &sched_cancel", DEFEATED],
      ["originate user/1 &SCHED_CANCEL", DEFEATED],
    ],
  },
  {
    what: "an API command that is named does not get round max_call_seconds",
    rules: {
      ...OPEN,
      max_call_seconds: 30,
      bgapi_allow: ["uuid_transfer *", "expand *", "originate *"],
    },
    rows: [
      [`bgapi uuid_transfer ${UUID} 9386`, END],
      ["bgapi expand originate user/1 2", END],
      ["bgapi originate user/1 2", { line: /^originate \{execute_on_answer_fsmqtt=/ }],
    ],
  },
  {
    what: "legs of loopback cannot leave their end behind",
    rules: {
      originate_authorized: true,
      max_call_seconds: 30,
      originate_allow_endpoint: ["/.*/"],
      originate_allow_app: ["park"],
      originate_allow_variable: ["/.*/"],
    },
    rows: [
      ...["loopback/9", "LoopBack/9/default"].map((endpoint): Row => [
        `originate ${endpoint} &park`,
        "originate {execute_on_answer_fsmqtt='sched_hangup +30'," +
        "execute_on_originate_fsmqtt='sched_hangup +90',loopback_bowout=false}" +
        `${endpoint} &park`,
      ]),
      ["originate {loopback_bowout=true}loopback/9 &park", DEFEATED],
      ["originate {Loopback_Bowout_On_Execute=true}loopback/9 &park", DEFEATED],
    ],
  },
  {
    what: "max_call_seconds is held though originate_unrestricted is set",
    rules: { ...OPEN, max_call_seconds: 30, originate_unrestricted: true },
    rows: [["originate user/1 2", { refusal: /^max_call_seconds cannot be held/ }]],
  },
  {
    what: "the narrow topic of the hostile test allows its two commands",
    rules: NARROW,
    rows: [
      ["bgapi status", "status"],
      ["originate user/1000 &park", "originate user/1000 &park"],
      ["originate user/1000 &park() xml default", "originate user/1000 &park()"],
      ["bgapi originate user/1000 &park", UNNAMED],
      ["bgapi show calls", UNNAMED],
      ["originate user/1000 9386", no("destination")],
      ["originate user/1000 &park XML default me", no("variable")],
    ],
  },
];

/** What may run of a message on a topic with these parameters. */
function verdict(message: string, written: Written) {
  const payload = new TextEncoder().encode(message);
  return judge({ topic: "cmd", payload, retained: false, repeated: false }, {
    rules: rulesOf(written),
    answers: {},
    takesCommands: () => false,
    now: 0,
  }).verdict;
}

for (const { what, rules, rows } of tables) {
  Deno.test(what, () => {
    for (const [message, expected] of rows) {
      const decision = verdict(message, rules);
      if (typeof expected === "string") {
        assert.deepEqual("line" in decision ? decision.line : decision, expected, message);
      } else if ("line" in expected) {
        assert("line" in decision, `${message}: ${JSON.stringify(decision)}`);
        assert.match(decision.line, expected.line);
      } else {
        assert("fault" in decision, `${message}: ${JSON.stringify(decision)}`);
        assert.match(decision.fault, expected.refusal, message);
      }
    }
  });
}

for (
  const [message, placesCalls] of [
    ["bgapi status", false],
    ["originate user/1 2", true],
    ["bgapi originate user/1 2", true],
    [`bgapi uuid_transfer ${UUID} 2`, true],
    ["bgapi conference x dial user/1", true],
    ["bgapi conference x list", false],
  ] as const
) {
  Deno.test(`"${message}" ${placesCalls ? "counts" : "does not count"} as a call`, () => {
    const decision = verdict(message, OPEN);
    assert("line" in decision, JSON.stringify(decision));
    assert.equal(decision.placesCalls, placesCalls);
  });
}
