/**
 * What is in a spool, and what may be done to it: what the agent and the worker that keeps the
 * files say to each other.
 *
 * @module
 */

import type { Delivery } from "../../mqtt/outbox.ts";

/** A message as it is kept on disk, or handed over to another queue. */
export interface Row {
  /** Its place: rows are sent again in the order of these. */
  readonly row: number;
  /** When it was offered, in milliseconds of the wall clock since 1970. */
  readonly offeredAt: number;
  /** The topic name, complete. */
  readonly topic: string;
  /** The payload, never changed. */
  readonly payload: Uint8Array<ArrayBuffer>;
  /** Quality of Service; at QoS 0 nothing is kept on disk. */
  readonly qos: 0 | 1 | 2;
  /** Whether the broker is to keep it. */
  readonly retain: boolean;
  /** Names the counter of the publisher's topic that it belongs to. */
  readonly counter: string;
  /** What MQTT has to remember of it, if its delivery at QoS 2 has begun. */
  readonly delivery: Delivery | undefined;
}

/** So many messages, and so many bytes of them. */
export interface Amount {
  /** Messages. */
  readonly messages: number;
  /** Bytes, as {@linkcode rowBytes} tells. */
  readonly bytes: number;
}

/** Changes that are made together or not at all, in this order. */
export interface Changes {
  /** Rows that are gone: acknowledged or given up. Ones that are not there do not matter. */
  readonly remove: readonly number[];
  /** New rows; one of a number that is there already takes its place. */
  readonly insert: readonly Row[];
  /**
   * Deliveries that have begun or come on; `undefined` where one starts from nothing again. A packet
   * identifier is that of the row which claimed it last.
   */
  readonly update: readonly { readonly row: number; readonly delivery: Delivery | undefined }[];
}

/** What a spool holds. */
export interface Contents {
  /** The highest number that a row has or ever had; 0 in a new spool. */
  readonly lastRow: number;
  /** How many rows there are. */
  readonly messages: number;
  /** The sizes of all rows together, each as `rowBytes` tells. */
  readonly bytes: number;
  /** The rows whose delivery at QoS 2 has begun, in the order of their numbers. */
  readonly deliveries: readonly Row[];
}

/** What became of a file that was damaged. */
export interface Damage {
  /** Why it could not be read. */
  readonly reason: string;
  /** Where it was put; `undefined` if it could not be moved and was emptied in its place. */
  readonly setAside: string | undefined;
  /** Rows that could be read and are in the new file. */
  readonly saved: number;
  /** Rows that are lost, if the file could still tell. */
  readonly lost: number | undefined;
}

/** What a message takes beside its topic and payload, roughly, in bytes. */
const ROW_OVERHEAD = 128;

/** What a message counts for in the bounds, in bytes. */
export function rowBytes(
  message: { readonly topic: string; readonly payload: Uint8Array },
): number {
  return message.payload.length + message.topic.length + ROW_OVERHEAD;
}

/** Why a spool cannot take what it was given; it keeps what it had. */
export class SpoolError extends Error {
  /** Its name, for logs. */
  override readonly name: string = "SpoolError";
}

/** One spool, as the agent sees it. Everything is done in the order in which it was asked for. */
export interface Spool {
  /** Whether what keeps it has died: nothing more comes of it, and it is to be opened anew. */
  readonly isLost: boolean;
  /**
   * Resolves when the changes are on disk: with `durable`, when they would outlive a power cut; else
   * when they would outlive the death of this process. Until then they must stay as they are. What
   * waits is committed together, but each write is made whole or refused by itself.
   *
   * On a disk that is full, new rows are refused while there is still room to remove some: what only
   * removes is best a write of its own.
   *
   * @throws {SpoolError} if nothing of them was written, such as on a full disk.
   */
  write(changes: Changes, durable: boolean): Promise<void>;
  /**
   * The next rows after this number, at most so many and of so many bytes together, but at least one
   * if there is any. Rows whose delivery has begun are among them. The payloads of one answer are
   * views of one buffer, which lives as long as any of them.
   *
   * @throws {SpoolError} if the disk cannot be read.
   */
  read(after: number, limit: Amount): Promise<Row[]>;
  /** Ends it when everything asked for before is done. */
  close(): Promise<void>;
}

/** What hears of a spool's mishaps. */
export interface SpoolHandlers {
  /**
   * The file was damaged while it was in use, and a new one was begun with what could be saved. It
   * is told before anything that was asked for afterwards is answered; the contents are those before
   * what is not answered yet.
   */
  damaged(damage: Damage, contents: Contents): void;
}

/** What comes of opening a spool. */
export interface OpenedSpool {
  /** The spool itself. */
  readonly spool: Spool;
  /** What it holds. */
  readonly contents: Contents;
  /** What became of the file that was found, if it was damaged. */
  readonly damage: Damage | undefined;
}

/** Opens spools; one for all connections of an agent. */
export interface Spools {
  /**
   * Opens or makes the spool of this file. One that is damaged is set aside, and a new one is begun
   * with what could be saved of it.
   *
   * @throws {SpoolError} if there can be none, with the reason.
   */
  open(path: string, handlers: SpoolHandlers): Promise<OpenedSpool>;
  /** Ends the worker; all spools have to be closed before. */
  close(): Promise<void>;
}
