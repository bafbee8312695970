/**
 * What goes over the wire when commands come over MQTT: the documents that a sender writes, and
 * those that answer it. All are JSON in UTF-8.
 *
 * Fields are added over time; none is renamed or removed without a new major version. Who reads an
 * answer leaves alone what it does not know; a request with a field that is not here is refused.
 *
 * @module
 */

/** A command as JSON. Repeated keys are refused, and so is what is not named here. */
export type CommandDocument = BgapiDocument | OriginateDocument;

/** What every command may hold beside itself. */
export interface Envelope {
  /**
   * The sender's own name for the command: 1 to 128 letters, digits and `-_.:`, or a whole number. It
   * comes back as a text in each answer, and a second command of the same id on the same topic does
   * not run.
   */
  readonly id?: string | number;
  /**
   * When it was asked for: ISO 8601 with a time zone (`2026-11-23T08:15:00Z`), or seconds since
   * 1970. Older than `max_command_age`, it does not run.
   */
  readonly issued_at?: string | number;
  /** Who says to have sent it, for the audit log: anybody can write anything here. */
  readonly sender?: string;
}

/** Runs an API command. */
export interface BgapiDocument extends Envelope {
  /** Which kind of command it is. */
  readonly command: "bgapi";
  /** The API command and its arguments: `show calls`. */
  readonly args: string;
}

/** Starts a call. */
export type OriginateDocument = OriginateText | OriginateFields;

/** An originate as FreeSWITCH's console takes it. */
export interface OriginateText extends Envelope {
  /** Which kind of command it is. */
  readonly command: "originate";
  /** What stands behind `originate`. */
  readonly args: string;
}

/** An originate in parts, none of which needs quotes. Either `app` or `destination` is there. */
export interface OriginateFields extends Envelope {
  /** Which kind of command it is. */
  readonly command: "originate";
  /** Who is called: `user/1000`. */
  readonly endpoint: string;
  /** Channel variables of the call. */
  readonly variables?: Readonly<Record<string, string | number | boolean>>;
  /** The application that the call runs: `park`. */
  readonly app?: string;
  /** Its arguments. */
  readonly app_args?: string;
  /** The extension that the call is sent to. */
  readonly destination?: string;
  /** Its context; FreeSWITCH takes `default`. */
  readonly context?: string;
  /** The name shown to who is called. */
  readonly caller_id_name?: string;
  /** The number shown to who is called. */
  readonly caller_id_number?: string;
  /** How long it rings, in seconds; FreeSWITCH takes 60. */
  readonly timeout?: number;
}

/** A command with a signature, where the topic has an `hmac_key`; nothing else runs there. */
export interface SignedDocument {
  /** A {@linkcode CommandDocument} as text; `id` and `issued_at` have to be in it. */
  readonly signed: string;
  /**
   * HMAC-SHA256 in hexadecimal digits of {@linkcode SIGNATURE_PREFIX}, the MQTT topic, a line feed,
   * and the text of `signed`, all in UTF-8.
   */
  readonly signature: string;
}

/** Tells what is signed here from what is signed elsewhere with the same key. */
export const SIGNATURE_PREFIX = "fsmqtt-command-1\n";

/**
 * How far a command has come. Only `accepted` is followed by another answer.
 *
 * - `accepted`: FreeSWITCH has begun it.
 * - `succeeded`, `failed`: FreeSWITCH is done; `text` is what it says.
 * - `rejected`: nothing was begun; `reason` says why.
 * - `timed_out`: FreeSWITCH has not said within `command_timeout` what came of it.
 * - `unknown`: the connection to FreeSWITCH was lost; it may have run, or may yet.
 */
export type CommandState =
  | "accepted"
  | "succeeded"
  | "failed"
  | "rejected"
  | "timed_out"
  | "unknown";

/**
 * Why nothing was begun. What the owner allows is not told.
 *
 * - `malformed`: it is no command.
 * - `too_large`: it is longer than `max_command_bytes`.
 * - `retained`: the broker had stored it, or was to.
 * - `repeated`: the broker has delivered it before, or may have.
 * - `expired`: its time was over when it came (MQTT 5, message expiry interval).
 * - `stale`: its `issued_at` is too old, in the future, or missing where it is required.
 * - `unsigned`: it has no valid signature.
 * - `not_allowed`: this topic does not permit it.
 * - `duplicate`: a command of this id has come before.
 * - `rate_limited`, `busy`, `call_limit`: a limit is reached: commands a minute; commands under way,
 *   or what can be remembered of them; calls a day.
 * - `unavailable`: FreeSWITCH is not connected, or too far behind.
 */
export type RejectionReason =
  | "malformed"
  | "too_large"
  | "retained"
  | "repeated"
  | "expired"
  | "stale"
  | "unsigned"
  | "not_allowed"
  | "duplicate"
  | "rate_limited"
  | "busy"
  | "call_limit"
  | "unavailable";

/** An answer. */
export interface ReplyDocument {
  /** The command's `id`, or the one after `uuid:`; `null` if it had none. */
  readonly id: string | null;
  /** The FreeSWITCH that answers, by its switchname; `null` until fsmqtt has heard it. */
  readonly switchname: string | null;
  /** How far it has come. */
  readonly state: CommandState;
  /** When, in ISO 8601. */
  readonly time: string;
  /** Of what was `rejected`. */
  readonly reason?: RejectionReason;
  /** FreeSWITCH's Job-UUID, under which its BACKGROUND_JOB comes. */
  readonly job?: string;
  /** What FreeSWITCH says, as it says it. */
  readonly text?: string;
  /** Whether `text` is only the beginning. */
  readonly truncated?: true;
  /** Of an originate that failed: FreeSWITCH's hangup cause, such as `USER_BUSY`. */
  readonly cause?: string;
}
