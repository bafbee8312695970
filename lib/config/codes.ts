/**
 * Every kind of finding, with what it means. `docs/reference.md` lists them from here.
 *
 * @module
 */

/** What each code of a finding means. Codes are stable: scripts may look for them. */
export const codes = {
  "unreadable-file": "A file cannot be read.",
  "not-utf8": "A file holds bytes that are not UTF-8.",
  "malformed-xml": "A file is not well-formed XML.",
  "doctype": "A file has a DOCTYPE, which is refused: it could define entities.",
  "wrong-root": "A file is not a configuration of mosquitto.",
  "pre-process": "An X-PRE-PROCESS lacks something or is of no known kind.",
  "not-run": "An X-PRE-PROCESS would run a program or ask a server; it is skipped.",
  "unset-variable": "A `$${name}` has no value, or none that can be known outside FreeSWITCH.",
  "include-nothing": "An include matches no file.",
  "include-cycle": "A file includes itself, perhaps through others.",
  "unusable-freeswitch-file": "FreeSWITCH's vars.xml or event_socket.conf.xml cannot be used.",
  "unknown-element": "An element means nothing where it stands.",
  "unknown-attribute": "An attribute means nothing where it stands.",
  "missing-attribute": "An element lacks an attribute that it needs.",
  "stray-text": "Text stands where only elements mean something.",
  "unknown-parameter": "A parameter means nothing in its section.",
  "misspelling": "A name or value of mod_mosquitto's documentation that was misspelt there.",
  "wrong-value": "A value is not of the parameter's kind.",
  "doubtful-value": "A value is read in a way that its writer may not expect.",
  "repeated-parameter": "A parameter is given more than once; the last one counts.",
  "unknown-template": "A `${name}` is neither `${hostname}` nor `${switchname}`.",
  "secret-file": "The file of a secret cannot be used.",
  "secret-twice": "A secret is given both as a value and as a file.",
  "missing-parameter": "A parameter is missing that its section needs.",
  "duplicate-name": "Two sections of a kind have the same name.",
  "default-esl-password": "FreeSWITCH's own default password is used for the event socket.",
  "unknown-connection": "A topic names a connection that its profile does not have.",
  "duplicate-client-id": "Two connections would push each other off the same broker.",
  "lost-session": "A lasting session is asked for under a client id that changes at each start.",
  "unused-password": "A broker password is given without a user name.",
  "reconnect-delays": "The first wait between reconnects is longer than the longest.",
  "unreachable-topic": "An enabled topic cannot run, since something around it is disabled.",
  "no-event": "A publisher's topic names no event, so it never publishes.",
  "repeated-event": "A publisher's topic names an event twice.",
  "loop": "What is published would come back as a command.",
  "duplicate-subscription": "A connection subscribes to the same pattern twice.",
  "overlapping-subscriptions": "A broker may deliver one message to two subscriptions.",
  "command-runs-twice": "Two connections to one broker would both take the same command.",
  "will-without-topic": "A will is enabled but has no topic.",
  "commands-authorized": "A broker may run commands in FreeSWITCH.",
  "tls-without-support": "TLS is enabled without saying how the broker is known.",
  "tls-not-enabled": "TLS settings are given, but TLS is not enabled.",
  "tls-without-ca": "TLS with certificates has no CA to verify them with.",
  "tls-half-a-key": "Only one of certfile and keyfile is given.",
  "tls-psk": "TLS with a pre-shared key lacks the key or the identity, or the key is not hex.",
  "tls-advanced-options": "A TLS setting has no effect without advanced_options.",
  "tls-not-verified": "The broker's certificate is not verified.",
  "unwritable-folder": "A log or state folder cannot be written.",
} as const;

/** A code of a finding. */
export type FindingCode = keyof typeof codes;
