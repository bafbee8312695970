/** What the API commands of FreeSWITCH can do. */

import assert from "node:assert/strict";
import {
  endsEventSocket,
  hasPlainArguments,
  isPlainCallArguments,
  isSoundFile,
  powerOf,
} from "../../lib/protocol/api_commands.ts";

/** A power in words: its danger, `calls` if it places calls, `plain` if it is neither. */
function wordsFor(command: string, args: string): string {
  const { danger, placesCalls } = powerOf(command, args);
  return [danger, placesCalls ? "calls" : undefined].filter((word) => word !== undefined)
    .join(" ") || "plain";
}

/** All that FreeSWITCH 1.11 registers, but for what its arguments decide. */
const COMMANDS: Readonly<Record<string, string>> = {
  plain: `
    acl banner break callcenter_break console_complete console_complete_xml create_uuid db_cache
    distributor domain_exists echo enum_auto escape event_sink expr fifo_check_bridge getcputime
    gethost help host_lookup hostname in_group interface_allowlist_dump interface_ip is_lan_addr
    lcr_admin limit_hash_usage limit_status limit_usage list_users md5 memory module_exists
    multicast_peers osp pause pool_stats presence quote_shell_arg reg_url regex
    rtmp_contact say_string sched_hangup show skel_sayhi sofia_contact sofia_count_reg sofia_dig
    sofia_presence_data sofia_username_of spandsp_start_tone_detect spandsp_stop_tone_detect
    sql_escape start_tdd_detect status stop_tdd_detect strepoch strftime strftime_tz strmicroepoch
    switchname telecast tolower toupper translate uptime url_decode url_encode user_exists
    userspy_show uuid_answer uuid_audio uuid_break uuid_buglist uuid_capture_text uuid_chat
    uuid_codec_debug uuid_codec_param uuid_debug_media uuid_display uuid_drop_dtmf uuid_early_ok
    uuid_exists uuid_fileman uuid_flush_dtmf uuid_hold uuid_jitterbuffer uuid_kill uuid_loglevel
    uuid_media uuid_media_3p uuid_media_params uuid_media_reneg uuid_msrp_send
    uuid_outgoing_answer uuid_pause uuid_phone_event uuid_pre_answer uuid_preprocess
    uuid_recovery_refresh uuid_ring_ready uuid_send_info
    uuid_send_message uuid_send_tdd uuid_send_text uuid_session_heartbeat uuid_set_media_stats
    uuid_video_bandwidth uuid_video_bitrate uuid_video_refresh uuid_xfer_zombie uuid_zombie_exec
    valet_info version verto_contact vm_boxcount vm_fsdb_msg_count vm_fsdb_msg_get
    vm_fsdb_msg_list vm_fsdb_msg_save vm_fsdb_msg_undelete vm_fsdb_pref_greeting_get vm_list
    vm_read vmd xml_ldap`,
  code: `
    basic bg_spawn bg_system chromakey coalesce curl curl_sendfile cv_bug file_exists
    global_setvar hiredis_raw http_clear_cache http_get http_prefetch http_put http_remove_cache
    http_tryget jsapi jskill jsmon jsps jsrun load lua luarun managed managedlist managedreload
    managedrun mongo_find_n mongo_find_one mongo_mapreduce perl perlrun pyrun python reload spawn
    spawn_stream stun system tone_detect unload uuid_displace uuid_record uuid_setvar
    uuid_setvar_multi uuid_snapshot uuid_video_replace uuid_write_png vm_fsdb_pref_greeting_set
    vm_fsdb_pref_recname_set vm_inject voicemail_inject`,
  switch: `
    ... amqp amr_debug amrwb_debug cdr_csv cluechoo complete console fsctl httapi hupall
    limit_interval_reset limit_reset log msleep msrp opus_debug opusfile_debug reloadacl replace
    reloadcert reloadxml sched_del shutdown smpp_debug sndfile_debug time_test timer_test
    unsched_api uuid_limit_release vm_delete vm_fsdb_msg_delete vm_fsdb_msg_purge
    vm_fsdb_pref_password_set vpx xml_curl xml_flush_cache xml_scgi`,
  wrapper: `
    alias bgapi chat cond eval event_channel_broadcast expand json sched_api single_esl xml_wrap`,
  secrets: `
    domain_data find_user_xml getenv global_getvar hash_dump sofia_gateway_data user_data
    uuid_dump uuid_getvar vm_fsdb_auth_login vm_fsdb_msg_email vm_fsdb_msg_forward vm_prefs
    xml_locate`,
  calls: `
    alsa fifo_add_outbound fifo_member group_call originate page sched_broadcast sched_transfer
    skel smpp_send uuid_bridge uuid_broadcast uuid_deflect uuid_dual_transfer uuid_limit uuid_park uuid_recv_dtmf uuid_send_dtmf
    uuid_redirect uuid_simplify uuid_transfer`,
};

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

/** Commands whose arguments decide, with what these make of them. */
const DIVIDED: readonly (readonly [command: string, power: string, args: readonly string[]])[] = [
  ["conference", "plain", [
    "list",
    "count",
    "xml_list",
    "json_list",
    "json_list compact",
    "help",
    "3000 list",
    "3000 LIST",
    "3000  count",
    "3000 kick all",
    "3000 kick 2",
    "3000 hup last",
    "3000 mute all quiet",
    "3000 tmute 1",
    "3000 say hello there",
    "3000 energy 1 300",
    "3000 moh off",
    "3000 enter_sound none",
    "3000 exit_sound off",
    "3000 recording stop all",
    "3000 norecord all",
    "3000 hold 1",
    "3000 unhold 1",
    "3000 pin 1234",
    "3000 lock",
    "3000 getvar x",
    "3000-127.0.0.1 list",
    "3000 relate 1 2 nospeak",
    "commands",
    "list summary",
    "list count",
    "json_list pretty",
    "3000 moh on",
    "3000 moh toggle",
    "3000 enter_sound on",
    "3000 recording check",
    "3000 recording pause x",
    "3000 recording resume x",
  ]],
  ["conference", "calls", [
    "3000 dial user/1000",
    "3000 DIAL {a=b}user/1000",
    "3000  bgdial  sofia/gateway/x/1",
    "3000 transfer 3001 1 2",
    "list dial user/1000",
    "count bgdial user/1000",
    "help dial user/1000",
    "3000@default dial user/1000",
  ]],
  ["conference", "code", [
    "3000 play shell_stream://id",
    "3000 PLAY /etc/x.wav",
    "3000 record /etc/x.wav",
    "3000 recording start /x.wav",
    "3000 kick 2 shell_stream://id",
    "3000 hold 1 http://x/y.wav",
    "3000 moh http://x/y.mp3",
    "3000 enter_sound file /x.wav",
    "3000 exit_sound file /x.wav",
    "3000 set sound_prefix /x",
    "3000 setvar a b",
    "3000 vid-write-png /x.png",
    "3000 vid-fgimg /x.png",
    "3000 vid-bgimg x",
    "3000 vid-mute-img 1 x",
    "3000 vid-logo-img 1 x",
  ]],
  ["conference", "code calls", [
    "3000 'dial' user/1000",
    "'3000' dial user/1000",
    "3000 d\\ial user/1000",
    "^^|3000|dial|user/1000",
    "3000 something",
    "a'b dial x",
  ]],
  ["callcenter_config", "plain", [
    "agent list",
    "agent get status a",
    "queue list members q",
    "queue count",
    "tier list",
    "",
    "QUEUE LIST",
  ]],
  ["callcenter_config", "switch", ["queue reload q", "queue unload q", "queue load q"]],
  ["callcenter_config", "calls", [
    "agent set contact a {x=y}user/1000",
    "agent add a Callback",
    "tier add q a 1 1",
    "agent set status a Available",
    "'queue' reload q",
    "agent reload a",
    "agent del a",
  ]],
  ["sofia", "plain", [
    "",
    "status",
    "status profile internal reg",
    "xmlstatus gateway x",
    "JSONSTATUS",
    "help",
    "xmlstatus",
    "jsonstatus",
  ]],
  ["sofia", "switch", [
    "profile internal stop",
    "profile internal killgw x",
    "global siptrace on",
    "loglevel all 9",
    "recover",
    "'profile' internal stop",
    "statusx",
    "tracelevel debug",
  ]],
  ["verto", "plain", ["status", "help", "xmlstatus", "jsonstatus"]],
  ["verto", "switch", ["perm x y z", "debug 10", "announce x"]],
  ["skinny", "plain", ["status profile x", "help"]],
  ["skinny", "switch", ["profile x kill_all", "profile x set a b"]],
  ["rtmp", "plain", ["status profile x"]],
  ["rtmp", "switch", ["profile x stop", "session x login a@b"]],
  ["erlang", "plain", ["listeners", "handlers", "sessions x", "bindings"]],
  ["erlang", "switch", ["debug on"]],
  ["ftdm", "plain", ["list", "dump 1", "help"]],
  ["ftdm", "switch", ["stop 1"]],
  ["signalwire", "plain", ["adopted"]],
  ["signalwire", "secrets", ["token", "reload"]],
  ["nat_map", "plain", ["status"]],
  ["nat_map", "switch", ["add 22 tcp", "republish", "status add"]],
  ["av", "plain", ["show codecs"]],
  ["av", "switch", ["debug 9"]],
  ["avmd", "plain", ["show", "9d1a start", "9d1a stop"]],
  ["avmd", "switch", ["set default", "reload", "load inbound"]],
  ["blacklist", "plain", ["check list 1000", "help"]],
  ["blacklist", "switch", ["add list 1000", "del list 1000", "save list", "reload"]],
  ["distributor_ctl", "plain", ["dump x"]],
  ["distributor_ctl", "switch", ["reload", "modify x a=0"]],
  ["enum", "plain", ["+4930123", "4930123 e164.arpa"]],
  ["enum", "switch", ["reload", "'reload'"]],
  ["fifo", "plain", ["list", "list_verbose x", "count", "status", "has_outbound", "importance x"]],
  ["fifo", "switch", ["reparse del_all", "debug 9"]],
  ["local_stream", "plain", ["show", "show moh as xml"]],
  ["local_stream", "switch", ["stop moh", "start moh", "hup moh", "vol moh 1", "reload moh"]],
  ["nibblebill", "plain", ["9d1a check", "9d1a heartbeat 60"]],
  ["nibblebill", "switch", ["9d1a pause", "9d1a adjust 100", "9d1a reset"]],
  ["voicemail", "plain", ["rss"]],
  ["voicemail", "switch", ["unload default", "reload default reloadxml"]],
  ["prefix", "plain", ["get x 49"]],
  ["prefix", "code", ["load x /etc/passwd", "drop x", "reload"]],
  ["cidlookup", "plain", ["+4930123", "4930123 skipurl verbose", "4930123 skipcitystate"]],
  ["cidlookup", "secrets", ["status", "1' or '1"]],
  ["lcr", "plain", ["4930123", "4930123 default 1000 intrastate as xml"]],
  ["lcr", "code", ["4930123 default 1'--"]],
  ["easyroute", "plain", ["4930123 dialstring"]],
  ["easyroute", "code", ["1' or '1'='1"]],
  ["db", "plain", ["select/a/b", "exists/a/b", "count/a", "list/a"]],
  ["db", "switch", ["insert/a/b/c", "delete/a/b", "'insert'/a/b/c"]],
  ["hash", "plain", ["select/a/b"]],
  ["hash", "switch", ["insert/a/b/c", "insert_ifempty/a/b/c", "delete/a/b"]],
  ["hash_remote", "plain", ["list"]],
  ["hash_remote", "switch", ["kill x", "rescan"]],
  ["memcache", "plain", ["get x", "status verbose", "getflags x"]],
  ["memcache", "switch", ["flush", "set a b", "delete a"]],
  ["group", "plain", ["call:sales", "CALL:sales:order"]],
  ["group", "code", ["insert:sales:{a=b}loopback/x", "delete:sales:*"]],
];

/** What a conference can be told that names no file, with a member or value behind it. */
const HARMLESS_IN_CONFERENCE = `
  agc auto-3d-position auto-energy cam canvas-auto-clear chkrecord clear-vid-floor count deaf
  energy file-vol file_seek floor get get-uuid getvar hold hup json_list kick list lock max-energy
  mute nopin norecord pause pause_play pin play_status position relate resume say saymember stop
  tmute tvblind tvmute undeaf unhold unlock unmute unvblind unvmute vblind vid-banner
  vid-bandwidth vid-border vid-canvas vid-codec-group vid-filter vid-flip vid-floor vid-fps
  vid-layer vid-layout vid-personal vid-res vid-res-id vid-role-id vid-watching-canvas vmute
  vmute-snap volume_in volume_out xml_list`;

Deno.test("each API command of FreeSWITCH is known for what it can do", () => {
  for (const [power, names] of Object.entries(COMMANDS)) {
    for (const name of words(names)) {
      for (const args of ["", "x", "9386 XML default"]) {
        assert.equal(wordsFor(name, args), power, `${name} ${args}`);
      }
    }
  }
});

Deno.test("no API command stands in the table twice", () => {
  const names = Object.values(COMMANDS).flatMap(words);
  const divided = new Set(DIVIDED.map(([command]) => command));
  assert.equal(new Set(names).size, names.length);
  assert.deepEqual(names.filter((name) => divided.has(name)), []);
});

Deno.test("where a sub-command decides, its arguments are looked at", () => {
  for (const [command, power, list] of DIVIDED) {
    for (const args of list) {
      assert.equal(wordsFor(command, args), power, `${command} ${args}`);
    }
  }
});

Deno.test("a conference may be told what names no file", () => {
  for (const word of words(HARMLESS_IN_CONFERENCE)) {
    assert.equal(wordsFor("conference", `3000 ${word} 1`), "plain", word);
    assert.equal(wordsFor("conference", `3000 ${word}x 1`), "code calls", `${word}x`);
  }
});

Deno.test("a name is known in any case, and by its beginning where a whole family is meant", () => {
  assert.equal(wordsFor("SYSTEM", "id"), "code");
  assert.equal(wordsFor("Uuid_Transfer", "x 9386"), "calls");
  assert.equal(wordsFor("SoFiA", "profile x stop"), "switch");
  for (
    const name of "spawn_more luax LuaRun perlx pyx js javax managedx curl_x http_x mongo_x"
      .split(" ")
  ) {
    assert.equal(wordsFor(name, ""), "code", name);
  }
  assert.equal(wordsFor("gsmopen_sendsms", "x 1 y"), "calls");
});

Deno.test("commands of modules that FreeSWITCH does not have itself", () => {
  for (const name of ["mosquitto", "rayo"]) assert.equal(wordsFor(name, "x"), "wrapper", name);
  for (const name of ["pa", "gsm", "sk", "skypopen"]) {
    assert.equal(wordsFor(name, "x"), "calls", name);
  }
  for (const name of ["", "nosuch", "toString", "constructor", "__proto__", "systemd", "lu"]) {
    assert.equal(wordsFor(name, "x"), "plain", name);
  }
});

/** Arguments of commands that place calls, plain and otherwise. */
const CALL_ARGUMENTS: readonly {
  readonly command: string;
  readonly plain: readonly string[];
  readonly others: readonly string[];
}[] = [
  {
    command: "uuid_transfer",
    plain: [
      "9d1a-4f 9386",
      "9d1a 9386 XML",
      "9d1a 9386 xml default",
      "9d1a -bleg 9386 XML default",
      "9d1a  -both  *98#  XML  public",
      "a84b@192.168.1.1 +4930123",
    ],
    others: [
      "",
      "9d1a",
      "9d1a system:rm inline",
      "9d1a system:rm INLINE",
      "9d1a 9386 inline",
      "9d1a 9386 XML,inline default",
      "9d1a 9386 inline:system:id default",
      "9d1a 'system:rm -rf /' inline",
      "9d1a -both system:rm inline",
      "9d1a 9386 enum",
      "9d1a 9386 XML default inline",
      "9d1a ${system(id)}",
      "9d1a 9386 ${x}",
      "^^|9d1a|system:id|inline",
      "9d1a 93\\s86",
      "9d1a 9386 XML a/b",
    ],
  },
  {
    command: "uuid_dual_transfer",
    plain: ["9d1a 9386 9387", "9d1a 9386/XML/default 9387/XML", "9d1a 1/xml 2"],
    others: ["9d1a system:id/inline 9387", "9d1a 9386 9387/inline", "9d1a 9386/a,b 1", "9d1a 9386"],
  },
  {
    command: "uuid_bridge",
    plain: ["9d1a 8c2b", "9d1a 8c2b 7d3c"],
    others: ["9d1a", "9d1a {a=b}user/1000", "9d1a 8c2b 7d3c 6e4d", "9d1a 'x'"],
  },
  {
    command: "uuid_broadcast",
    plain: [
      "9d1a ivr/ivr-welcome.wav",
      "9d1a /sounds/a.b/x.mp3 both",
      "9d1a tone aleg",
      "9d1a x bleg",
      "9d1a x holdb",
    ],
    others: [
      "9d1a system::id",
      "9d1a system::id both",
      "9d1a playback!user_busy::x.wav",
      "9d1a shell_stream://id",
      "9d1a http://192.0.2.1/x.wav",
      "9d1a x.shell_stream",
      "9d1a say:hello",
      "9d1a phrase:x",
      "9d1a ../../x.wav",
      "9d1a {a=b}x.wav",
      "9d1a x.wav!y.wav",
      "9d1a 'touch /tmp/x.wav'",
    ],
  },
  {
    command: "uuid_deflect",
    plain: ["9d1a sip:1000@192.168.1.1", "9d1a sips:+4930@example.com:5061"],
    others: ["9d1a", "9d1a sip:1000@x?Replaces=y", "9d1a http://x/", "9d1a sip:1@x;a=b"],
  },
  {
    command: "uuid_redirect",
    plain: ["9d1a sip:1000@192.168.1.1"],
    others: ["9d1a sip:1000@a,sip:1001@b", "9d1a"],
  },
  {
    command: "uuid_recv_dtmf",
    plain: ["9d1a 1", "9d1a *98#@200"],
    others: ["", "9d1a", "9d1a 1 2", "9d1a 1;2", "9d1a x"],
  },
  { command: "uuid_send_dtmf", plain: ["9d1a 1W2"], others: ["9d1a ${x}"] },
  { command: "uuid_park", plain: ["9d1a"], others: ["", "9d1a x", "all'"] },
  { command: "uuid_simplify", plain: ["9d1a"], others: ["", "9d1a x"] },
  {
    command: "uuid_limit",
    plain: ["9d1a hash in x 3", "9d1a hash in x 3/60 9386 XML default", "9d1a hash in x"],
    others: ["9d1a hash in x 3 system:id inline", "9d1a hash in x 3 !user_busy", "9d1a"],
  },
  {
    command: "sched_transfer",
    plain: ["+60 9d1a 9386", "1795400782 9d1a 9386 XML default"],
    others: ["+60 9d1a system:id inline", "9d1a 9386", "+60 9d1a 9386 XML,inline"],
  },
  {
    command: "sched_broadcast",
    plain: ["+60 9d1a ivr/x.wav", "@1795400782 9d1a x.wav both", "1 9d1a x aleg", "1 9d1a x bleg"],
    others: ["+60 9d1a system::id", "+60 9d1a shell_stream://id", "9d1a x.wav"],
  },
  {
    command: "group_call",
    plain: ["sales", "sales@example.com", "sales@example.com+F"],
    others: ["", "${x}", "sales+x", "a b"],
  },
  {
    command: "conference",
    plain: [
      "3000 dial user/1000",
      "3000@default BGDIAL sofia/internal/sip:1000@192.168.1.1:5060;transport=tcp 1234 Door",
      "3000 bgdial sofia/gateway/gw/+4930123 +4930124",
      "3000 dial sofia/internal/1000@[2001:db8::1]:5060",
      "3000 dial sofia/internal/1000@a;transport=udp",
      "3000 dial sofia/internal/1000@a;transport=tls",
      "3000 dial sofia/internal/1000@a;transport=wss;user=phone",
      "3000 transfer 3001 1 2",
    ],
    others: [
      "3000 dial {execute_on_answer=system}user/1000",
      "3000 dial [a=b]user/1000",
      "3000 dial <a=b>user/1000",
      "3000 dial loopback/system:id/default/inline",
      "3000 dial LOOPBACK/9386",
      "3000 dial group/sales",
      "3000 dial user/1000,user/1001",
      "3000 dial user/1000|user/1001",
      "3000 dial user/1000:_:user/1001",
      "3000 dial sofia/internal/1000@a;fs_path=sip:b",
      "3000 dial user/1000 1234 'A B'",
      "3000 dial user/${x}",
      "3000 dial user",
      "3000 dial",
      "3000+flags{mute} dial user/1000",
      "3000 transfer 3001",
      "3000 transfer 3001 all'",
      "3000 play x.wav",
    ],
  },
  {
    command: "callcenter_config",
    plain: ["agent set status 1000@x 'Available (On Demand)'", "agent set state 1000 Waiting"],
    others: [
      "agent set contact 1000 user/1000",
      "agent set status 1000 {a}",
      "tier add q a",
      "agent add a Callback",
    ],
  },
  { command: "originate", plain: [], others: ["user/1000 9386", "user/1000 &park"] },
  { command: "page", plain: [], others: ["(a=b)user/1000", "user/1000"] },
  { command: "fifo_member", plain: [], others: ["add x user/1000"] },
  { command: "system", plain: [], others: ["9d1a", "id"] },
];

for (const { command, plain, others } of CALL_ARGUMENTS) {
  Deno.test(`the arguments of ${command} are told apart: plain ones and others`, () => {
    for (const args of plain) {
      assert.equal(isPlainCallArguments(command, args), true, args);
      assert.equal(isPlainCallArguments(command.toUpperCase(), args), true, args);
      assert.equal(powerOf(command, args).placesCalls, true, args);
      assert.equal(powerOf(command, args).danger, undefined, args);
    }
    for (const args of others) assert.equal(isPlainCallArguments(command, args), false, args);
  });
}

Deno.test("what is plain holds nothing that FreeSWITCH would read as anything else", () => {
  const signs = [
    "'",
    '"',
    "\\",
    "$",
    "{",
    "}",
    "<",
    ">",
    "|",
    ",",
    "`",
    "\n",
    "\t",
    "\0",
    "^^",
    ";;",
  ];
  for (const { command, plain } of CALL_ARGUMENTS) {
    for (const args of plain.filter((args) => !args.includes("'"))) {
      for (let at = 0; at <= args.length; at++) {
        for (const sign of signs) {
          const text = args.slice(0, at) + sign + args.slice(at);
          // Around the whole FreeSWITCH takes white space away.
          if (text.trim() === args) continue;
          assert.equal(isPlainCallArguments(command, text), false, JSON.stringify(text));
        }
      }
    }
  }
});

Deno.test("a sound is a file of this machine's with a known extension or none", () => {
  const extensions = "wav mp3 ogg oga opus flac au aif aiff gsm raw ul al PCMU PCMA G722";
  const sounds = extensions.split(" ").map((extension) => `x.${extension}`);
  for (const path of [...sounds, "/a/b/x.MP3", "ivr/8000/ivr-welcome", "a.b/x.y.ogg"]) {
    assert.equal(isSoundFile(path), true, path);
  }
  for (
    const path of [
      "",
      "x.shell_stream",
      "/bin/touch /tmp/x.shell_stream",
      "/bin/touch /tmp/x.wav",
      "x.local_stream",
      "x.txt",
      "http://x/y.wav",
      "../x.wav",
      "a/../x.wav",
      "{a=b}x.wav",
      "x.wav!y.wav",
      "say:x",
      "x.wav\n",
    ]
  ) {
    assert.equal(isSoundFile(path), false, path);
  }
});

Deno.test("the words that unload or reload the event socket are seen wherever they stand", () => {
  for (
    const text of [
      "reload mod_event_socket",
      "echo MOD_EVENT_SOCKET UNLOAD",
      "echo preloaded xmod_event_socketx",
      "status\nJob-UUID: reload mod_event_socket",
    ]
  ) {
    assert.equal(endsEventSocket(text), true, text);
  }
  for (const text of ["reload mod_sofia", "module_exists mod_event_socket", "reloadxml"]) {
    assert.equal(endsEventSocket(text), false, text);
  }
});

/** Commands whose arguments are names and numbers. */
const SHOWN_IN_LOG = `
  banner break callcenter_break create_uuid domain_exists fifo_check_bridge getcputime
  global_getvar hostname in_group interface_ip limit_status limit_usage list_users load
  module_exists nat_map pause reload reloadacl reloadcert reloadxml sched_del sched_hangup show
  shutdown sofia sofia_contact sofia_count_reg status switchname unload unsched_api uptime
  user_data user_exists uuid_answer uuid_audio uuid_break uuid_bridge uuid_buglist uuid_dump
  uuid_exists uuid_flush_dtmf uuid_getvar uuid_hold uuid_jitterbuffer uuid_kill uuid_loglevel
  uuid_media uuid_media_reneg uuid_park uuid_pause uuid_pre_answer uuid_ring_ready
  uuid_session_heartbeat uuid_simplify valet_info verto_contact version`;

Deno.test("arguments that may hold secrets or texts are not for the log", () => {
  const shown = new Set(words(SHOWN_IN_LOG));
  const divided = DIVIDED.map(([command]) => command);
  for (const name of [...Object.values(COMMANDS).flatMap(words), ...divided, "nosuch"]) {
    assert.equal(hasPlainArguments(name), shown.has(name), name);
    assert.equal(hasPlainArguments(name.toUpperCase()), shown.has(name), name);
  }
});

Deno.test("what runs other commands never shows them in the log", () => {
  for (const name of words(COMMANDS["wrapper"] ?? "")) {
    assert.equal(hasPlainArguments(name), false, name);
  }
});
