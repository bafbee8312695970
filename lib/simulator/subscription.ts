/**
 * Which events one listener is given: `event`, `nixevent`, `noevents` and `filter` as
 * mod_event_socket takes them.
 *
 * @module
 */

import { EVENT_NAMES } from "../protocol/event_names.ts";
import { type EventFormat, type FiredEvent, headerValue } from "./event.ts";

const KNOWN = new Set([...EVENT_NAMES, "ALL"]);
const FORMATS: ReadonlySet<string> = new Set<EventFormat>(["plain", "json", "xml"]);

/** `switch_name_event`: any case, and any 13 characters before (meant for `SWITCH_EVENT_`). */
export function eventNamed(word: string): string | undefined {
  const name = word.toUpperCase();
  if (KNOWN.has(name)) return name;
  const tail = name.slice(13);
  return KNOWN.has(tail) ? tail : undefined;
}

/** What `esl-allowed-events` of a user lets through. */
export class AllowedEvents {
  /** The names, `ALL` for every one. */
  readonly names: Set<string> = new Set();
  /** The subclasses of CUSTOM, which `ALL` does not include. */
  readonly subclasses: Set<string> = new Set();

  /** Reads the parameter: separated by spaces or else by commas, subclasses behind `CUSTOM`. */
  constructor(text: string) {
    let custom = false;
    for (const word of text.split(text.includes(" ") ? " " : ",")) {
      const name: string | undefined = custom ? undefined : eventNamed(word);
      if (custom) this.subclasses.add(word);
      else if (name !== undefined) this.names.add(name);
      custom ||= name === "CUSTOM";
    }
  }

  /** Whether an event of that name may be asked for. */
  permits(name: string): boolean {
    return this.names.has("ALL") || this.names.has(name);
  }
}

/** What one listener has asked for. */
export class Subscription {
  #format: EventFormat = "plain";
  #enabled = false;
  #all = false;
  readonly #names = new Set<string>();
  readonly #subclasses = new Set<string>();
  readonly #known: () => Iterable<string>;
  #filters: (readonly [name: string, value: string])[] = [];
  /** What the user may ask for; everything when not set. */
  allowed: AllowedEvents | undefined;

  /** Nothing asked for yet; `known` gives the subclasses that `ALL` adds. */
  constructor(known: () => Iterable<string>) {
    this.#known = known;
  }

  /** The format that the last `event` command named. */
  get format(): EventFormat {
    return this.#format;
  }

  /** Whether any `event` command was accepted and no `noevents` followed. */
  get enabled(): boolean {
    return this.#enabled;
  }

  /** The names asked for. */
  get names(): readonly string[] {
    return [...this.#names];
  }

  /** The subclasses of CUSTOM asked for. */
  get subclasses(): readonly string[] {
    return [...this.#subclasses];
  }

  /** `event [plain|json|xml] <names…>`: adds to what is there. */
  event(command: string): string {
    let keys = 0;
    let custom = false;
    for (const [index, word] of words(command).entries()) {
      const format = word.toLowerCase();
      if (index === 0 && FORMATS.has(format)) {
        this.#format = format as EventFormat;
        continue;
      }
      if (custom) {
        if (this.allowed?.subclasses.has(word) === false) return "-ERR permission denied";
        this.#subclasses.add(word);
        continue;
      }
      const name = eventNamed(word);
      if (name === undefined) continue;
      if (this.allowed?.permits(name) === false) return "-ERR permission denied";
      keys++;
      if (name === "ALL") this.#addAll();
      else this.#names.add(name);
      custom = name === "CUSTOM";
    }
    if (keys === 0) return "-ERR no keywords supplied";
    this.#enabled = true;
    return `+OK event listener enabled ${this.#format}`;
  }

  #addAll(): void {
    this.#all = true;
    for (const name of EVENT_NAMES) this.#names.add(name);
    for (const subclass of this.allowed?.subclasses ?? this.#known()) {
      this.#subclasses.add(subclass);
    }
  }

  /** `nixevent <names…>`. */
  nixevent(command: string): string {
    let keys = 0;
    let custom = false;
    for (const word of words(command)) {
      if (custom) {
        this.#subclasses.delete(word);
        continue;
      }
      const name = eventNamed(word);
      if (name === undefined) continue;
      keys++;
      if (name === "CUSTOM") {
        custom = true;
        continue;
      }
      this.#all = false;
      if (name === "ALL") this.#names.clear();
      else this.#names.delete(name);
    }
    if (keys === 0) return "-ERR no keywords supplied";
    this.#enabled = true;
    return "+OK events nixed";
  }

  /** `noevents`. */
  noevents(): string {
    if (!this.#enabled) return "-ERR not listening for events";
    this.#enabled = false;
    this.#all = false;
    this.#names.clear();
    this.#subclasses.clear();
    return "+OK no longer listening for events";
  }

  /** `filter [add] <header> <value>` and `filter delete <header>|all [<value>]`. */
  filter(command: string): string {
    let [name, value] = split(command.slice("filter ".length).replace(/^ +/, ""));
    if (value === undefined) return "-ERR invalid syntax";
    const verb = name.toLowerCase();
    if (verb === "delete") {
      [name, value] = split(value);
      this.#deleteFilters(name, value);
      return `+OK filter deleted. [${name}][${value ?? ""}]`;
    }
    if (verb === "add") [name, value] = split(value);
    if (value !== undefined && value !== "") this.#filters.push([name, value]);
    return `+OK filter added. [${name}]=[${value ?? "(null)"}]`;
  }

  #deleteFilters(name: string, value: string | undefined): void {
    const doomed = name.toLowerCase();
    if (doomed === "all") this.#filters = [];
    this.#filters = this.#filters.filter(([candidate, comparison]) =>
      candidate.toLowerCase() !== doomed || (value !== undefined && comparison !== value)
    );
  }

  /** Whether an event of that name and subclass was asked for; filters aside. */
  wants(name: string, subclass?: string): boolean {
    if (!this.#enabled) return false;
    if (this.#all) return true;
    if (!this.#names.has(name)) return false;
    return name !== "CUSTOM" || subclass === undefined || this.#subclasses.has(subclass);
  }

  /** Whether this event goes to the listener. */
  takes(event: FiredEvent): boolean {
    return this.wants(event.name, event.subclass) &&
      (this.#filters.length === 0 || this.#passesFilters(event));
  }

  /** Once there is a filter, what none of them names is kept back. */
  #passesFilters(event: FiredEvent): boolean {
    const content = event.content();
    let passes = false;
    for (const [name, comparison] of this.#filters) {
      const value = headerValue(content, name);
      if (value === undefined) continue;
      const sign = /^[-+ ]*/.exec(comparison)?.[0] ?? "";
      const positive = sign.lastIndexOf("-") <= sign.lastIndexOf("+");
      if (!matches(value, comparison.slice(sign.length), comparison.startsWith("/"))) continue;
      if (!positive) return false;
      passes = true;
    }
    return passes;
  }
}

function matches(value: string, comparison: string, isRegex: boolean): boolean {
  if (!isRegex) return value.toLowerCase() === comparison.toLowerCase();
  const end = comparison.lastIndexOf("/");
  return new RegExp(comparison.slice(1, Math.max(end, 1))).test(value);
}

function words(command: string): string[] {
  const space = command.indexOf(" ");
  return space < 0 ? [] : command.slice(space + 1).split(" ");
}

function split(text: string): [first: string, rest: string | undefined] {
  const space = text.indexOf(" ");
  return space < 0 ? [text, undefined] : [text.slice(0, space), text.slice(space + 1)];
}
