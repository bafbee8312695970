/**
 * Users of `userauth`, and which commands of theirs run.
 *
 * @module
 */

/** A user of FreeSWITCH's directory with an `esl-password`. */
export interface SimulatedUser {
  /** The part before the `@`. */
  readonly user: string;
  /** The part behind it. */
  readonly domain: string;
  /** `esl-password`. */
  readonly password: string;
  /** `esl-allowed-events`, as written there; everything when not given. */
  readonly allowedEvents?: string;
  /** `esl-allowed-api`, as written there; everything when not given. */
  readonly allowedApi?: string;
  /** `esl-allowed-log`. @default {true} */
  readonly allowedLog?: boolean;
}

/** Who `userauth <text>` says to be, and whether he is. */
export function authenticateUser(
  users: readonly SimulatedUser[],
  text: string,
): SimulatedUser | undefined {
  const [login, after] = cut(text, "@");
  const [user, early] = cut(login, ":");
  const [domain, late] = cut(after ?? "", ":");
  const password = early ?? late;
  if (password === undefined || password === "") return undefined;
  const known = users.find((one) => one.user === user && one.domain === domain);
  return known?.password === password ? known : undefined;
}

/** The reply to a `userauth` that succeeded. */
export function userReply(user: SimulatedUser): string {
  return `Reply-Text: +OK accepted\nAllowed-Events: ${user.allowedEvents ?? "all"}\n` +
    `Allowed-API: ${user.allowedApi ?? "all"}\nAllowed-LOG: ${user.allowedLog ?? true}\n\n`;
}

/** Commands that run other commands: the one inside must be allowed as well. */
const WRAPPERS = new Set(["bgapi", "sched_api", "eval", "expand", "xml_wrap"]);

/** Whether `esl-allowed-api` lets the command through (`auth_api_command`). */
export function apiAllowed(user: SimulatedUser | undefined, command: string): boolean {
  if (user?.allowedApi === undefined) return true;
  const allowed = new Set(user.allowedApi.split(user.allowedApi.includes(" ") ? " " : ","));
  let [name, rest] = cut(command, " ");
  while (allowed.has(name)) {
    if (!WRAPPERS.has(name.toLowerCase()) || rest === undefined) return true;
    [name, rest] = cut(rest, " ");
  }
  return false;
}

function cut(text: string, mark: string): [before: string, after: string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
