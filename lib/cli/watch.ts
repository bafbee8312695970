/**
 * Shows the status again and again.
 *
 * @module
 */

import { type Clock, systemClock } from "../clock.ts";
import { ask } from "../control/client.ts";
import type { ControlReply } from "../control/protocol.ts";
import { ExitCode } from "../exit_code.ts";
import { printable } from "../log/logger.ts";
import type { View } from "./view.ts";
import { momentText, type Sample, watchLines } from "./watch_text.ts";

/** Whoever watches wants to see soon that an agent is stuck. */
const ANSWER_TIMEOUT_MS = 2_000;

/** An agent's answer that it could not, or what kept it from answering. */
export type Failure = Extract<ControlReply, { readonly kind: "failed" }>;

/** What a watch is given. */
export interface WatchOptions {
  /** Where it is shown. */
  readonly view: View;
  /** Milliseconds between two looks. */
  readonly everyMs: number;
  /** Asks the agent. Default: on the control socket of this path. */
  readonly look: () => Promise<ControlReply>;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** Asks the agent on this control socket for its status. */
export function lookAt(path: string): () => Promise<ControlReply> {
  return () => ask(path, { do: "status" }, ANSWER_TIMEOUT_MS);
}

/**
 * Shows the status until the view is closed, whether there is an agent or not. Only where the agent
 * may not be asked it ends by itself, with that reply: waiting does not mend it.
 */
export async function watch(
  { view, everyMs, look, clock = systemClock }: WatchOptions,
): Promise<Failure | undefined> {
  let former: Sample | undefined;
  let seen: Date | undefined;
  while (!view.closed.aborted) {
    const reply = await unlessClosed(view.closed, look());
    if (reply === undefined) return undefined;
    if (reply.kind === "failed" && reply.exitCode === ExitCode.NOT_PERMITTED) return reply;
    const date = clock.date();
    if (reply.kind === "status") {
      const sample = { report: reply.status, atMs: clock.now() };
      view.show(watchLines(sample, former, date));
      [former, seen] = [sample, date];
    } else {
      view.show(awayLines(reply, seen, date));
      former = undefined;
    }
    await pause(clock, everyMs, view.closed);
  }
  return undefined;
}

function awayLines(
  reply: Exclude<ControlReply, { readonly kind: "status" }>,
  seen: Date | undefined,
  date: Date,
): string[] {
  const since = seen === undefined ? "" : `, last seen at ${momentText(seen)}`;
  return [
    printable(`away: ${reply.kind === "failed" ? reply.error : reply.text}`),
    `${momentText(date)}${since}`,
  ];
}

/** What the work comes to, or `undefined` as soon as nobody looks any more. */
async function unlessClosed<T>(closed: AbortSignal, work: Promise<T>): Promise<T | undefined> {
  if (closed.aborted) return undefined;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const giveUp = () => resolve(undefined);
  closed.addEventListener("abort", giveUp);
  try {
    return await Promise.race([promise, work]);
  } finally {
    closed.removeEventListener("abort", giveUp);
  }
}

async function pause(clock: Clock, ms: number, closed: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(ms, resolve);
  await unlessClosed(closed, promise);
  cancel();
}
