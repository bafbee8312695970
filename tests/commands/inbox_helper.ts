/**
 * A command inbox with a runner that only notes what it is given.
 *
 * @module
 */

import { CommandInbox, type CommandRunner, type CommandTopic } from "../../lib/commands/inbox.ts";
import { Logger } from "../../lib/log/logger.ts";
import { ManualClock } from "../support/manual_clock.ts";

/** A topic that permits everything. */
export function topic(filter: string, change: Partial<CommandTopic> = {}): CommandTopic {
  return {
    name: filter,
    filter,
    qos: 1,
    originateAuthorized: true,
    bgapiAuthorized: true,
    counter: { run: 0, refused: 0 },
    ...change,
  };
}

/** An inbox, what it ran, and what it logged. */
export class TestInbox {
  readonly ran: [command: string, uuid: string][] = [];
  readonly log: string[] = [];
  readonly inbox: CommandInbox;
  /** How the next command goes. */
  runner: CommandRunner = (_, uuid) =>
    Promise.resolve({
      uuid,
      outcome: Promise.resolve({ kind: "finished", text: "+OK the result\n" }),
    });

  constructor(topics: readonly CommandTopic[], details = false) {
    const sink = { write: (line: string) => this.log.push(line.slice(line.indexOf("["))) };
    this.inbox = new CommandInbox(
      (command, uuid) => {
        this.ran.push([command, uuid]);
        return this.runner(command, uuid);
      },
      new Logger({ level: "debug", details, sinks: [sink] }, new ManualClock()),
      () => `made-${this.ran.length + 1}`,
    );
    this.inbox.listen(topics);
  }

  /** Delivers a message. */
  async take(
    topicName: string,
    text: string,
    change: { retained?: boolean; repeated?: boolean } = {},
  ): Promise<void> {
    const payload = new TextEncoder().encode(text);
    const message = { topic: topicName, payload, retained: false, repeated: false, ...change };
    await this.inbox.take(message);
  }
}
