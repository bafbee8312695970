/**
 * How the event socket fails.
 *
 * @module
 */

/**
 * - `unreachable`: no connection, or no answer in time.
 * - `refused`: FreeSWITCH said no to the password or the address; a person must mend that.
 * - `lost`: the connection ended.
 * - `protocol`: what came is no event socket stream, or over a limit.
 * - `rejected`: FreeSWITCH answered a command with `-ERR`.
 */
export type EslErrorKind = "unreachable" | "refused" | "lost" | "protocol" | "rejected";

/** A failure of the event socket. The message says what could not be done, and why. */
export class EslError extends Error {
  /** Its name, for logs. */
  override readonly name: string = "EslError";

  /** Makes one; `answer` is what FreeSWITCH said, where it said something. */
  constructor(readonly kind: EslErrorKind, message: string, readonly answer?: string) {
    super(message);
  }
}

/** Whether FreeSWITCH's answer says that a command failed. */
export function isFailure(answer: string): boolean {
  return /^-(ERR|USAGE)/.test(answer);
}
