/**
 * What a connection publishes from. The queue stands behind it.
 *
 * @module
 */

/** A message to publish. */
export interface Message {
  /** The topic name, complete. */
  readonly topic: string;
  /**
   * The payload. It stays as it is until the message is acknowledged or dropped; of one that was only
   * offered to be published at once, until that has returned.
   */
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
  /** Tells the topic from the others of its profile, over restarts too. */
  readonly name: string;
  /** How many. */
  messages: number;
}

/** A message of QoS 0 that was not written after all. */
export interface Unwritten {
  /** The message as it was taken. */
  readonly message: Message;
  /** Its payload. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** Why a message that was in flight is given up. */
export type GiveUpReason = "too_large" | "refused";

/** How far the delivery of a QoS 2 message has come (MQTT 5.0, section 4.3.3). */
export interface Delivery {
  /** The packet identifier of its PUBLISH. */
  readonly packetId: number;
  /** Whether PUBREC has come: only PUBREL is left to say. */
  readonly released: boolean;
}

/**
 * Messages in the order in which they are to be published. What {@linkcode take} gave is handed
 * back as it is.
 */
export interface Outbox {
  /** How many messages wait. */
  readonly length: number;
  /** Messages taken and neither acknowledged, put back nor dropped. */
  readonly inFlight: number;
  /**
   * `listener` hears, from now on in place of another, when there may be something to
   * {@linkcode peek} at. `publishAtOnce` is asked first for a message of QoS 0 that nothing waits before;
   * if it returns `true`, the message was published, and is in flight.
   */
  wakes(listener: () => void, publishAtOnce?: (message: Message) => boolean): void;
  /** The broker is there: what waits now is what has gathered without it. */
  resumed(): void;
  /** The message to be published next, left where it is; none if none waits or none may go yet. */
  peek(): Message | undefined;
  /** Takes that message out; it is in flight from here on. */
  take(): Message | undefined;
  /** A message in flight has arrived. */
  acknowledge(message: Message): void;
  /** A message in flight is given up. */
  drop(message: Message, reason: GiveUpReason): void;
  /**
   * Messages in flight go back to the head, in the order given. They are delivered from the start,
   * since their packet identifiers are free; with `keepsDelivery`, that is for the next process to say.
   */
  putBack(messages: readonly Message[], options?: { readonly keepsDelivery?: boolean }): void;
  /** {@linkcode putBack} for messages of QoS 0, whose payloads are here, and only lent. */
  takeBack(unwritten: readonly Unwritten[]): void;
  /**
   * Remembers how far the delivery of a message at QoS 2 has come; `undefined`: it begins anew. Calls
   * back, often at once, when that would outlive the process as surely as the message itself does.
   */
  remember(message: Message, delivery: Delivery | undefined, then: () => void): void;
}
