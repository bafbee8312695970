/**
 * Commands as MQTT messages carry them.
 *
 * @module
 */

/** A command that may be asked for. What may run is decided elsewhere. */
export interface CommandRequest {
  /** The word that the message begins with. */
  readonly kind: "bgapi" | "originate";
  /** What FreeSWITCH gets as `bgapi <command>`. */
  readonly command: string;
  /** The Job-UUID that the sender chose. */
  readonly uuid?: string;
}

/** A message that is no command, and why. */
export interface NoCommand {
  /** Why not. */
  readonly refusal: string;
}

/** A command may be this long in bytes. FreeSWITCH takes 16 MiB; nobody needs that. */
const MAX_COMMAND_BYTES = 64 * 1024;

/** Control characters, C1 included, and Unicode's line and paragraph separators. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads a message:
 *
 * - `bgapi <command> [args]`
 * - `bgapi uuid:<id> <command> [args]`, the id of letters, digits and `-`, at most 36
 * - `originate <aleg> <exten>|&app(args) [dialplan] [context] [cid_name] [cid_num] [timeout]`
 *
 * The first word is taken in any case, as mod_mosquitto does.
 */
export function parseCommand(payload: Uint8Array): CommandRequest | NoCommand {
  if (payload.length > MAX_COMMAND_BYTES) {
    return { refusal: `it is longer than ${MAX_COMMAND_BYTES} bytes` };
  }
  let text: string;
  try {
    text = decoder.decode(payload);
  } catch {
    return { refusal: "it is not valid UTF-8" };
  }
  if (CONTROL.test(text)) {
    return { refusal: "it holds a control character, such as a line end" };
  }
  const [, word = "", rest = ""] = /^(bgapi|originate)(?: +(.*))?$/i.exec(text) ?? [];
  switch (word.toLowerCase()) {
    case "bgapi":
      return parseBgapi(rest.trim());
    case "originate":
      return parseOriginate(rest.trim());
    default:
      return { refusal: "it begins with neither `bgapi` nor `originate`" };
  }
}

function parseBgapi(rest: string): CommandRequest | NoCommand {
  if (!rest.startsWith("uuid:")) {
    return rest === ""
      ? { refusal: "`bgapi` has no command after it" }
      : { kind: "bgapi", command: rest };
  }
  const [, uuid, command] = /^uuid:([A-Za-z0-9-]{1,36}) +(\S.*)$/.exec(rest) ?? [];
  if (uuid === undefined || command === undefined) {
    return {
      refusal: "`uuid:` needs 1 to 36 letters, digits or `-`, and a command after it",
    };
  }
  return { kind: "bgapi", command, uuid };
}

function parseOriginate(rest: string): CommandRequest | NoCommand {
  if (!/^\S+.* \S/.test(rest)) {
    return { refusal: "`originate` needs an endpoint, and an extension or application after it" };
  }
  return { kind: "originate", command: `originate ${rest}` };
}
