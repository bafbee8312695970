/**
 * What was missed while no events came from FreeSWITCH, as far as it can be known.
 *
 * `Event-Sequence` counts every event since FreeSWITCH's start, wanted or not, and
 * `Session-Since-Startup` every call leg, so their jumps are upper bounds. Both begin anew with a
 * new `Core-UUID`. Sequences can run backwards on the wire by some dozens, so the highest of the
 * last ones counts, and what is missing closely below it may be lost too. What an event says is read
 * when the link is lost, not when the event comes.
 *
 * @module
 */

import { holdsAt } from "../bytes.ts";
import type { Clock } from "../clock.ts";
import { type GapStatus, missedIn } from "../control/status.ts";
import { sessionsSinceStartup } from "../esl/event_json.ts";
import { countIn, LastSequences, sequenceOf } from "./last_sequences.ts";

/** How far FreeSWITCH's counters had come when its events were last heard. */
export interface Heard {
  /** `Core-UUID`. */
  readonly coreUuid: string;
  /** When (ISO 8601); absent if fsmqtt was not ended in order since. */
  readonly until?: string | undefined;
  /** The highest `Event-Sequence`. */
  readonly sequence?: number | undefined;
  /** Sequences closely below it that were not heard: not wanted, or still on their way. */
  readonly holes?: number | undefined;
  /** Call legs since FreeSWITCH's start. */
  readonly callLegs?: number | undefined;
}

/** Gaps that go on in another agent of the process. */
export interface CarriedGaps {
  /** How many there were. */
  readonly count: number;
  /** The last one. */
  readonly last: GapStatus | undefined;
  /** How far FreeSWITCH's counters had come. */
  readonly known: Heard | undefined;
  /** The one that is open. */
  readonly open?: {
    /** When it began: the wall clock. */
    readonly from: Date | undefined;
    /** How long ago that was, in milliseconds, where it is known. */
    readonly elapsedMs: number | undefined;
    /** Why. */
    readonly reason: string;
  };
}

/** Who hears of gaps. */
export interface GapListener {
  /** Something to log, in a line. */
  missed(text: string): void;
  /** {@linkcode Gaps.count} or {@linkcode Gaps.last} changed. */
  changed(): void;
}

/** What makes a gap of the present silence. */
interface Opening {
  /** When it began: the wall clock. */
  readonly from: Date | undefined;
  /** When it began on the clock that nobody sets, if it was in this process. */
  readonly fromMs?: number;
  readonly reason: string;
  /** The line that is logged when it ends. */
  readonly told: (seconds: number | null) => string;
}

/** So far do sequences run backwards; 24 were seen. */
const DISORDER = 32;
/** Among so many events the first sequence is looked for. */
const SEARCHED = 100;
/** FreeSWITCH writes the name first in what it fires itself (`switch_event_create_subclass`). */
const BEAT = new TextEncoder().encode('{"Event-Name":"HEARTBEAT"');
const BEAT_LETTER_AT = 15;

/** Watches one FreeSWITCH's events for what is missing between them. */
export class Gaps {
  readonly #clock: Clock;
  readonly #listener: GapListener;
  /** Of the last events since they came again. */
  readonly #sequences = new LastSequences();
  #events = 0;
  #beat: Uint8Array | undefined;
  #first: number | undefined;
  /** Call legs as of the present connection's beginning. */
  #askedLegs: number | undefined;
  /** Of the present connection, once it is told. */
  #core: string | undefined;
  /** As of the last loss. */
  #known: Heard | undefined;
  #opening: Opening | undefined;
  #last: GapStatus | undefined;
  /** Whether the numbers of the last gap are still to come. */
  #isPending = false;
  /** How that gap began. */
  #pendingOpening: Opening | undefined;
  #count = 0;

  /** Knows of nothing yet. */
  constructor(clock: Clock, listener: GapListener) {
    this.#clock = clock;
    this.#listener = listener;
  }

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  /** The last one. */
  get last(): GapStatus | undefined {
    return this.#last;
  }

  /** What another agent in this process goes on with. */
  handOver(): CarriedGaps {
    const { from, fromMs, reason } = this.#opening ?? {};
    return {
      count: this.#count,
      last: this.#last,
      known: this.heard(),
      ...(reason === undefined
        ? {}
        : { open: { from, elapsedMs: fromMs && this.#clock.now() - fromMs, reason } }),
    };
  }

  /**
   * Goes on from the gaps that another agent in this process has seen. Where no events come although
   * that one had them, a gap begins.
   */
  takeOver({ count, last, known, open }: CarriedGaps, comes: boolean): void {
    this.#count = count;
    this.#last = last;
    if (open === undefined && comes) return;
    const now = { from: this.#clock.date(), elapsedMs: 0, reason: "fsmqtt changed threads" };
    const { from, elapsedMs, reason } = open ?? now;
    this.#known = known;
    this.#opening = {
      from,
      reason,
      told: missedSeconds,
      ...(elapsedMs === undefined ? {} : { fromMs: this.#clock.now() - elapsedMs }),
    };
  }

  /** Goes on from what an fsmqtt before this one had heard. */
  resume(heard: Heard): void {
    this.#known = heard;
    const { until } = heard;
    const from = until === undefined ? undefined : new Date(until);
    this.#opening = {
      from,
      reason: from === undefined ? "fsmqtt was not ended in order" : "fsmqtt was not running",
      told: (seconds) =>
        seconds === null
          ? "fsmqtt was not ended in order the last time: FreeSWITCH's events from then until now " +
            "are missed, and since when nobody knows"
          : `FreeSWITCH's events of the last ${seconds} s are missed: fsmqtt was not running`,
    };
  }

  /** Takes an event that has just come and is only lent. This is the hot path. */
  event(body: Uint8Array): void {
    this.#sequences.note(body);
    this.#events++;
    if (this.#first === undefined && this.#events <= SEARCHED) {
      const sequence = sequenceOf(body);
      // A latecomer from before the gap does not say where it ended.
      if (sequence !== undefined && sequence > this.#knownSequence) {
        this.#first = sequence;
        this.#settle();
      }
    }
    if (body[BEAT_LETTER_AT] === BEAT[BEAT_LETTER_AT] && holdsAt(body, 0, BEAT)) {
      this.#beat = new Uint8Array(body);
      this.#settle();
    }
  }

  /** FreeSWITCH has told who it is. */
  identified(coreUuid: string): void {
    this.#core = coreUuid;
    this.#settle();
  }

  /** FreeSWITCH has told how many call legs it has seen, just before its events come. */
  callLegs(sinceStartup: number): void {
    this.#askedLegs = sinceStartup;
  }

  /** Events come again. */
  connected(): void {
    const opening = this.#opening;
    if (opening === undefined) return;
    this.#opening = undefined;
    const until = this.#clock.date();
    const { from, fromMs, reason } = opening;
    const elapsedMs = fromMs !== undefined
      ? this.#clock.now() - fromMs
      : from && until.getTime() - from.getTime();
    // A wall clock can be set back.
    const seconds = elapsedMs === undefined ? null : Math.max(1, Math.ceil(elapsedMs / 1000));
    this.#last = {
      from: from?.toISOString() ?? null,
      until: until.toISOString(),
      seconds,
      reason,
      restarted: null,
      events_at_most: null,
      call_legs_at_most: null,
    };
    // A link that is lost before the first event makes one longer gap.
    if (this.#pendingOpening !== opening) this.#count++;
    this.#pendingOpening = opening;
    this.#isPending = true;
    this.#listener.missed(opening.told(seconds));
    this.#settle();
    this.#listener.changed();
  }

  /** No more events come, and none have for `silentMs` milliseconds. */
  lost(reason: string, silentMs: number): void {
    const nothingCame = this.#isPending && this.#events === 0;
    if (this.#isPending && !nothingCame) this.#finish();
    if (!nothingCame) this.#known = this.heard();
    this.#opening = nothingCame && this.#pendingOpening !== undefined ? this.#pendingOpening : {
      from: new Date(this.#clock.date().getTime() - silentMs),
      fromMs: this.#clock.now() - silentMs,
      reason,
      told: missedSeconds,
    };
    this.#isPending = false;
    this.#forget();
  }

  /** What came of an attempt to connect does not count: it has failed. */
  failed(): void {
    this.#forget();
  }

  /** From here on it is another FreeSWITCH. */
  reset(): void {
    this.#forget();
    this.#known = undefined;
    this.#opening = undefined;
    this.#isPending = false;
  }

  /** How far FreeSWITCH's counters have come; `undefined` until it was heard. */
  heard(): Heard | undefined {
    // While there is no link, what was heard before counts.
    if (this.#opening !== undefined) {
      const { from } = this.#opening;
      return this.#known && { ...this.#known, until: from?.toISOString() };
    }
    if (this.#core === undefined) return this.#known;
    const before = this.#known?.coreUuid === this.#core ? this.#known : undefined;
    const sequences = this.#sequences.read();
    const sequence = highest([before?.sequence, this.#first, ...sequences]);
    return {
      coreUuid: this.#core,
      until: this.#clock.date().toISOString(),
      sequence,
      holes: this.#events === 0 ? before?.holes : holesBelow(sequence, sequences),
      callLegs: highest([before?.callLegs, this.#askedLegs, this.#beatLegs]),
    };
  }

  get #knownSequence(): number {
    return this.#known?.coreUuid === this.#core ? this.#known?.sequence ?? 0 : 0;
  }

  get #beatLegs(): number | undefined {
    return this.#beat && countIn(sessionsSinceStartup(this.#beat));
  }

  #forget(): void {
    this.#core = undefined;
    this.#sequences.forget();
    this.#events = 0;
    this.#beat = undefined;
    this.#first = undefined;
    this.#askedLegs = undefined;
  }

  /** Fills in what is known by now; tells it once that is all. */
  #settle(): void {
    const gap = this.#last;
    if (!this.#isPending || gap === undefined || this.#core === undefined) return;
    const restarted = this.#known === undefined ? null : this.#known.coreUuid !== this.#core;
    const base = restarted === true ? { sequence: 0, holes: 0, callLegs: 0 } : this.#known;
    const first = this.#first;
    const legs = this.#askedLegs ?? this.#beatLegs;
    const events = jump(base?.sequence, first && first - 1 + (base?.holes ?? 0));
    const begun = jump(base?.callLegs, legs);
    this.#last = {
      ...gap,
      restarted,
      events_at_most: events,
      // HEARTBEAT, the last to tell, may be older than the gap; but no leg begins without an event.
      call_legs_at_most: events !== null && begun !== null ? Math.min(events, begun) : begun,
    };
    const isAll = (first !== undefined || base?.sequence === undefined) &&
      (legs !== undefined || base?.callLegs === undefined);
    if (isAll) this.#finish();
  }

  #finish(): void {
    this.#isPending = false;
    this.#pendingOpening = undefined;
    const gap = this.#last;
    const isNews = gap?.restarted === true || gap?.events_at_most !== null ||
      gap.call_legs_at_most !== null;
    if (gap !== undefined && isNews) this.#listener.missed(numbersOf(gap));
    this.#listener.changed();
  }
}

function missedSeconds(seconds: number | null): string {
  return `FreeSWITCH's events of the last ${seconds} s are missed: its event socket has no replay`;
}

/** A gap's numbers, in a line. */
export function numbersOf(gap: GapStatus): string {
  const { seconds, restarted } = gap;
  const span = seconds === null ? "meanwhile" : `in those ${seconds} s`;
  return restarted === true
    ? `FreeSWITCH was restarted ${span}: since its start ${
      missedIn(gap)
    }; what the former one did ` +
      "before its end is unknown"
    : `Missed ${span}: ${missedIn(gap)}`;
}

/** How many of the last sequences, up to the highest and not before the first heard, are missing. */
function holesBelow(highest: number | undefined, heard: readonly number[]): number {
  if (highest === undefined || heard.length === 0) return 0;
  const lowest = Math.max(highest - DISORDER, Math.min(...heard));
  const count = new Set(heard.filter((sequence) => sequence >= lowest)).size;
  return highest - lowest + 1 - count;
}

function highest(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.filter((each) => each !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

function jump(from: number | undefined, to: number | undefined): number | null {
  return from === undefined || to === undefined ? null : Math.max(0, to - from);
}
