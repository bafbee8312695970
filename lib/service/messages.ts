/**
 * What the starting part of the process and the thread of the agent ask of each other.
 *
 * @module
 */

import type { Carried } from "../agent/carried.ts";
import type { PackedConfig } from "../config/transfer.ts";
import type { ControlReply, ControlRequest, SteeringRequest } from "../control/protocol.ts";
import type { CarriedQueue } from "../queue/event_queue.ts";
import { type PackedRows, packRows, piecesOf, unpackRows } from "../queue/spool/packed_rows.ts";
import { Moved } from "./line.ts";

/** What the starting part asks of the thread. */
export interface AgentCalls {
  /** Listens to FreeSWITCH ahead of `begin`; see `EarlyLink.listening`. */
  listen(config: PackedConfig): Promise<string | undefined>;
  /** Starts the agent. Why it cannot be, is told in place of an error. */
  begin(beginning: Beginning): Promise<BeginFault | undefined>;
  /** Whether it is noted from now on which events are taken. */
  noteEvents(wanted: boolean): void;
  /** Takes up another configuration. */
  adopt(loaded: PackedLoaded): Promise<ControlReply>;
  /** Gives up the one permissions; tells whether it has the others still. */
  giveUp(
    change: {
      readonly given: readonly Deno.PermissionDescriptor[];
      readonly kept: readonly Deno.PermissionDescriptor[];
    },
  ): boolean;
  /** Does what a control request asks for. */
  handle(request: ControlRequest): Promise<ControlReply>;
  /** Opens the log files anew. */
  reopenLogs(argument: undefined): void;
  /** Ends the agent in favour of one in another thread; see `Agent.handOver`. */
  handOver(first: string | undefined): Promise<Moved<PackedCarried>>;
  /** Ends the agent in order. */
  stop(argument: undefined): Promise<void>;
  /** Answers as soon as the loop comes round. */
  ping(argument: undefined): void;
  /** What keeps the spools has died. */
  spoolFailed(failure: { readonly spool: number; readonly reason: string }): void;
}

/** What the thread asks of the starting part. */
export interface HostCalls {
  /** Looks up SRV records of a name that is configured. */
  resolveSrv(name: string): Promise<readonly Deno.SrvRecord[]>;
  /** Starts a thread that keeps spools and answers on this port. */
  startSpool(start: { readonly spool: number; readonly port: MessagePort }): void;
  /** Ends it. */
  endSpool(spool: number): void;
}

/** What an agent is begun with. */
export interface Beginning {
  /** The configuration. */
  readonly config: PackedConfig;
  /** What is to be known of it. */
  readonly warnings: readonly string[];
  /** What an agent before this one has handed over. */
  readonly carried?: PackedCarried;
  /** What is to be logged of why it begins. */
  readonly notice?: string;
  /** What was steered there and goes on. */
  readonly steered?: readonly SteeringRequest[];
}

/** Why an agent could not be begun. */
export interface BeginFault {
  /** In words. */
  readonly text: string;
  /** Whether a permission of the system is missing. */
  readonly isDenied: boolean;
}

/** A configuration that was loaded again; the errors in words if it cannot be used. */
export type PackedLoaded =
  | {
    readonly config: PackedConfig;
    readonly warnings: readonly string[];
    readonly notes: readonly string[];
  }
  | { readonly errors: readonly string[] };

/** What an agent hands over, its messages in a few large pieces. */
export interface PackedCarried extends Omit<Carried, "queues"> {
  /** The queues. */
  readonly queues: ReadonlyMap<string, Omit<CarriedQueue, "rows"> & { readonly rows: PackedRows }>;
}

/** Packs what is handed over; its messages change hands. */
export function packCarried({ queues, ...rest }: Carried): Moved<PackedCarried> {
  const packed = [...queues].map(([key, { rows, books }]) =>
    [key, { rows: packRows(rows), books }] as const
  );
  const carried = { ...rest, queues: new Map(packed) };
  return new Moved(carried, carriedPieces(carried));
}

/** The pieces of what is handed over. */
function carriedPieces({ queues }: PackedCarried): ArrayBuffer[] {
  return [...queues.values()].flatMap(({ rows }) => piecesOf(rows));
}

/** Unpacks what was handed over. */
export function unpackCarried({ queues, ...rest }: PackedCarried): Carried {
  const unpacked = [...queues].map(([key, { rows, books }]) =>
    [key, { rows: unpackRows(rows), books }] as const
  );
  return { ...rest, queues: new Map(unpacked) };
}
