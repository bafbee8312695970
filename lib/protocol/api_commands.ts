/**
 * The API commands of FreeSWITCH by what they can do (FreeSWITCH 1.11, `SWITCH_ADD_API` of all its
 * modules).
 *
 * @module
 */

/**
 * Why an API command has to be named to be allowed:
 *
 * - `code`: it runs programs, code or applications, reads or writes files, loads modules, reaches
 *   for addresses, or sets what is run later
 * - `switch`: it ends, stops or changes the switch, its configuration, or what keeps it safe
 * - `wrapper`: it runs what stands in its arguments as another command
 * - `secrets`: it reveals passwords, keys or the configuration
 */
export type ApiDanger = "code" | "switch" | "wrapper" | "secrets";

/** What an API command can do that not every sender of commands should. */
export interface ApiPower {
  /** Why it has to be named; absent if it need not be. */
  readonly danger?: ApiDanger;
  /** Whether it starts, moves or connects calls. */
  readonly placesCalls: boolean;
}

const PLAIN: ApiPower = { placesCalls: false };
const CALLS: ApiPower = { placesCalls: true };

function dangerous(danger: ApiDanger): ApiPower {
  return { danger, placesCalls: false };
}

/** Commands that can do the same, whatever their arguments; `name*` is all that begin so. */
interface Group {
  readonly power: ApiPower;
  /** In lower case, with spaces between. */
  readonly names: string;
}

const GROUPS: readonly Group[] = [
  // Programs and scripts.
  { power: dangerous("code"), names: "system bg_system spawn* bg_spawn" },
  { power: dangerous("code"), names: "lua* perl* py* js* managed* java* basic" },
  { power: dangerous("code"), names: "load reload unload" },
  // Servers of the sender's choice, and databases with all that they can do.
  { power: dangerous("code"), names: "curl* http_* stun hiredis_raw mongo_*" },
  // Applications that are run later: by a hook in a variable, or when a tone is heard.
  { power: dangerous("code"), names: "global_setvar uuid_setvar uuid_setvar_multi tone_detect" },
  // Files anywhere; what is played may also be a shell (`shell_stream://`).
  {
    power: dangerous("code"),
    names: `file_exists uuid_record uuid_displace uuid_snapshot uuid_write_png uuid_video_replace
      chromakey cv_bug voicemail_inject vm_inject vm_fsdb_pref_greeting_set
      vm_fsdb_pref_recname_set`,
  },
  // Its text is a format for printf, which reads FreeSWITCH's memory.
  { power: dangerous("code"), names: "coalesce" },

  { power: dangerous("switch"), names: "... shutdown fsctl hupall" },
  {
    power: dangerous("switch"),
    names: "reloadxml reloadacl reloadcert xml_flush_cache amqp vpx msrp",
  },
  // What is planned, the end of a call included.
  { power: dangerous("switch"), names: "sched_del unsched_api" },
  // Limits keep a stolen account from making a thousand calls.
  {
    power: dangerous("switch"),
    names: "limit_reset limit_interval_reset uuid_limit_release",
  },
  // The log and the console: what they show, and lines in them that others act upon.
  {
    power: dangerous("switch"),
    names: `log console complete cluechoo cdr_csv httapi xml_curl xml_scgi amr_debug amrwb_debug
      opus_debug opusfile_debug sndfile_debug smpp_debug`,
  },
  // They hold a thread for as long as they are told to.
  { power: dangerous("switch"), names: "msleep time_test timer_test" },
  // Its result may be ten thousand times as long as its arguments.
  { power: dangerous("switch"), names: "replace" },
  // Voicemail that is gone, or whose owner is locked out.
  {
    power: dangerous("switch"),
    names: "vm_delete vm_fsdb_msg_delete vm_fsdb_msg_purge vm_fsdb_pref_password_set",
  },

  { power: dangerous("wrapper"), names: "bgapi sched_api eval expand cond xml_wrap json alias" },
  // `chat api|…` is an API command, an event of a channel may be one of a conference, the third is
  // one at another FreeSWITCH, and `mosquitto bgapi …` is mod_mosquitto's own.
  { power: dangerous("wrapper"), names: "chat event_channel_broadcast single_esl mosquitto rayo" },

  {
    power: dangerous("secrets"),
    names: `global_getvar getenv user_data domain_data find_user_xml xml_locate sofia_gateway_data
      hash_dump`,
  },
  // Among a call's variables are the keys of its media, and passwords that dialplans set.
  { power: dangerous("secrets"), names: "uuid_dump uuid_getvar" },
  // Voicemail: its passwords, and the messages of others.
  {
    power: dangerous("secrets"),
    names: "vm_prefs vm_fsdb_auth_login vm_fsdb_msg_email vm_fsdb_msg_forward",
  },

  { power: CALLS, names: "originate page group_call skel" },
  // Phones of this machine's, some of which only older versions know.
  { power: CALLS, names: "alsa pa gsm gsmopen* sk skypopen" },
  {
    power: CALLS,
    names:
      `uuid_recv_dtmf uuid_send_dtmf uuid_transfer uuid_dual_transfer uuid_bridge uuid_broadcast uuid_deflect uuid_redirect
      uuid_park uuid_simplify uuid_limit sched_transfer sched_broadcast`,
  },
  // Whom a queue calls.
  { power: CALLS, names: "fifo_member fifo_add_outbound" },
  // A short message costs as a call does.
  { power: CALLS, names: "smpp_send" },
];

/** A command whose arguments decide: the first form that matches, else what is said for the rest. */
interface Divided {
  readonly forms: readonly (readonly [args: RegExp, power: ApiPower])[];
  readonly rest: ApiPower;
}

/**
 * Arguments that begin with one of these words, or none at all, which only shows how the command is
 * written. Words are taken apart from left to right (`switch_separate_string`), so that quotes
 * matter only before them.
 */
function begins(words: string): RegExp {
  return new RegExp(`^(?:(?:${words})(?: .*)?)?$`, "i");
}

/** Forms that only look; all else is of this danger. */
function readsWith(looks: RegExp, danger: ApiDanger): Divided {
  return { forms: [[looks, PLAIN]], rest: dangerous(danger) };
}

/** The name of a conference, without quotes and what changes delimiters. */
const CONFERENCE = "[\\w.@+-]+";

function ofConference(words: string): RegExp {
  return new RegExp(`^${CONFERENCE} +(?:${words})$`, "i");
}

const DIVIDED: ReadonlyMap<string, Divided> = new Map<string, Divided>([
  ["conference", {
    forms: [
      [
        /^((list|count|xml_list|json_list|help|commands)( (summary|count|pretty|compact))?)?$/i,
        PLAIN,
      ],
      [
        ofConference(
          "(?:count|list|xml_list|json_list|energy|auto-energy|max-energy|agc|vid-canvas" +
            "|vid-watching-canvas|vid-layer|volume_in|volume_out|position|auto-3d-position" +
            "|pause_play|play_status|file_seek|say|saymember|cam|stop|vid-flip|vid-border|hup" +
            "|unhold|t?mute|unmute|t?vmute|vmute-snap|unvmute|t?vblind|unvblind|deaf|undeaf" +
            "|vid-filter|relate|getvar|lock|unlock|pin|nopin|chkrecord|norecord|pause|resume|get" +
            "|file-vol|floor|vid-floor|vid-banner|vid-codec-group|vid-res-id|vid-role-id|get-uuid" +
            "|clear-vid-floor|vid-layout|vid-fps|vid-res|vid-bandwidth|vid-personal" +
            "|canvas-auto-clear)(?: .*)?",
        ),
        PLAIN,
      ],
      // These may name a file besides.
      [ofConference("(?:kick|hold) +[\\w=.-]+"), PLAIN],
      [ofConference("moh +(?:on|off|toggle)|(?:enter|exit)_sound +(?:on|off|none)"), PLAIN],
      [ofConference("recording +(?:check|stop|pause|resume)(?: .*)?"), PLAIN],
      [ofConference("(?:dial|bgdial|transfer|dtmf)(?: .*)?"), CALLS],
      [
        ofConference(
          "(?:play|moh|kick|hold|record|recording|enter_sound|exit_sound|set|setvar" +
            "|vid-(?:mute-img|logo-img|write-png|fgimg|bgimg))(?: .*)?",
        ),
        dangerous("code"),
      ],
    ],
    rest: { danger: "code", placesCalls: true },
  }],
  ["callcenter_config", {
    forms: [
      [/^((agent|tier|queue) +(list|count|get)( .*)?)?$/i, PLAIN],
      [/^queue +(load|unload|reload)( .*)?$/i, dangerous("switch")],
    ],
    rest: CALLS,
  }],

  // Profiles are stopped, traced and told to register; traces show what phones log in with.
  ["sofia", readsWith(begins("status|xmlstatus|jsonstatus|help"), "switch")],
  ["verto", readsWith(begins("status|xmlstatus|jsonstatus|help"), "switch")],
  ["skinny", readsWith(begins("status|help"), "switch")],
  ["rtmp", readsWith(begins("status"), "switch")],
  ["erlang", readsWith(begins("listeners|sessions|bindings|handlers"), "switch")],
  ["ftdm", readsWith(begins("list|dump|help"), "switch")],
  ["signalwire", readsWith(/^(adopted)?$/i, "secrets")],

  // Ports of the router's.
  ["nat_map", readsWith(/^(status)?$/i, "switch")],
  ["av", readsWith(begins("show"), "switch")],
  ["avmd", readsWith(/^(show|[\w-]+ (start|stop))?$/i, "switch")],
  ["blacklist", readsWith(begins("check|help"), "switch")],
  ["distributor_ctl", readsWith(begins("dump"), "switch")],
  ["enum", readsWith(/^(\+?\d+( [\w.-]+)?)?$/, "switch")],
  ["fifo", readsWith(begins("list|list_verbose|count|status|has_outbound|importance"), "switch")],
  ["local_stream", readsWith(begins("show"), "switch")],
  ["nibblebill", readsWith(/^([\w-]+ (check|heartbeat \d+))?$/i, "switch")],
  ["voicemail", readsWith(begins("rss"), "switch")],
  ["prefix", readsWith(begins("get"), "code")],
  ["cidlookup", readsWith(/^(\+?\d+( (skipurl|skipcitystate|verbose))*)?$/i, "secrets")],

  // What follows a number may stand unquoted in a query of the owner's.
  ["lcr", readsWith(/^(\+?\d+( [\w+.-]+)*)?$/, "code")],
  ["easyroute", readsWith(/^(\+?\d+( [\w+.-]+)*)?$/, "code")],

  // What dialplans go by. Only a group's members are dial strings, and so may run applications.
  ["db", readsWith(/^((select|exists|count|list)(\/.*)?)?$/i, "switch")],
  ["hash", readsWith(/^(select\/.*)?$/i, "switch")],
  ["hash_remote", readsWith(/^(list)?$/i, "switch")],
  ["memcache", readsWith(begins("get|getflags|status"), "switch")],
  ["group", readsWith(/^(call:.*)?$/i, "code")],
]);

const BY_NAME = new Map<string, ApiPower>();
const BY_BEGINNING: [beginning: string, power: ApiPower][] = [];
for (const { power, names } of GROUPS) {
  for (const name of names.split(/\s+/)) {
    if (name.endsWith("*")) BY_BEGINNING.push([name.slice(0, -1), power]);
    else BY_NAME.set(name, power);
  }
}

/**
 * Looks a command up, with its arguments where these decide. Names are taken in any case, as
 * FreeSWITCH finds them. A command that is not one of FreeSWITCH's own modules is plain.
 */
export function powerOf(command: string, args: string): ApiPower {
  const name = command.toLowerCase();
  const divided = DIVIDED.get(name);
  if (divided !== undefined) {
    const form = divided.forms.find(([form]) => form.test(args));
    return form?.[1] ?? divided.rest;
  }
  const beginning = () => BY_BEGINNING.find(([beginning]) => name.startsWith(beginning))?.[1];
  return BY_NAME.get(name) ?? beginning() ?? PLAIN;
}

/**
 * Whether a wrapper's arguments may start, move or connect calls: by a command that can, with
 * whatever stands behind it, or by what is filled in later.
 */
export function mayWrapCalls(args: string): boolean {
  if (/\$\{|\\/.test(args)) return true;
  return args.toLowerCase().split(/[^\w.]+/).some((word) =>
    (BY_NAME.get(word)?.placesCalls ?? false) || (DIVIDED.get(word)?.rest.placesCalls ?? false) ||
    (DIVIDED.get(word)?.forms.some(([, { placesCalls }]) => placesCalls) ?? false)
  );
}

/** What an API command of each danger can do, the worst first. */
export const DANGERS: Readonly<Record<ApiDanger, string>> = {
  code: "can run code, or read and write files",
  wrapper: "can run other commands",
  switch: "can end or change FreeSWITCH itself",
  secrets: "can reveal secrets",
};

/** Endpoints that run a dialplan of the sender's choice, call many, or open a file or an address. */
const INDIRECT = "(?:loopback|group|vlc)/";
const INDIRECT_ENDPOINT = new RegExp(`^${INDIRECT}`, "i");

/** Whether an endpoint does more than call one phone or line. */
export function isIndirectEndpoint(endpoint: string): boolean {
  return INDIRECT_ENDPOINT.test(endpoint);
}

const LEG = "[A-Za-z0-9][\\w.@:-]*";
const NUMBER = "[\\w+*#][\\w+*#.-]*";
const CONTEXT = "[\\w.-]+";
/** Behind a number: of dialplans only the one that has extensions. */
const DIALPLAN = `(?: +XML(?: +${CONTEXT})?)?`;
const DUAL_NUMBER = `${NUMBER}(?:/XML(?:/${CONTEXT})?)?`;
const HOST = "[\\w.-]+(?::\\d{1,5})?";
const ENDPOINT = `(?!${INDIRECT}|\\S*:_:)` + "[A-Za-z][\\w.]{0,31}(?:/[\\w.+*#@:-]+)+" +
  "(?:\\[[0-9A-Fa-f:.]{2,45}\\](?::\\d{1,5})?)?(?:;transport=(?:udp|tcp|tls|wss?)|;user=phone)*";
/** Without an extension FreeSWITCH adds the codec's; another one may be that of a stream. */
const SOUND = "/?(?:[\\w-][\\w.-]*/)*" +
  "(?:[\\w-]+|[\\w-][\\w.-]*\\.(?:wav|mp3|ogg|oga|opus|flac|au|aiff?|gsm|raw|ul|al|pcm[ua]|g722))";
/** Keys to be pressed: in a menu, they may dial. */
const KEYS = `${LEG} +[0-9A-Dw*#]+(?:@\\d+)?`;
const WHEN = "[+@]?\\d+";

/** The arguments that only name legs, numbers, contexts and sounds, by command. */
const PLAIN_CALL_ARGUMENTS: ReadonlyMap<string, RegExp> = new Map(
  Object.entries({
    conference: `${CONFERENCE} +(?:(?:bg)?dial +${ENDPOINT}(?: +${NUMBER}(?: +[\\w.+-]+)?)?` +
      `|transfer +${CONFERENCE}(?: +\\d+)+)`,
    callcenter_config: "agent +set +(?:status|state) +[\\w.@-]+ +(?:'[A-Za-z ()]+'|[A-Za-z]+)",
    group_call: "[\\w.-]+(?:@[\\w.-]+)?(?:\\+[AFE])?",
    sched_broadcast: `${WHEN} +${LEG} +${SOUND}(?: +(?:aleg|bleg|both))?`,
    sched_transfer: `${WHEN} +${LEG} +${NUMBER}${DIALPLAN}`,
    uuid_bridge: `${LEG} +${LEG}(?: +${LEG})?`,
    uuid_broadcast: `${LEG} +${SOUND}(?: +(?:aleg|bleg|both|holdb))?`,
    uuid_deflect: `${LEG} +sips?:${NUMBER}@${HOST}`,
    uuid_dual_transfer: `${LEG} +${DUAL_NUMBER} +${DUAL_NUMBER}`,
    uuid_limit: `${LEG} +\\w+ +[\\w.-]+ +[\\w.-]+(?: +\\d+(?:/\\d+)?(?: +${NUMBER}${DIALPLAN})?)?`,
    uuid_park: LEG,
    uuid_recv_dtmf: KEYS,
    uuid_send_dtmf: KEYS,
    uuid_redirect: `${LEG} +sips?:${NUMBER}@${HOST}`,
    uuid_simplify: LEG,
    uuid_transfer: `${LEG}(?: +-(?:bleg|both))? +${NUMBER}${DIALPLAN}`,
  }).map(([name, pattern]) => [name, new RegExp(`^(?:${pattern})$`, "i")]),
);

/**
 * Whether the arguments of a command that starts, moves or connects calls do no more than name
 * legs, numbers, contexts, single endpoints and sounds: no application, inline dialplan, variable,
 * loopback, group or address of a file. Those of `originate` are looked at elsewhere.
 */
export function isPlainCallArguments(command: string, args: string): boolean {
  return PLAIN_CALL_ARGUMENTS.get(command.toLowerCase())?.test(args) ?? false;
}

const SOUND_FILE = new RegExp(`^${SOUND}$`, "i");

/**
 * Whether this is a file of this machine's for FreeSWITCH to play. With a scheme it could be an
 * address or a program, and so it could with an extension that is not a sound's
 * (`switch_core_perform_file_open`).
 */
export function isSoundFile(path: string): boolean {
  return SOUND_FILE.test(path);
}

/**
 * Whether FreeSWITCH's event socket takes this for the command to unload or reload itself: wherever
 * these words stand in what it is sent, that is what it does (`parse_command` of mod_event_socket).
 */
export function endsEventSocket(text: string): boolean {
  const lower = text.toLowerCase();
  return lower.includes("mod_event_socket") && /unload|reload/.test(lower);
}

/** Commands whose arguments are names of calls, modules, users and settings, or numbers. */
const NAMING_COMMANDS: ReadonlySet<string> = new Set(
  `banner break callcenter_break create_uuid domain_exists fifo_check_bridge getcputime
  global_getvar hostname in_group interface_ip limit_status limit_usage list_users load
  module_exists nat_map pause reload reloadacl reloadcert reloadxml sched_del sched_hangup show
  shutdown sofia sofia_contact sofia_count_reg status switchname unload unsched_api uptime
  user_data user_exists uuid_answer uuid_audio uuid_break uuid_bridge uuid_buglist uuid_dump
  uuid_exists uuid_flush_dtmf uuid_getvar uuid_hold uuid_jitterbuffer uuid_kill uuid_loglevel
  uuid_media uuid_media_reneg uuid_park uuid_pause uuid_pre_answer uuid_ring_ready
  uuid_session_heartbeat uuid_simplify valet_info verto_contact version`.split(/\s+/),
);

/**
 * Whether what stands behind this command may be shown in a log: names, legs and numbers, and never
 * a password, a text or the digits that somebody keys in. For what starts or moves calls see
 * {@linkcode isPlainCallArguments} too.
 */
export function hasPlainArguments(command: string): boolean {
  return NAMING_COMMANDS.has(command.toLowerCase());
}
