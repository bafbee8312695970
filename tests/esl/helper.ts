/** What the tests of this room share. */

import assert from "node:assert/strict";
import { type Clock, systemClock } from "../../lib/clock.ts";
import {
  EslConnection,
  type EslConnectionOptions,
  type EslEndpoint,
} from "../../lib/esl/connection.ts";
import type { EslError } from "../../lib/esl/errors.ts";
import { EslLink, type LinkState, type SwitchIdentity } from "../../lib/esl/link.ts";
import { Secret } from "../../lib/secret.ts";
import { Session } from "../../lib/simulator/session.ts";
import type { Simulator } from "../../lib/simulator/simulator.ts";
import { Watchers } from "../../lib/simulator/watchers.ts";

/** What never comes would otherwise hang the whole run instead of failing one test. */
const DEADLINE_MS = 10_000;

/** A test that waits for sockets, with a deadline. */
export function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, timeout: 2 * DEADLINE_MS });
}

/** Everything that was told, in order; what is still to come can be waited for. */
export class Told<T> {
  readonly all: T[] = [];
  readonly #watchers = new Watchers();

  add(item: T): void {
    this.all.push(item);
    this.#watchers.look();
  }

  /** The first that is `wanted`, from number `from` on. */
  async find(wanted: (item: T) => boolean, from = 0): Promise<T> {
    const deadline = setTimeout(
      () => this.#watchers.fail(new Error(`Not told in time; so far: ${Deno.inspect(this.all)}`)),
      DEADLINE_MS,
    );
    return await this.#watchers.until(() => this.all.slice(from).find(wanted))
      .finally(() => clearTimeout(deadline));
  }

  /** Number `index`, from 0. */
  async at(index: number): Promise<T> {
    return await this.find(() => true, index);
  }
}

const decoder = new TextDecoder();

/** A link's two connections as the simulator sees them, to have a fault on one alone. */
export function sessionsOf({ connections }: Simulator): { commands: Session; events: Session } {
  const [commands, events] = connections;
  assert.ok(commands instanceof Session && events instanceof Session);
  return { commands, events };
}

/** Where a simulator, or anything else, is to be logged in to. */
export function endpointOf(
  { port, password = "ClueCon", user }: { port: number; password?: string; user?: string },
): EslEndpoint {
  return { host: "127.0.0.1", port, password: new Secret(password), user };
}

/** Connects; `events` and `closed` hold what the connection tells. */
export async function openConnection(
  endpoint: EslEndpoint,
  options: Partial<EslConnectionOptions> = {},
): Promise<
  & {
    connection: EslConnection;
    events: Told<string>;
    tooLong: Told<{ length: number; start: string }>;
    closed: Told<EslError>;
  }
  & Disposable
> {
  const events = new Told<string>();
  const tooLong = new Told<{ length: number; start: string }>();
  const closed = new Told<EslError>();
  const connection = await EslConnection.open(endpoint, {
    event: (body) => events.add(decoder.decode(body)),
    tooLong: (length, start) => tooLong.add({ length, start: decoder.decode(start) }),
    closed: (reason) => closed.add(reason),
  }, { clock: systemClock, ...options });
  return { connection, events, tooLong, closed, [Symbol.dispose]: () => connection.close() };
}

/** A link that has been started, and all that it told. */
export interface StartedLink extends Disposable {
  readonly link: EslLink;
  readonly events: Told<Record<string, string>>;
  readonly tooLong: Told<{ length: number; name: string | undefined }>;
  readonly states: Told<LinkState>;
  readonly identities: Told<SwitchIdentity>;
  readonly originalModule: Told<boolean>;
  readonly callLegs: Told<number>;
  readonly losses: Told<{ reason: string; silentMs: number }>;
  /** The `number`-th time that it was connected, from 1. */
  connected(number?: number): Promise<void>;
}

/** Starts a link. Its back-off has no jitter. */
export function startLink(
  endpoint: EslEndpoint,
  options: {
    readonly subscription?: readonly string[];
    readonly clock?: Clock;
    readonly onEvent?: (event: Record<string, string>) => void;
  } = {},
): StartedLink {
  const events = new Told<Record<string, string>>();
  const tooLong = new Told<{ length: number; name: string | undefined }>();
  const states = new Told<LinkState>();
  const identities = new Told<SwitchIdentity>();
  const originalModule = new Told<boolean>();
  const callLegs = new Told<number>();
  const losses = new Told<{ reason: string; silentMs: number }>();
  const link = new EslLink({
    endpoint,
    subscription: options.subscription ?? ["event json HEARTBEAT GENERAL"],
    clock: options.clock ?? systemClock,
    random: () => 0,
  }, {
    event: (body) => {
      const event = JSON.parse(decoder.decode(body));
      events.add(event);
      options.onEvent?.(event);
    },
    eventTooLong: (length, name) => tooLong.add({ length, name }),
    state: (state) => states.add(state),
    identity: (identity) => identities.add(identity),
    originalModuleLoaded: (loaded) => originalModule.add(loaded),
    callLegs: (count) => callLegs.add(count),
    lost: (reason, silentMs) => losses.add({ reason, silentMs }),
  });
  link.start();
  return {
    link,
    events,
    tooLong,
    states,
    identities,
    originalModule,
    callLegs,
    losses,
    async connected(number = 1) {
      await states.find(() =>
        states.all.filter(({ state }) => state === "connected").length >= number
      );
    },
    [Symbol.dispose]: () => link.stop(),
  };
}

const encoder = new TextEncoder();

/** A server that says only what a test has it say: for what the simulator, as FreeSWITCH, cannot. */
export class Peer implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  #socket: Deno.TcpConn | undefined;
  #text = "";

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Waits for the client. */
  async accept(): Promise<void> {
    this.#socket = await this.#listener.accept();
  }

  /** Waits for the client, and lets it in whatever its password is. */
  async welcome(): Promise<void> {
    await this.accept();
    await this.send("Content-Type: auth/request\n\n");
    await this.command();
    await this.send("Content-Type: command/reply\nReply-Text: +OK accepted\n\n");
  }

  async send(text: string): Promise<void> {
    const bytes = encoder.encode(text);
    for (let at = 0; at < bytes.length;) at += await this.#socket?.write(bytes.subarray(at)) ?? 0;
  }

  /** The next command, without its end; `undefined` if the client is gone. */
  async command(): Promise<string | undefined> {
    const buffer = new Uint8Array(4096);
    while (!this.#text.includes("\n\n")) {
      const count = await this.#socket?.read(buffer) ?? null;
      if (count === null) return undefined;
      this.#text += decoder.decode(buffer.subarray(0, count));
    }
    const end = this.#text.indexOf("\n\n");
    const command = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 2);
    return command;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    this.#socket?.close();
  }
}
