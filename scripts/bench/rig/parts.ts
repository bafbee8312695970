/**
 * What stands around a contender.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { startBroker } from "../../../tests/support/broker.ts";
import type { Subscriber, SubscriberOptions } from "../programs/subscriber.ts";
import { TOPIC_ROOT } from "./agent_configuration.ts";
import { type ChildOptions, Steered } from "./child.ts";

/** A mosquitto. */
export interface Broker extends AsyncDisposable {
  /** Its port. */
  readonly port: number;
  /** Stops and continues it: connections stay, nothing is read. */
  freeze(frozen: boolean): void;
}

/** Nothing of the broker's is to stand in the way. */
const BROKER_LINES = ["persistence false", "max_queued_messages 0"];
/** Who measures is to collect its garbage seldom; it makes little. */
const CALM = ["--v8-flags=--min-semi-space-size=64"];

/** Starts a broker. */
export async function calmBroker(): Promise<Broker> {
  const broker = await startBroker({ lines: BROKER_LINES });
  return {
    port: broker.port,
    freeze: (frozen) => broker.freeze(frozen),
    [Symbol.asyncDispose]: async () => {
      try {
        await broker[Symbol.asyncDispose]();
      } catch {
        // Ctrl-C has ended it already.
      }
    },
  };
}

/** Starts a subscriber, which tells its progress to that port. */
export async function subscriber(broker: number, progress: number): Promise<Steered<Subscriber>> {
  const options: SubscriberOptions = { broker, progress, filter: `${TOPIC_ROOT}/#` };
  const started = new Steered<Subscriber>(calmProgram("subscriber", options));
  try {
    await started.ask("subscribed");
    return started;
  } catch (error) {
    await started[Symbol.asyncDispose]();
    throw error;
  }
}

/** How a module of `programs/` is started. */
export function program(
  name: string,
  options: unknown = {},
  flags: readonly string[] = [],
): ChildOptions {
  const module = fileURLToPath(new URL(`../programs/${name}.ts`, import.meta.url));
  const command = [Deno.execPath(), "run", "-A", "--no-prompt", ...flags, module];
  return { name, command: [...command, JSON.stringify(options)] };
}

/** How one is started that measures, and is not measured. */
export function calmProgram(name: string, options: unknown = {}): ChildOptions {
  return program(name, options, CALM);
}
