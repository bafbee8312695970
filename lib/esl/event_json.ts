/**
 * Reads single headers out of an event's JSON without parsing it.
 *
 * FreeSWITCH's JSON is not always clean (raw bytes that are not UTF-8, repeated keys), and most of
 * it is nobody's business here. An unescaped `"Name":"` cannot occur inside a JSON string, so the
 * first one found is the header.
 *
 * @module
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Reads one header of an event; `undefined` if the event has no such header with text in it. */
export type HeaderReader = (event: Uint8Array) => string | undefined;

/** Makes a reader for the header of this name. */
export function headerReader(name: string): HeaderReader {
  const pattern = encoder.encode(`"${name}":"`);
  return (event) => {
    const start = indexAfter(event, pattern);
    if (start < 0) return undefined;
    let end = event.indexOf(QUOTE, start);
    while (end > 0 && isEscaped(event, end)) end = event.indexOf(QUOTE, end + 1);
    if (end < 0) return undefined;
    const text = decoder.decode(event.subarray(start, end));
    return text.includes("\\") ? unescape(text) : text;
  };
}

/** `Event-Name` */
export const eventName: HeaderReader = headerReader("Event-Name");
/** `Event-Subclass` of a CUSTOM event */
export const eventSubclass: HeaderReader = headerReader("Event-Subclass");
/** `Job-UUID` of a BACKGROUND_JOB */
export const jobUuid: HeaderReader = headerReader("Job-UUID");
/** `Core-UUID`, new at each start of FreeSWITCH */
export const coreUuid: HeaderReader = headerReader("Core-UUID");
/** `FreeSWITCH-Hostname` */
export const hostname: HeaderReader = headerReader("FreeSWITCH-Hostname");
/** `FreeSWITCH-Switchname` */
export const switchname: HeaderReader = headerReader("FreeSWITCH-Switchname");
/** `Event-Sequence`, which counts all events since FreeSWITCH's start, wanted or not */
export const eventSequence: HeaderReader = headerReader("Event-Sequence");
/** `Session-Since-Startup` of a HEARTBEAT: call legs since FreeSWITCH's start */
export const sessionsSinceStartup: HeaderReader = headerReader("Session-Since-Startup");
/** The event's body, such as the result of a BACKGROUND_JOB */
export const eventBody: HeaderReader = headerReader("_body");

function indexAfter(bytes: Uint8Array, pattern: Uint8Array): number {
  // Quotes are everywhere; the first letter of a name is not.
  const letter = pattern[1] ?? QUOTE;
  const last = bytes.length - pattern.length + 1;
  search:
  for (
    let at = bytes.indexOf(letter, 1);
    at > 0 && at <= last;
    at = bytes.indexOf(letter, at + 1)
  ) {
    for (let i = 0; i < pattern.length; i++) {
      if (bytes[at - 1 + i] !== pattern[i]) continue search;
    }
    return at - 1 + pattern.length;
  }
  return -1;
}

function isEscaped(bytes: Uint8Array, at: number): boolean {
  let backslashes = 0;
  while (bytes[at - 1 - backslashes] === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}

function unescape(text: string): string {
  try {
    return JSON.parse(`"${text}"`);
  } catch {
    return text;
  }
}
