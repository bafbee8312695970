/**
 * Compares what was fired with what a subscriber received, by Event-Sequence.
 *
 * @module
 */

/** Events that were fired at one moment: a run of sequence numbers. */
interface Burst {
  readonly first: number;
  readonly last: number;
  /** When, by `performance.now()`. */
  readonly atMs: number;
}

/** What one FreeSWITCH fired, from its start to its end. */
interface CoreLedger {
  readonly bursts: Burst[];
  /** How often each sequence number was received. */
  receipts: Uint8Array;
  /** The highest number that was received. */
  highest: number;
}

/** A time in which events may be lost, and why. */
interface Excuse {
  readonly fromMs: number;
  readonly toMs: number;
  readonly why: string;
  /** What happened then happened at this moment. */
  readonly momentMs: number;
}

/** How the comparison came out. */
export interface Tally {
  /** Events that the agent was given by the event socket. */
  readonly fired: number;
  /** How many of them the subscriber received at least once. */
  readonly received: number;
  /** How many it did not receive. */
  readonly lost: number;
  /** How many of the lost ones are covered by the definition of "lost", by reason. */
  readonly excused: Readonly<Record<string, number>>;
  /** Receipts beyond the first, without those that the broker itself sent again. */
  readonly repeated: number;
  /**
   * Receipts that the broker itself sent again: mosquitto 2.0.11 does, also at QoS 2, when it is
   * stopped between its PUBREL and the PUBCOMP.
   */
  readonly resent: number;
  /** Events that were first received after a later one. */
  readonly outOfOrder: number;
  /** Receipts of what was never fired. */
  readonly unknown: number;
  /** How long before the moment that excuses it the oldest such event was fired. */
  readonly oldestExcusedMs: number;
}

const HEAD_BYTES = 1024;
const latin1 = new TextDecoder("latin1");

/** An event's place: its core and its number there. */
export interface Place {
  /** `Core-UUID` */
  readonly core: string;
  /** `Event-Sequence` */
  readonly sequence: number;
}

/** Reads the place of an event in its JSON; FreeSWITCH writes both among the first headers. */
export function placeOf(payload: Uint8Array): Place {
  const head = latin1.decode(payload.subarray(0, HEAD_BYTES));
  const core = valueIn(head, '"Core-UUID":"');
  const sequence = Number(valueIn(head, '"Event-Sequence":"'));
  return { core, sequence };
}

function valueIn(text: string, key: string): string {
  const at = text.indexOf(key);
  if (at < 0) throw new Error(`an event without ${key}`);
  const from = at + key.length;
  return text.slice(from, text.indexOf('"', from));
}

/** The ledger of one subscriber. */
export class Ledger {
  readonly #cores = new Map<string, CoreLedger>();
  readonly #excuses: Excuse[] = [];
  readonly #acknowledged = new Map<string, Set<number>>();
  #fired = 0;
  #received = 0;
  #repeated = 0;
  #resent = 0;
  #outOfOrder = 0;
  #unknown = 0;
  /** Milliseconds from fired to received, one for each first receipt, while it is an array. */
  latenciesMs: number[] | undefined;

  /** How many events were fired. */
  get fired(): number {
    return this.#fired;
  }

  /** How many of them were received. */
  get received(): number {
    return this.#received;
  }

  /** Whether the last event that was fired has been received. */
  get hasLast(): boolean {
    const ledger = [...this.#cores.values()].at(-1);
    return ledger === undefined || (ledger.receipts[ledger.bursts.at(-1)?.last ?? 0] ?? 0) > 0;
  }

  /** Notes events that are being fired: a run of sequence numbers. */
  fire(core: string, first: number, last: number, atMs: number): void {
    let ledger = this.#cores.get(core);
    if (ledger === undefined) {
      ledger = { bursts: [], receipts: new Uint8Array(1024), highest: 0 };
      this.#cores.set(core, ledger);
    }
    ledger.bursts.push({ first, last, atMs });
    this.#fired += last - first + 1;
    if (last < ledger.receipts.length) return;
    const grown = new Uint8Array(2 * last);
    grown.set(ledger.receipts);
    ledger.receipts = grown;
  }

  /**
   * Notes an event that the subscriber received.
   *
   * @param dup Whether the broker says that it sent it before.
   */
  receive(payload: Uint8Array, atMs: number, dup = false): void {
    const { core, sequence } = placeOf(payload);
    const ledger = this.#cores.get(core);
    const burst = ledger === undefined ? undefined : burstOf(ledger, sequence);
    if (ledger === undefined || burst === undefined) {
      this.#unknown++;
      return;
    }
    const before = ledger.receipts[sequence] ?? 0;
    ledger.receipts[sequence] = Math.min(before + 1, 255);
    if (before > 0) {
      if (dup) this.#resent++;
      else this.#repeated++;
      return;
    }
    this.#received++;
    if (sequence < ledger.highest) this.#outOfOrder++;
    else ledger.highest = sequence;
    this.latenciesMs?.push(atMs - burst.atMs);
  }

  /** Events fired in this time may be lost by the definition of "lost". */
  excuse(fromMs: number, toMs: number, why: string, momentMs: number = toMs): void {
    this.#excuses.push({ fromMs, toMs, why, momentMs });
  }

  /** The broker acknowledged this event; if it is lost it was the broker that forgot it. */
  acknowledged({ core, sequence }: Place): void {
    const known = this.#acknowledged.get(core) ?? new Set();
    this.#acknowledged.set(core, known.add(sequence));
  }

  /** How it stands. */
  tally(): Tally {
    const excused: Record<string, number> = {};
    let oldestExcusedMs = 0;
    for (const [core, { bursts, receipts }] of this.#cores) {
      for (const { first, last, atMs } of bursts) {
        const excuse = this.#excuses.find(({ fromMs, toMs }) => atMs >= fromMs && atMs <= toMs);
        for (let sequence = first; sequence <= last; sequence++) {
          if ((receipts[sequence] ?? 0) > 0) continue;
          const why = excuse?.why ??
            (this.#acknowledged.get(core)?.has(sequence) ? "forgotten by the broker" : undefined);
          if (why === undefined) continue;
          excused[why] = (excused[why] ?? 0) + 1;
          if (excuse === undefined) continue;
          oldestExcusedMs = Math.max(oldestExcusedMs, excuse.momentMs - atMs);
        }
      }
    }
    return {
      fired: this.#fired,
      received: this.#received,
      lost: this.#fired - this.#received,
      excused,
      repeated: this.#repeated,
      resent: this.#resent,
      outOfOrder: this.#outOfOrder,
      unknown: this.#unknown,
      oldestExcusedMs,
    };
  }
}

/** The burst that a sequence number was fired in; they are in order. */
function burstOf({ bursts }: CoreLedger, sequence: number): Burst | undefined {
  let [low, high] = [0, bursts.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const burst = bursts[middle];
    if (burst === undefined) return undefined;
    if (sequence < burst.first) high = middle - 1;
    else if (sequence > burst.last) low = middle + 1;
    else return burst;
  }
  return undefined;
}
