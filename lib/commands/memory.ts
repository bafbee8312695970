/**
 * What must be known of the commands that came, over a restart: which ids were used, and how many
 * calls were started.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { fileFault } from "../file_fault.ts";
import { Deque } from "../queue/deque.ts";
import { ExpiringIds } from "./expiring_ids.ts";
import { Journal, readJournal } from "./journal.ts";

/** How a {@linkcode CommandMemory} is kept. */
export interface CommandMemoryOptions {
  /** The wall clock for ids, the other one for calls. */
  readonly clock: Clock;
  /** Hears what is wrong with the file, each trouble once. */
  readonly complain: (text: string) => void;
  /**
   * So many ids are remembered at most.
   * @default 100_000
   */
  readonly maxIds?: number;
  /**
   * So many of one owner, so that nobody uses up the room of all.
   * @default 50_000
   */
  readonly maxIdsOfOwner?: number;
  /**
   * So many calls are remembered at most.
   * @default 100_000
   */
  readonly maxCalls?: number;
}

const MAX_IDS = 100_000;
const MAX_IDS_OF_OWNER = 50_000;
const MAX_CALLS = 100_000;
const DAY_MS = 86_400_000;
/**
 * So long beyond its time an id is kept, and from a start on, so that a clock that is put right does
 * not make it usable again.
 */
const GRACE_MS = 3_600_000;

/** A call that was started. */
interface Call {
  readonly name: string;
  /** When, by the clock that never runs backwards. */
  readonly startedAt: number;
}

/** What a line of the file says. */
interface Line {
  readonly kind: "id" | "call";
  /** Until when the id is taken, or when the call was started; milliseconds since 1970. */
  readonly timeMs: number;
  /** The id, or the name that the call was started under. */
  readonly text: string;
  /** Whose the id is. */
  readonly owner?: string;
}

/**
 * What outlives a restart of the commands that came: ids that were used, and calls that were
 * started.
 *
 * Ids end by the wall clock. One that is set forward makes them end early, as when a machine starts
 * in 1970 and learns the time later. One that is set back makes none usable again that ended less
 * than an hour before, nor one that a clock ahead of its time had made end early, if that was within
 * this process or it began less than an hour ago. That holds as long as there is room: for a new id,
 * those go whose time is over.
 *
 * Calls are counted by the clock that never runs backwards; only how long ago those before a restart
 * were is told by the wall clock, and those that it puts into the future count as just started.
 */
export class CommandMemory {
  readonly #clock: Clock;
  readonly #maxIds: number;
  readonly #maxIdsOfOwner: number;
  readonly #maxCalls: number;
  readonly #ids = new ExpiringIds();
  /** The oldest first. */
  readonly #calls = new Deque<Call>();
  readonly #callsByName = new Map<string, number>();
  #journal: Journal | undefined;

  private constructor(options: CommandMemoryOptions) {
    this.#clock = options.clock;
    this.#maxIds = options.maxIds ?? MAX_IDS;
    this.#maxIdsOfOwner = options.maxIdsOfOwner ?? MAX_IDS_OF_OWNER;
    this.#maxCalls = options.maxCalls ?? MAX_CALLS;
  }

  /**
   * Reads `file` and goes on with it; it is made with its folder where it is missing, and readable
   * to nobody else. Without one everything is forgotten at the end of the process. This never
   * throws: a file that cannot be read is told and left alone; one that cannot be written is told,
   * and tried again every 10 s.
   */
  static open(file: string | undefined, options: CommandMemoryOptions): CommandMemory {
    const memory = new CommandMemory(options);
    if (file !== undefined) memory.#openFile(file, options.complain);
    return memory;
  }

  /**
   * Claims an id for an owner, until `untilMs` (wall clock, milliseconds since 1970):
   *
   * - `used`: it was claimed before, by whomever, and its time is not over
   * - `full`: no more can be remembered, in all or for this owner
   * - `new`: it is remembered. If {@linkcode isLasting} then, a kill -9 does not forget it, and a
   *   power cut does not a moment later (nothing waits for the disk).
   */
  claim(id: string, untilMs: number, owner = ""): "new" | "used" | "full" {
    const now = this.#wallMs;
    this.#forgetIds(now);
    const known = this.#ids.get(id);
    if (known !== undefined && now < known.untilMs) return "used";
    if (known === undefined && !this.#makeRoom(now, owner)) return "full";
    const timeMs = Math.ceil(untilMs);
    this.#remember({ timeMs, text: id, owner }, now);
    this.#journal?.append(lineOf({ kind: "id", timeMs, text: id, owner }));
    return "new";
  }

  /** Takes a claim back that is not lasting: nothing was done under it. */
  release(id: string): void {
    this.#ids.delete(id);
  }

  /** Whether what was claimed and noted so far outlives the process. */
  get isLasting(): boolean {
    return this.#journal?.isLasting ?? false;
  }

  /**
   * How many calls were started under this name within the last 24 hours; `Infinity` while no more
   * can be remembered.
   */
  callsInADay(name: string): number {
    this.#forgetCalls();
    if (this.#calls.length >= this.#maxCalls) return Infinity;
    return this.#callsByName.get(name) ?? 0;
  }

  /** Notes that a call was started now, as durably as a claim. */
  noteCall(name: string): void {
    this.#forgetCalls();
    if (this.#calls.length >= this.#maxCalls) return;
    this.#addCall({ name, startedAt: this.#clock.now() });
    this.#journal?.append(lineOf({ kind: "call", timeMs: this.#wallMs, text: name }));
  }

  /**
   * Lets go of the file. Resolves when the disk has everything, which need not be waited for.
   */
  async close(): Promise<void> {
    await this.#journal?.close();
  }

  #openFile(path: string, complain: (text: string) => void): void {
    try {
      this.#read(path, complain);
    } catch (error) {
      complain(
        `Cannot read ${path}: ${fileFault(error)}. Commands that come are remembered in memory ` +
          "alone: a restart forgets them",
      );
      return;
    }
    const content = {
      size: () => this.#ids.size + this.#calls.length,
      lines: () => this.#lines(),
    };
    this.#journal = Journal.begin({ path, content, clock: this.#clock, complain });
  }

  #read(path: string, complain: (text: string) => void): void {
    const now = this.#wallMs;
    const calls: Call[] = [];
    let unreadable = 0;
    for (const text of readJournal(path, complain)) {
      const line = parseLine(text);
      if (line === undefined) unreadable++;
      else if (line.kind === "id") this.#readId(line, now);
      else this.#readCall(line, now, calls);
    }
    calls.sort((a, b) => a.startedAt - b.startedAt);
    for (const call of calls) this.#addCall(call);
    if (unreadable === 0) return;
    complain(`Cannot read ${unreadable} of the lines of ${path}: what stood there is forgotten`);
  }

  #readId(line: Line, now: number): void {
    // If its time is over, the clock may be ahead.
    this.#remember(line, now);
    if (this.#ids.size > this.#maxIds) this.#ids.shift();
  }

  #readCall({ text, timeMs }: Line, now: number, calls: Call[]): void {
    const ageMs = Math.max(0, now - timeMs);
    if (ageMs >= DAY_MS || calls.length >= this.#maxCalls) return;
    calls.push({ name: text, startedAt: this.#clock.now() - ageMs });
  }

  #remember({ text: id, timeMs: untilMs, owner = "" }: Omit<Line, "kind">, now: number): void {
    const keptUntil = this.#clock.now() + Math.max(0, untilMs - now) + GRACE_MS;
    this.#ids.put({ id, owner, untilMs, keptUntil });
  }

  /** Of both clocks, the one that may be wrong alone makes nothing forgotten. */
  #forgetIds(now: number): void {
    for (;;) {
      const { first } = this.#ids;
      if (first === undefined || now < first.untilMs + GRACE_MS) return;
      if (this.#clock.now() < first.keptUntil) return;
      this.#ids.shift();
    }
  }

  /** Whether there is room for one more id of an owner. */
  #makeRoom(now: number, owner: string): boolean {
    const isFull = () =>
      this.#ids.size >= this.#maxIds || this.#ids.countOf(owner) >= this.#maxIdsOfOwner;
    while (isFull()) {
      const { first } = this.#ids;
      if (first === undefined || now < first.untilMs) return false;
      this.#ids.shift();
    }
    return true;
  }

  #addCall(call: Call): void {
    this.#calls.push(call);
    this.#callsByName.set(call.name, (this.#callsByName.get(call.name) ?? 0) + 1);
  }

  #forgetCalls(): void {
    const dayAgo = this.#clock.now() - DAY_MS;
    for (;;) {
      const { first } = this.#calls;
      if (first === undefined || dayAgo < first.startedAt) return;
      this.#calls.shift();
      const left = (this.#callsByName.get(first.name) ?? 0) - 1;
      if (left > 0) this.#callsByName.set(first.name, left);
      else this.#callsByName.delete(first.name);
    }
  }

  get #wallMs(): number {
    return this.#clock.date().getTime();
  }

  /** Everything that is remembered. */
  *#lines(): Generator<string> {
    for (const { id, untilMs, owner } of this.#ids) {
      yield lineOf({ kind: "id", timeMs: untilMs, text: id, owner });
    }
    const wallMs = this.#wallMs - this.#clock.now();
    for (const { name, startedAt } of this.#calls) {
      yield lineOf({ kind: "call", timeMs: Math.round(wallMs + startedAt), text: name });
    }
  }
}

/** Texts are JSON, so that they hold no tab and no line end, and that their end is seen. */
function lineOf({ kind, timeMs, text, owner = "" }: Line): string {
  const texts = owner === "" ? [text] : [text, owner];
  return [kind, timeMs, ...texts.map((each) => JSON.stringify(each))].join("\t");
}

/** What a line says, if all of it is there. */
function parseLine(line: string): Line | undefined {
  const match = /^(id|call)\t(\d{1,15})\t("[^\t]*")(?:\t("[^\t]*"))?$/.exec(line);
  const [, kind, time, text = "", owner] = match ?? [];
  if (kind !== "id" && kind !== "call") return undefined;
  try {
    return {
      kind,
      timeMs: Number(time),
      text: JSON.parse(text),
      ...(owner === undefined ? {} : { owner: JSON.parse(owner) }),
    };
  } catch {
    return undefined;
  }
}
