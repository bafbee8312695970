/**
 * Recorded events as bytes with holes, so that firing one is a copy and a few short writes.
 *
 * @module
 */

import { bytesOf } from "./byte_string.ts";
import type { CoreIdentity, Instant } from "./core.ts";
import {
  type EventContent,
  type EventHeader,
  type FiredEvent,
  frameHead,
  headerValue,
  parseEventJson,
  serializeJson,
  serializePlain,
  urlEncode,
} from "./event.ts";

/** What fills the holes of one event. */
export interface Filling {
  /** Who fires it. */
  readonly identity: CoreIdentity;
  /** `Event-Sequence`. */
  readonly sequence: number;
  /** The values of the holes, by their names; shared by the events of one call. */
  readonly values: ReadonlyMap<string, HoleValue>;
}

/** A value as bytes, in each format. */
export interface HoleValue {
  /** In JSON. */
  readonly json: Uint8Array;
  /** In a plain event. */
  readonly plain: Uint8Array;
}

/** Makes the bytes of a value; the value holds nothing that JSON would escape. */
export function holeValue(text: string): HoleValue {
  const json = bytesOf(text);
  const encoded = urlEncode(text);
  return { json, plain: encoded === text ? json : bytesOf(encoded) };
}

/** The values of the holes that hold one moment. */
export function instantValues(index: number, instant: Instant): [string, HoleValue][] {
  return [
    [`us:${index}`, holeValue(instant.microseconds)],
    [`s:${index}`, holeValue(instant.seconds)],
    [`local:${index}`, holeValue(instant.local)],
    [`gmt:${index}`, holeValue(instant.gmt)],
  ];
}

/** A hole stands in a header as one character above 0xFF, which no byte string contains. */
const FIRST_HOLE = 0x100;

interface Slot {
  readonly hole: string;
  readonly at: number;
}

interface Baked {
  readonly bytes: Uint8Array;
  readonly slots: readonly Slot[];
}

/** The headers in which each core writes something of its own. */
const CORE_HEADERS: Readonly<Record<string, string>> = {
  "Core-UUID": "core",
  "FreeSWITCH-Hostname": "hostname",
  "FreeSWITCH-Switchname": "switchname",
  "Event-Sequence": "sequence",
};

/** One recorded event. */
export class EventTemplate {
  readonly #content: EventContent;
  readonly #holes: { name: string; recorded: string }[] = [];
  readonly #baked = new Map<string, Baked>();
  readonly #slab: FrameSlab;
  /** What `Event-Name` says. */
  readonly name: string;
  /** What `Event-Subclass` says. */
  readonly subclass: string | undefined;

  /**
   * The template of a recorded event; `holeFor` names the hole for a header's value, or nothing
   * where the value stays as recorded.
   */
  constructor(
    content: EventContent,
    holeFor: (name: string, value: string) => string | undefined,
    slab: FrameSlab,
  ) {
    this.#slab = slab;
    this.name = headerValue(content, "Event-Name") ?? "CUSTOM";
    this.subclass = headerValue(content, "Event-Subclass");
    const headers = content.headers.map(([name, value]): EventHeader => {
      if (typeof value !== "string") return [name, value];
      const hole = CORE_HEADERS[name] ?? holeFor(name, value);
      if (hole === undefined) return [name, value];
      this.#holes.push({ name: hole, recorded: value });
      return [name, String.fromCharCode(FIRST_HOLE + this.#holes.length - 1)];
    });
    this.#content = { ...content, headers };
  }

  /** The event with its holes filled; bytes are made only when a listener takes it. */
  fill(filling: Filling): FiredEvent {
    const content = () => parseEventJson(bodyOf(this.#frame("json", filling)));
    const frame = (format: "plain" | "json") => this.#frame(format, filling);
    return { name: this.name, subclass: this.subclass, content, frame };
  }

  #frame(format: "plain" | "json", filling: Filling): Uint8Array {
    const baked = this.#bake(format, filling);
    const frame = this.#slab.copyOf(baked.bytes);
    for (const { hole, at } of baked.slots) {
      const value = filling.values.get(hole);
      if (value !== undefined) frame.set(value[format], at);
      else if (hole === "sequence") writeDigits(frame, at, filling.sequence);
    }
    return frame;
  }

  /** All frames of one core with as many digits in the sequence are of one length. */
  #bake(format: "plain" | "json", { identity, sequence }: Filling): Baked {
    const digits = `${sequence}`.length;
    const key = [format, digits, identity.uuid, identity.hostname, identity.switchname].join("\n");
    let baked = this.#baked.get(key);
    if (baked === undefined) {
      baked = this.#layOut(format, identity, digits);
      this.#baked.set(key, baked);
    }
    return baked;
  }

  #layOut(format: "plain" | "json", identity: CoreIdentity, digits: number): Baked {
    const fixed: Record<string, string> = {
      core: identity.uuid,
      hostname: identity.hostname,
      switchname: identity.switchname,
      sequence: "0".repeat(digits),
    };
    const text = format === "json" ? serializeJson(this.#content) : serializePlain(this.#content);
    const slots: Slot[] = [];
    let body = "";
    for (const character of text) {
      const hole = this.#holes[character.charCodeAt(0) - FIRST_HOLE];
      if (hole === undefined) {
        body += character;
        continue;
      }
      const value = fixed[hole.name] ?? hole.recorded;
      if (!(hole.name in fixed) || hole.name === "sequence") {
        slots.push({ hole: hole.name, at: body.length });
      }
      body += format === "json" ? value : urlEncode(value);
    }
    const head = frameHead(body.length, format);
    return {
      bytes: bytesOf(head + body),
      slots: slots.map((slot) => ({ ...slot, at: slot.at + head.length })),
    };
  }
}

function bodyOf(frame: Uint8Array): Uint8Array {
  let end = 0;
  while (frame[end] !== 10 || frame[end + 1] !== 10) end++;
  return frame.subarray(end + 2);
}

function writeDigits(bytes: Uint8Array, at: number, number: number): void {
  const digits = `${number}`;
  for (let i = 0; i < digits.length; i++) bytes[at + i] = digits.charCodeAt(i);
}

const SLAB_BYTES = 1024 * 1024;

/**
 * Gives out memory from large blocks, one frame behind the other: frames that follow each other
 * in a listener's queue then go to the socket in one write without being copied again.
 */
export class FrameSlab {
  #block = new Uint8Array(0);
  #used = 0;

  /** A copy of `bytes` of its own. */
  copyOf(bytes: Uint8Array): Uint8Array {
    if (this.#used + bytes.length > this.#block.length) {
      this.#block = new Uint8Array(Math.max(SLAB_BYTES, bytes.length));
      this.#used = 0;
    }
    const copy = this.#block.subarray(this.#used, this.#used + bytes.length);
    copy.set(bytes);
    this.#used += bytes.length;
    return copy;
  }
}
