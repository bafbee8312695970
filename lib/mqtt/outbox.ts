/**
 * What a connection publishes from. The queue stands behind it.
 *
 * @module
 */

/** A message to publish. */
export interface Message {
  /** The topic name, complete. */
  readonly topic: string;
  /** The payload, never changed. */
  readonly payload: Uint8Array<ArrayBuffer>;
  /** Quality of Service. */
  readonly qos: 0 | 1 | 2;
  /** Whether the broker keeps it. */
  readonly retain: boolean;
  /** Counts it once the broker has it. */
  readonly counter: MessageCounter;
}

/** Messages of one topic that their broker has. */
export interface MessageCounter {
  /** How many. */
  messages: number;
}

/** Why a message that was in flight is given up. */
export type GiveUpReason = "too_large" | "refused";

/** Messages in the order in which they are to be published. */
export interface Outbox {
  /** How many messages wait. */
  readonly length: number;
  /** Messages taken and neither acknowledged, put back nor dropped. */
  readonly inFlight: number;
  /** How many messages were dropped for any reason. */
  readonly droppedTotal: number;
  /** How many of them because there was no room. */
  readonly overflowed: number;
  /** Takes a message in, which may cost another one its place. */
  offer(message: Message): void;
  /** The oldest waiting message, left where it is. */
  peek(): Message | undefined;
  /** Takes the oldest waiting message out; it is in flight from here on. */
  take(): Message | undefined;
  /** A message in flight has arrived. */
  acknowledge(message: Message): void;
  /** A message in flight is given up. */
  drop(reason: GiveUpReason): void;
  /** Messages in flight go back to the head, in the order given. */
  putBack(messages: readonly Message[]): void;
}
