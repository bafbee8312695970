/**
 * What an event holds, and its text as FreeSWITCH writes it for a listener.
 *
 * @module
 */

import { bytesOf, byteString } from "./byte_string.ts";

/** How a listener is given its events. */
export type EventFormat = "plain" | "json" | "xml";

/** A header: its name, and its value or, for `ARRAY::a|:b`, its values. All are byte strings. */
export type EventHeader = readonly [name: string, value: string | readonly string[]];

/** The headers of an event in their order, and its body; byte strings. */
export interface EventContent {
  /** The headers; a name may stand there twice. */
  readonly headers: readonly EventHeader[];
  /** The body, where there is one; it may be empty. */
  readonly body?: string;
}

/** An event on its way to the listeners. */
export interface FiredEvent {
  /** What `Event-Name` says. */
  readonly name: string;
  /** What `Event-Subclass` says, where there is one. */
  readonly subclass?: string | undefined;
  /** What a filter sees. */
  content(): EventContent;
  /** The whole frame for a listener of that format. */
  frame(format: "plain" | "json"): Uint8Array;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function quote(text: string): string {
  // deno-lint-ignore no-control-regex -- exactly these are what cJSON escapes
  const escaped = text.replace(/["\\\x00-\x1f]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, "0");
    return ESCAPES[character] ?? `\\u${code}`;
  });
  return `"${escaped}"`;
}

/** The event as `event json` sends it (switch_event_serialize_json). */
export function serializeJson(content: EventContent): string {
  const members = content.headers.map(([name, value]) =>
    `${quote(name)}:${typeof value === "string" ? quote(value) : `[${value.map(quote).join()}]`}`
  );
  if (content.body !== undefined) {
    members.push(`"Content-Length":"${content.body.length}"`, `"_body":${quote(content.body)}`);
  }
  return `{${members.join()}}`;
}

// Characters above 0xFF are the holes of a template and stay.
// deno-lint-ignore no-control-regex -- exactly these are what FreeSWITCH encodes
const URL_UNSAFE = /%(?![0-9A-F]{2})|[\x00-\x20#&+:;<=>?@[\\\]^`{|}"\x7f-\xff]/g;

/** `switch_url_encode`: a `%` that two upper-case hex digits follow is taken for encoded already. */
export function urlEncode(text: string): string {
  return text.replace(
    URL_UNSAFE,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

/** The event as `event plain` sends it (switch_event_serialize). */
export function serializePlain(content: EventContent): string {
  const lines = content.headers.map(([name, value]) => {
    const flat = typeof value === "string" ? value : flatten(value);
    return `${name}: ${flat === "" ? "_undef_" : urlEncode(flat)}\n`;
  });
  const body = content.body ?? "";
  const tail = body === "" ? "\n" : `Content-Length: ${body.length}\n\n${body}`;
  return lines.join("") + tail;
}

function flatten(values: readonly string[]): string {
  return values.length === 1 ? values[0] ?? "" : `ARRAY::${values.join("|:")}`;
}

const JSON_STRING = /"(?:[^"\\]|\\.)*"/y;

/** Reads the JSON of one event as FreeSWITCH wrote it: repeated names and raw bytes are kept. */
export function parseEventJson(bytes: Uint8Array): EventContent {
  const text = byteString(bytes);
  let at = 0;
  const expect = (character: string) => {
    if (text[at] !== character) {
      throw new SyntaxError(`Cannot read event: ${character} expected at byte ${at}`);
    }
    at++;
  };
  const string = (): string => {
    JSON_STRING.lastIndex = at;
    const match = JSON_STRING.exec(text);
    if (match === null) throw new SyntaxError(`Cannot read event: string expected at byte ${at}`);
    at = JSON_STRING.lastIndex;
    return JSON.parse(match[0]) as string;
  };
  const list = <T>(open: string, close: string, item: () => T): T[] => {
    const items: T[] = [];
    expect(open);
    while (text[at] !== close) {
      if (items.length > 0) expect(",");
      items.push(item());
    }
    expect(close);
    return items;
  };
  const headers = list("{", "}", (): EventHeader => {
    const name = string();
    expect(":");
    return [name, text[at] === "[" ? list("[", "]", string) : string()];
  });
  const last = headers.at(-1);
  if (last?.[0] !== "_body" || typeof last[1] !== "string") return { headers };
  return { headers: headers.slice(0, -2), body: last[1] };
}

/** The first value of a header, its name in any case, as `switch_event_get_header` finds it. */
export function headerValue(content: EventContent, name: string): string | undefined {
  const wanted = name.toLowerCase();
  const header = content.headers.find(([candidate]) => candidate.toLowerCase() === wanted);
  if (header === undefined) return undefined;
  return typeof header[1] === "string" ? header[1] : flatten(header[1]);
}

/** The header lines before the body of an event frame. */
export function frameHead(length: number, format: EventFormat): string {
  return `Content-Length: ${length}\nContent-Type: text/event-${format}\n\n`;
}

function frameOf(body: Uint8Array, format: EventFormat): Uint8Array {
  const head = bytesOf(frameHead(body.length, format));
  const frame = new Uint8Array(head.length + body.length);
  frame.set(head);
  frame.set(body, head.length);
  return frame;
}

/** An event made header by header. */
export class ContentEvent implements FiredEvent {
  readonly #content: EventContent;
  readonly #frames = new Map<string, Uint8Array>();
  /** What `Event-Name` says. */
  readonly name: string;
  /** What `Event-Subclass` says. */
  readonly subclass: string | undefined;

  /** An event named `name` with that content. */
  constructor(name: string, content: EventContent) {
    this.name = name;
    this.#content = content;
    this.subclass = headerValue(content, "Event-Subclass");
  }

  /** What it was made of. */
  content(): EventContent {
    return this.#content;
  }

  /** The whole frame, made once for each format. */
  frame(format: "plain" | "json"): Uint8Array {
    let frame = this.#frames.get(format);
    if (frame === undefined) {
      const text = format === "json" ? serializeJson(this.#content) : serializePlain(this.#content);
      frame = frameOf(bytesOf(text), format);
      this.#frames.set(format, frame);
    }
    return frame;
  }
}

/** An event whose JSON bytes go out as they were given. */
export class RawEvent implements FiredEvent {
  readonly #bytes: Uint8Array;
  #json: Uint8Array | undefined;
  /** What `Event-Name` says. */
  readonly name: string;
  /** What `Event-Subclass` says. */
  readonly subclass: string | undefined;

  /** The event of those bytes; they need be JSON only for listeners of another format. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const text = byteString(bytes);
    this.name = /"Event-Name":"([^"]*)"/.exec(text)?.[1] ?? "CUSTOM";
    this.subclass = /"Event-Subclass":"([^"]*)"/.exec(text)?.[1];
  }

  /** The headers that the bytes hold. */
  content(): EventContent {
    return parseEventJson(this.#bytes);
  }

  /** The bytes in a frame, or the same event written plainly. */
  frame(format: "plain" | "json"): Uint8Array {
    if (format === "plain") return frameOf(bytesOf(serializePlain(this.content())), format);
    return this.#json ??= frameOf(this.#bytes, format);
  }
}
