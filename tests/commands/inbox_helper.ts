/**
 * A command inbox with a runner that only notes what it is given.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type AuditEntry, AuditLog } from "../../lib/commands/audit.ts";
import type { ReplyDocument } from "../../lib/commands/contract.ts";
import { CommandInbox, type CommandRunner } from "../../lib/commands/inbox.ts";
import type { CommandTopic } from "../../lib/commands/topic.ts";
import { CommandLimits } from "../../lib/commands/limits.ts";
import { CommandMemory } from "../../lib/commands/memory.ts";
import type { CommandMessage } from "../../lib/commands/screening.ts";
import type { JobOutcome } from "../../lib/esl/jobs.ts";
import { Logger } from "../../lib/log/logger.ts";
import type { Reply } from "../../lib/mqtt/replies.ts";
import { topicMatches } from "../../lib/protocol/mqtt_topics.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { OPEN, rulesOf, type Written } from "./rules.ts";

/** An audit log that is not written but kept. */
export class AuditNotes extends AuditLog {
  /** What it was given. */
  readonly entries: AuditEntry[] = [];

  constructor() {
    super(undefined, 0, { clock: new ManualClock(), complain: assert.fail });
  }

  override write(entry: AuditEntry): void {
    this.entries.push(entry);
  }
}

/** What an inbox may share with another one, or with one before a restart. */
export interface TestInboxOptions {
  readonly clock?: ManualClock;
  readonly memory?: CommandMemory;
  readonly connection?: string;
  /** Whether the log tells details. */
  readonly details?: boolean;
}

/** An inbox, what it ran, what it answered and what it logged. */
export class TestInbox {
  readonly clock: ManualClock;
  readonly memory: CommandMemory;
  readonly ran: [command: string, uuid: string][] = [];
  readonly replies: Reply[] = [];
  readonly log: string[] = [];
  readonly audit = new AuditNotes();
  readonly topics: readonly CommandTopic[];
  readonly inbox: CommandInbox;
  /** Why nothing can be run, if nothing can. */
  unavailable: string | undefined;
  /** Jobs that are under way. */
  readonly running = new Set<string>();
  /** How the next command goes. */
  run: CommandRunner["bgapi"] = (_, uuid) =>
    Promise.resolve({ uuid, outcome: Promise.resolve(finished("+OK the result\n")) });

  /** An inbox that listens to these filters; both flags are true if nothing else is written. */
  constructor(topics: Readonly<Record<string, Written>>, options: TestInboxOptions = {}) {
    const { clock = new ManualClock(), details = false, connection = "main" } = options;
    this.clock = clock;
    this.memory = options.memory ?? lastingMemory(clock);
    const sink = { write: (line: string) => this.log.push(line.slice(line.indexOf("["))) };
    this.topics = Object.entries(topics).map(([filter, given]) => topic(filter, given, clock));
    const unavailable = () => this.unavailable;
    this.inbox = new CommandInbox({
      where: { profile: "p", connection },
      runner: {
        get unavailable() {
          return unavailable();
        },
        isRunning: (uuid) => this.running.has(uuid),
        bgapi: (command, uuid) => {
          this.ran.push([command, uuid]);
          return this.run(command, uuid);
        },
      },
      memory: this.memory,
      audit: this.audit,
      reply: (reply) => this.replies.push(reply),
      takesCommands: (name) => this.topics.some(({ filter }) => topicMatches(filter, name)),
      log: new Logger({ level: "debug", details, sinks: [sink] }, clock),
      clock,
      newUuid: () => `made-${this.ran.length + 1}`,
    });
    this.inbox.listen(this.topics);
  }

  /** Delivers a message. Resolves when the end of what it asks for is known. */
  async take(
    topic: string,
    payload: string | Uint8Array,
    rest: Partial<CommandMessage> = {},
  ): Promise<void> {
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    await this.inbox.take({ topic, payload: bytes, retained: false, repeated: false, ...rest });
  }

  /** Delivers commands to `cmd`, one after the other. */
  async takeAll(...texts: readonly string[]): Promise<void> {
    for (const text of texts) await this.take("cmd", text);
  }

  /** The commands that were run. */
  get commands(): string[] {
    return this.ran.map(([command]) => command);
  }

  /** What was refused on the first topic, by reason. */
  get refusals(): Readonly<Record<string, number>> {
    return this.topics[0]?.counter.refusedBy ?? {};
  }

  /** The answers so far, without their time and FreeSWITCH's name. */
  get answers(): Omit<ReplyDocument, "switchname" | "time">[] {
    return this.replies.map(({ payload }) => {
      const document: ReplyDocument = JSON.parse(new TextDecoder().decode(payload));
      const { switchname, time, ...rest } = document;
      assert.equal(switchname, "fs1");
      assert.equal(new Date(time).toISOString(), time);
      return rest;
    });
  }

  /** The next commands go on until the function that is given back is called for them, in turn. */
  holdJobs(): (outcome: JobOutcome) => void {
    const open: ((outcome: JobOutcome) => void)[] = [];
    this.run = (_, uuid) => {
      const { promise: outcome, resolve } = Promise.withResolvers<JobOutcome>();
      open.push(resolve);
      return Promise.resolve({ uuid, outcome });
    };
    return (outcome) => open.shift()?.(outcome);
  }
}

/** A memory without a file, which says that it has one. */
function lastingMemory(clock: ManualClock): CommandMemory {
  const memory = CommandMemory.open(undefined, { clock, complain: assert.fail });
  return Object.defineProperty(memory, "isLasting", { value: true });
}

/** A job that ended with this text. */
export function finished(text: string): JobOutcome {
  return { kind: "finished", text };
}

/** A command as JSON. */
export function document(fields: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ command: "bgapi", args: "status", ...fields });
}

/** Resolves when what was begun has gone as far as it can without time or the network. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
}

function topic(filter: string, written: Written, clock: ManualClock): CommandTopic {
  const rules = { ...rulesOf({ ...OPEN, ...written }), name: filter };
  const { responsePrefix, responsePattern } = rules;
  return {
    rules,
    key: filter,
    filter,
    switchname: "fs1",
    responsePrefix,
    responsePattern,
    limits: new CommandLimits(rules, clock),
    counter: { run: 0, refused: 0, refusedBy: {} },
  };
}
