/**
 * What must not be sent to FreeSWITCH's event socket.
 *
 * @module
 */

import { endsEventSocket } from "../protocol/api_commands.ts";

/** LF, CR or NUL would end a line early and add headers to the command (mod_event_socket.c). */
const BREAKS_A_LINE = /[\n\r\0]/;
/** Where they are asked for, FreeSWITCH takes them for what they are. */
const MEANT = /^bgapi (unload|reload) mod_event_socket$/i;

/**
 * Why FreeSWITCH would not run a command as it stands, or `undefined` if it would. It may
 * take it for another one by what stands anywhere in it, headers included: in an argument of
 * `originate`, say.
 *
 * @param line The command.
 * @param headers Its headers, `Name: value` each.
 */
export function lineFault(line: string, ...headers: string[]): string | undefined {
  const whole = [line, ...headers].join("\n");
  if ([line, ...headers].some((text) => BREAKS_A_LINE.test(text))) return "holds LF, CR or NUL";
  if (!endsEventSocket(whole)) return undefined;
  return MEANT.test(line) && !/unload|reload/i.test(headers.join("\n"))
    ? undefined
    : "FreeSWITCH takes for `reload mod_event_socket`";
}
