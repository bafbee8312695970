/**
 * Changes messages at random and sees that nothing is sent to FreeSWITCH that must not be.
 *
 * @module
 */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { auditLine } from "../../../lib/commands/audit.ts";
import type { CommandState, ReplyDocument } from "../../../lib/commands/contract.ts";
import { EslError } from "../../../lib/esl/errors.ts";
import type { JobOutcome } from "../../../lib/esl/jobs.ts";
import { Random } from "../../faults/random.ts";
import { finished, TestInbox } from "../inbox_helper.ts";
import { NARROW, OPEN, type Written } from "../rules.ts";
import { allowedForms } from "./allowed.ts";
import { KEY, signed, text } from "./message.ts";
import { mutate, randomCommand } from "./mutations.ts";
import {
  endedOracle,
  limitedOracle,
  lineFault,
  narrowOracle,
  openOracle,
  type Oracle,
  patternOracle,
} from "./oracle.ts";
import { hostileMessages } from "./payloads.ts";

/** A topic to send messages to, and what may come of them. */
interface Lane {
  readonly name: string;
  readonly rules: Written;
  readonly oracle: Oracle;
  /** Commands are signed before they are sent, mostly. */
  readonly isSigned?: true;
}

const TOPIC = "pbx/cmd";
const REPLIES = "pbx/replies";
const ANSWERS = "pbx/answers";

const LANES: readonly [Lane, ...Lane[]] = [
  { name: "narrow", rules: NARROW, oracle: narrowOracle },
  { name: "signed", rules: { ...NARROW, hmac_key: KEY }, oracle: narrowOracle, isSigned: true },
  { name: "open", rules: OPEN, oracle: openOracle },
  { name: "limited", rules: { ...OPEN, max_call_seconds: 30 }, oracle: limitedOracle },
  {
    name: "patterns",
    rules: {
      ...OPEN,
      bgapi_allow: ["show *", "echo /[a-z ]*/", "uuid_kill /[0-9a-f-]{36}/", "originate *"],
      originate_allow_endpoint: ["/(?s).*/"],
      originate_allow_app: ["park", "playback *", "bridge /(?s).*/", "system *"],
      originate_allow_context: ["/(?s).*/"],
      originate_allow_destination: ["/(?s).*/"],
      originate_allow_variable: ["/(?s).*/"],
    },
    oracle: patternOracle,
  },
  {
    name: "ended",
    rules: {
      ...OPEN,
      max_call_seconds: 30,
      bgapi_allow: ["originate *", "uuid_transfer *", "conference *"],
      originate_allow_endpoint: ["/(?s).*/"],
      originate_allow_app: ["park", "echo", "sched_cancel", "SCHED_CANCEL"],
      originate_allow_context: ["/(?s).*/"],
      originate_allow_destination: ["/(?s).*/"],
      originate_allow_variable: ["/(?s).*/"],
    },
    oracle: endedOracle,
  },
  {
    name: "unrestricted",
    rules: { ...OPEN, originate_unrestricted: true },
    oracle: (line) => /^originate /.test(line) ? undefined : openOracle(line),
  },
  { name: "denied", rules: {}, oracle: () => "nothing may be sent" },
];

/** A message, and the topic that it is sent to. */
interface Shot {
  readonly lane: Lane;
  readonly payload: Uint8Array;
  readonly responseTopic?: string;
  readonly retained: boolean;
  readonly repeated: boolean;
  /** How FreeSWITCH takes the command, if it is given one. */
  readonly fate: "succeeds" | "fails" | "times out" | "is lost" | "is refused" | "is unreachable";
}

/** What must not happen has happened. */
export interface FuzzFailure {
  /** What. */
  readonly fault: string;
  /** In which round, from 0. */
  readonly round: number;
  /** The message, or a shorter one that does the same; bytes beyond ASCII are escaped. */
  readonly payload: string;
  /** On which topic. */
  readonly lane: string;
}

/** What came of some rounds. */
export interface FuzzResult {
  /** How many there were. */
  readonly rounds: number;
  /** How many commands were sent, by topic. */
  readonly sent: Readonly<Record<string, number>>;
  /** The first failure ends it. */
  readonly failure?: FuzzFailure;
}

/** So long may a message take; most take a tenth of a millisecond. */
const PATIENCE_MS = 1_000;
/** In seconds; a few that pass make no command stale. */
const COMMAND_TIMEOUT = 1;
/** An inbox remembers; a fresh one comes now and then. */
const ROUNDS_PER_INBOX = 500;

/** Sends messages of every kind to every topic, the same for the same seed. */
export async function fuzz(
  { rounds, seed }: { rounds: number; seed: number },
): Promise<FuzzResult> {
  const sent: Record<string, number> = Object.fromEntries(LANES.map(({ name }) => [name, 0]));
  const random = new Random(seed);
  const corpus = seeds();
  let inboxes = new Map<Lane, FuzzInbox>();
  for (let round = 0; round < rounds; round++) {
    if (round % ROUNDS_PER_INBOX === 0) {
      inboxes = new Map(LANES.map((lane) => [lane, new FuzzInbox(lane)]));
    }
    const shot = randomShot(random, corpus);
    const inbox = inboxes.get(shot.lane) ?? new FuzzInbox(shot.lane);
    const fault = await inbox.faultOf(shot);
    if (fault !== undefined) {
      const payload = escaped(await shortened(shot));
      return { rounds: round, sent, failure: { fault, round, payload, lane: shot.lane.name } };
    }
    sent[shot.lane.name] = (sent[shot.lane.name] ?? 0) + inbox.sentLast;
  }
  return { rounds, sent };
}

/** A failure for people, with what is needed to see it again. */
export function describeFailure(
  { fault, round, payload, lane }: FuzzFailure,
  seed: number,
): string {
  return `seed ${seed}, round ${round}, topic "${lane}": ${fault}\n${payload}`;
}

function seeds(): Uint8Array[] {
  const now = new TestInbox({}).clock.date();
  const hostile = hostileMessages(now).map(({ payload }) => payload);
  const allowed = allowedForms(now).map(({ payload }) => payload);
  // Half of them, so that what is changed is often enough near what is allowed.
  const often = Array.from({ length: Math.ceil(hostile.length / allowed.length) }, () => allowed);
  return [...hostile.filter(({ length }) => length < 4_000), ...often.flat()];
}

function randomShot(random: Random, corpus: readonly Uint8Array[]): Shot {
  const lane = random.pick(...LANES);
  const base = random.between(0, 1) === 0
    ? text(randomCommand(random))
    : corpus[random.between(0, corpus.length - 1)] ?? new Uint8Array();
  const payload = mutate(base, random, corpus);
  const isSigned = lane.isSigned === true && random.between(0, 3) > 0;
  const whole = isSigned ? signedAnew(payload, random) : payload;
  const place = random.between(0, 20) === 0
    ? random.pick(`${REPLIES}2`, TOPIC, "$SYS/a", "", `${REPLIES}/#`, "elsewhere")
    : random.pick(undefined, `${REPLIES}/a`);
  return {
    lane,
    // What is signed is not changed any more, or only now and then.
    payload: isSigned && random.between(0, 4) === 0 ? mutate(whole, random, corpus) : whole,
    ...(place === undefined ? {} : { responseTopic: place }),
    retained: random.between(0, 30) === 0,
    repeated: random.between(0, 30) === 0,
    fate: random.pick(
      "succeeds",
      "succeeds",
      "succeeds",
      "fails",
      "times out",
      "is lost",
      "is refused",
      "is unreachable",
    ),
  };
}

/** Signs what is there, as a document with an id and a time if it is none. */
function signedAnew(payload: Uint8Array, random: Random): Uint8Array {
  const body = new TextDecoder().decode(payload);
  const [, command = "", args = ""] = /^(bgapi|originate) (.*)$/is.exec(body) ?? [];
  const document = command === "" ? body : JSON.stringify({ command: command.toLowerCase(), args });
  const now = new TestInbox({}).clock.date().toISOString();
  const isWhole = !document.startsWith("{") || /"(id|issued_at)"/.test(document);
  const id = `r${random.between(0, 1e9)}`;
  const whole = isWhole ? document : `{"id":"${id}","issued_at":"${now}",${document.slice(1)}`;
  return signed(whole.toWellFormed(), { topic: TOPIC });
}

const STATES: ReadonlySet<CommandState> = new Set([
  "accepted",
  "succeeded",
  "failed",
  "rejected",
  "timed_out",
  "unknown",
]);

/** A topic under fire. */
class FuzzInbox extends TestInbox {
  readonly #lane: Lane;
  readonly #ranIds = new Set<string>();
  /** How many commands the last message sent. */
  sentLast = 0;

  constructor(lane: Lane) {
    const answers = { response_prefix: REPLIES, response_pattern: ANSWERS };
    const flags = { bgapi_authorized: false, originate_authorized: false };
    super({ [TOPIC]: { ...flags, ...lane.rules, ...answers, command_timeout: COMMAND_TIMEOUT } });
    this.#lane = lane;
  }

  /** Delivers a message; what is wrong with what came of it. */
  async faultOf(shot: Shot): Promise<string | undefined> {
    const { payload, lane: _, fate, ...transport } = shot;
    this.#decide(fate);
    for (const notes of [this.ran, this.replies, this.log, this.audit.entries]) notes.splice(0);
    const startedAt = performance.now();
    try {
      const taken = this.take(TOPIC, payload, transport);
      if (fate === "times out" && this.ran.length > 0) await this.#passTime();
      await inTime(taken);
    } catch (error) {
      return `it throws ${(error as Error).stack}`;
    }
    const tookMs = performance.now() - startedAt;
    if (tookMs > PATIENCE_MS) return `it takes ${Math.round(tookMs)} ms`;
    this.sentLast = this.ran.length;
    return this.#sentFault(shot) ?? this.#repliesFault() ?? this.#notesFault();
  }

  /** Until a command is given up, and then until it has ended. */
  async #passTime(): Promise<void> {
    for (let i = 0; i < 2; i++) {
      await ticks();
      this.clock.advance(COMMAND_TIMEOUT * 1_000);
    }
  }

  #decide(fate: Shot["fate"]): void {
    this.run = (_, uuid) => {
      switch (fate) {
        case "succeeds":
        case "fails": {
          const outcome = finished(fate === "fails" ? "-ERR USER_BUSY\n" : "+OK\n");
          return Promise.resolve({ uuid, outcome: Promise.resolve(outcome) });
        }
        case "times out": {
          const outcome = new Promise<JobOutcome>((resolve) =>
            this.clock.after(2 * COMMAND_TIMEOUT * 1_000, () => resolve(finished("+OK\n")))
          );
          return Promise.resolve({ uuid, outcome });
        }
        case "is lost":
          return Promise.reject(new EslError("lost", "lost"));
        case "is refused":
          return Promise.reject(new EslError("rejected", "-ERR"));
        case "is unreachable":
          return Promise.reject(new EslError("unreachable", "unreachable"));
      }
    };
  }

  #sentFault(shot: Shot): string | undefined {
    if (this.topics[0]?.limits.running !== 0) return "a command is under way for ever";
    if (this.ran.length > 1) return `it runs ${this.ran.length} commands`;
    for (const [line, job] of this.ran) {
      const fault = lineFault(line, job) ?? this.#lane.oracle(line) ?? this.#messageFault(shot);
      if (fault !== undefined) return `${fault}: ${escaped(text(line))}`;
    }
    return undefined;
  }

  /** Why nothing of this message should have run, whatever it asks for. */
  #messageFault({ payload, retained, repeated, responseTopic }: Shot): string | undefined {
    if (retained) return "it was stored";
    const isOurs = responseTopic === undefined || responseTopic === `${REPLIES}/a`;
    if (!isOurs) return "its answer is wanted elsewhere";
    const signedText = this.#lane.isSigned === true ? signedIn(payload) : undefined;
    if (this.#lane.isSigned === true && signedText === undefined) return "it is not signed";
    const body = signedText ?? new TextDecoder("utf-8", { ignoreBOM: true }).decode(payload);
    const { id, issued_at } = identityOf(body);
    if (repeated && (id === undefined || issued_at === undefined)) return "it may have run before";
    if (id === undefined) return undefined;
    if (this.#ranIds.has(id)) return "a command of its id has run";
    this.#ranIds.add(id);
    return undefined;
  }

  #repliesFault(): string | undefined {
    for (const { topic, payload } of this.replies) {
      if (topic !== ANSWERS && topic !== `${REPLIES}/a`) return `it is answered on ${topic}`;
      const document: ReplyDocument = JSON.parse(new TextDecoder().decode(payload));
      if (!STATES.has(document.state)) return `it is answered ${document.state}`;
      if (document.state === "rejected" && "text" in document) return "a rejection tells more";
    }
    return this.replies.length > 2 ? `it is answered ${this.replies.length} times` : undefined;
  }

  /** Neither log nor audit log can be forged. */
  #notesFault(): string | undefined {
    const entries = this.audit.entries.map((entry) => auditLine({ time: "", ...entry }));
    const notes = [...this.log, ...entries];
    // deno-lint-ignore no-control-regex
    const forged = notes.find((line) => /[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(line));
    if (forged !== undefined) return `it writes ${JSON.stringify(forged)}`;
    const long = notes.find(({ length }) => length > 10_000);
    return long === undefined
      ? undefined
      : `it writes ${long.length} characters: ${long.slice(0, 200)}`;
  }
}

/** The text that is signed, if it is signed as it should be. */
function signedIn(payload: Uint8Array): string | undefined {
  const document = JSON.parse(new TextDecoder().decode(payload));
  const expected = createHmac("sha256", KEY)
    .update(`fsmqtt-command-1\n${TOPIC}\n${document.signed}`)
    .digest("hex");
  return expected === document.signature.toLowerCase() ? document.signed : undefined;
}

/** What tells a command from another, as its sender wrote it. */
function identityOf(body: string): { id?: string; issued_at?: unknown } {
  if (body.startsWith("{")) return JSON.parse(body);
  const [, id] = /^uuid:([^ ]*)/.exec(body.replace(/^bgapi +/i, "")) ?? [];
  return id === undefined ? {} : { id };
}

/** Lets what has been begun go as far as it can without time. */
async function ticks(): Promise<void> {
  for (let i = 0; i < 30; i++) await Promise.resolve();
}

/** What is left undone is not waited for longer than a message may take. */
async function inTime(work: Promise<void>): Promise<void> {
  let isDone = false;
  const done = work.finally(() => isDone = true);
  await ticks();
  if (isDone) return await done;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("it never ends")), PATIENCE_MS);
  });
  await Promise.race([done, late]).finally(() => clearTimeout(timer));
}

/** A shorter message that is as wrong, as far as that is easily found. */
async function shortened(shot: Shot): Promise<Uint8Array> {
  let shortest = shot.payload;
  const isWrong = async (payload: Uint8Array) =>
    await new FuzzInbox(shot.lane).faultOf({ ...shot, payload }) !== undefined;
  if (shot.lane.isSigned === true || !await isWrong(shortest)) return shortest;
  for (let size = shortest.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at + size <= shortest.length;) {
      const without = Uint8Array.from([
        ...shortest.subarray(0, at),
        ...shortest.subarray(at + size),
      ]);
      if (await isWrong(without)) shortest = without;
      else at += size;
    }
  }
  return shortest;
}

/** Bytes as text that can be copied: all but printable ASCII as `\xNN`. */
export function escaped(bytes: Uint8Array): string {
  return [...bytes].map((byte) => {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x5c;
    return isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }).join("");
}

/** Sees that some rounds are without fault, and that they tried something. */
export function assertHeld(result: FuzzResult, seed: number): void {
  const { failure, sent, rounds } = result;
  if (failure !== undefined) assert.fail(describeFailure(failure, seed));
  for (const { name, rules } of LANES) {
    // Of what is never sent nothing is learnt.
    const least = Object.keys(rules).length === 0 ? 0 : rounds / 1_000;
    assert((sent[name] ?? 0) >= least, `only ${sent[name]} commands sent on ${name}`);
  }
}
