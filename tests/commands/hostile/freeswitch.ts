/**
 * How FreeSWITCH 1.11 reads what it is told, as far as it has to do with `originate`: a small model
 * of its own, so that what fsmqtt sends is not judged by what fsmqtt thinks.
 *
 * @module
 */

const ESCAPED: Readonly<Record<string, string>> = {
  "'": "'",
  '"': '"',
  "\\": "\\",
  n: "\n",
  r: "\r",
  t: "\t",
  s: " ",
};

/**
 * Parts of a text (`switch_separate_string`): between runs of spaces, or at each delimiter. A text
 * may choose another delimiter for itself.
 *
 * @param most The last of so many parts is all that is left.
 */
export function separate(text: string, delimiter: string, most: number): string[] {
  const [start = "", chosen = delimiter] = /^\^\^(.)(?=.)/su.exec(text) ?? [];
  const isBlank = chosen === " ";
  const parts: string[] = [];
  let left = text.slice(start.length);
  while (left !== "") {
    const end = parts.length + 1 < most ? endOfPart(left, chosen, isBlank) : left.length;
    parts.push(clean(left.slice(0, end), isBlank ? undefined : chosen));
    left = left.slice(end + 1);
    if (isBlank) left = left.replace(/^ +/, "");
  }
  return parts;
}

/** A delimiter counts neither behind a backslash nor within quotes. */
function endOfPart(text: string, delimiter: string, isBlank: boolean): number {
  let isQuoted = false;
  let at = isBlank ? text.length - text.replace(/^ +/, "").length : 0;
  for (; at < text.length; at++) {
    const sign = text.charAt(at);
    if (sign === "\\") at++;
    else if (sign === "'") isQuoted = !isQuoted && (isBlank || text.includes("'", at + 1));
    else if (sign === delimiter && !isQuoted) return at;
  }
  return text.length;
}

/**
 * Takes away quotes, what is escaped, and the spaces around what is neither
 * (`cleanup_separated_string`).
 */
function clean(part: string, delimiter: string | undefined): string {
  let cleaned = "";
  let length = 0;
  let isQuoted = false;
  const text = part.replace(/^ +/, "");
  for (let at = 0; at < text.length; at++) {
    const sign = text.charAt(at);
    const next = text.charAt(at + 1);
    const meant = next !== "" && next === delimiter ? next : ESCAPED[next];
    if (sign === "\\" && meant !== undefined) {
      at++;
      cleaned += meant;
      length = cleaned.length;
    } else if (sign === "'" && (isQuoted || text.includes("'", at + 1))) {
      isQuoted = !isQuoted;
      if (isQuoted) length = cleaned.length;
    } else {
      cleaned += sign;
      if (sign !== " " || isQuoted) length = cleaned.length;
    }
  }
  // Where nothing but spaces is left, they stay.
  return length === 0 ? cleaned : cleaned.slice(0, length);
}

/** A variable as it is set. */
export interface Variable {
  readonly name: string;
  /** FreeSWITCH takes no notice of what has none. */
  readonly value: string | undefined;
}

/** What an originate does. */
export interface Call {
  /** All variables that are set, whatever block they stand in. */
  readonly variables: readonly Variable[];
  /** All that are called. */
  readonly endpoints: readonly string[];
  /** What runs, if it is an application; a transfer to an extension otherwise. */
  readonly app?: { readonly name: string; readonly args: string };
  readonly extension?: string;
  readonly dialplan?: string;
  readonly context?: string;
  readonly callerIdName?: string;
  readonly callerIdNumber?: string;
  readonly timeout?: string;
}

/** Reads what stands behind `originate` (`originate_function`); or says what FreeSWITCH would. */
export function readOriginate(args: string): Call | { readonly usage: true } {
  const parts = separate(args, " ", 10);
  if (parts.length < 2 || parts.length > 7) return { usage: true };
  const [dialString = "", extension = "", ...rest] = parts;
  const [dialplan, context, callerIdName, callerIdNumber, timeout] = rest.map((part) =>
    part.toLowerCase() === "undef" ? undefined : part
  );
  const optional = { dialplan, context, callerIdName, callerIdNumber, timeout };
  return {
    ...readDialString(dialString),
    ...readExtension(extension),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
}

/** An application ends at the first parenthesis that closes; nothing behind it counts. */
function readExtension(extension: string): Pick<Call, "app" | "extension"> {
  const [, name, args = ""] = /^&([^(]+)(?:\(([^)]*))?/s.exec(extension) ?? [];
  return name === undefined ? { extension } : { app: { name, args } };
}

/** `switch_ivr_enterprise_originate` and `switch_ivr_originate`. */
function readDialString(text: string): Pick<Call, "variables" | "endpoints"> {
  const variables: Variable[] = [];
  const endpoints: string[] = [];
  for (const one of text.split(":_:")) {
    const left = withoutBlocks(one, ["<>", "{}"], variables).replace(/^ +/, "");
    for (const inTurn of separate(left, "|", 128)) {
      for (const atOnce of separate(inTurn, ",", 128)) {
        endpoints.push(withoutBlocks(atOnce, ["[]"], variables));
      }
    }
  }
  return { variables, endpoints };
}

function withoutBlocks(text: string, kinds: readonly string[], variables: Variable[]): string {
  let left = text.replace(/^ +/, "");
  for (const [open = "", close = ""] of kinds) {
    while (left.startsWith(open)) {
      const end = closing(left, open, close);
      variables.push(...readBlock(left.slice(1, end)));
      left = left.slice(end + 1);
    }
  }
  return left;
}

/** Brackets are counted, whatever is quoted. */
function closing(text: string, open: string, close: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text.charAt(at) === open) depth++;
    if (text.charAt(at) === close && --depth === 0) return at;
  }
  return text.length;
}

/** `switch_event_create_brackets`. */
function readBlock(content: string): Variable[] {
  return separate(content, ",", 1024).map((pair) => {
    const [name = "", value] = separate(pair, "=", 2);
    return { name, value };
  });
}

/** The name and the arguments that `bgapi` takes from a line (`api_exec`). */
export function readBgapi(line: string): { readonly name: string; readonly args: string } {
  const [, name = "", args = ""] = /^([^ ]*)(?: (.*))?$/s.exec(line) ?? [];
  const space = "[ \\t\\n\\v\\f\\r]+";
  return { name, args: args.replace(new RegExp(`^${space}|${space}$`, "g"), "") };
}
