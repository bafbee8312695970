/** QoS 2 over the death of the process, with the spool on a real disk. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { BrokerConnection } from "../../lib/mqtt/connection.ts";
import { SessionMemory } from "../../lib/mqtt/session_memory.ts";
import { Logger } from "../../lib/log/logger.ts";
import { systemClock } from "../../lib/clock.ts";
import { EventQueue } from "../../lib/queue/event_queue.ts";
import type { Spools } from "../../lib/queue/spool/rows.ts";
import { DiskSpools } from "../../lib/queue/spool/spools.ts";
import { message, numbers, options, until } from "./harness.ts";
import { Peer, type PeerConnection } from "./peer.ts";

const BOUNDS = { messages: 1_000, bytes: 2 ** 20 };
const STAGES = ["PUBLISH", "PUBREC", "PUBREL", "PUBCOMP", "nothing"] as const;

/** What a broker knows of a session. */
class Session {
  readonly delivered: string[] = [];
  readonly #held = new Set<number>();
  #next = 0;

  /** Answers what has come; what is `lost` does not reach the other side. */
  serve(client: PeerConnection, lost: (typeof STAGES)[number]): void {
    for (; this.#next < client.packets.length; this.#next++) {
      const packet = client.packets[this.#next];
      const messageId = packet?.messageId ?? 0;
      if (packet?.cmd === "publish" && lost !== "PUBLISH") {
        if (!this.#held.has(messageId)) this.delivered.push(String(packet.payload));
        this.#held.add(messageId);
        if (lost !== "PUBREC") client.send({ cmd: "pubrec", messageId });
      } else if (packet?.cmd === "pubrel" && lost !== "PUBREL") {
        this.#held.delete(messageId);
        if (lost !== "PUBCOMP") client.send({ cmd: "pubcomp", messageId });
      }
    }
  }

  /** Another connection begins. */
  begin(): void {
    this.#next = 0;
  }

  /** The broker has lost it. */
  forget(): void {
    this.#held.clear();
    this.delivered.length = 0;
  }
}

/** A queue and a connection as the agent makes them, which can be thrown away. */
class Life implements AsyncDisposable {
  readonly queue = new EventQueue({ limits: BOUNDS, spool: { limits: BOUNDS, commitMs: 0 } });
  readonly #spools = new DiskSpools();
  readonly #connection: BrokerConnection;
  readonly #memory: SessionMemory;
  #asked = 0;
  #answered = 0;
  /** What the disk has to wait for before it writes. */
  hold: Promise<void> = Promise.resolve();

  constructor(port: number, clientId: string, readonly file: string) {
    const chosen = options(port, { clientId, cleanSession: false });
    this.#memory = new SessionMemory(chosen, this.queue);
    this.#connection = new BrokerConnection(chosen, {
      queue: this.queue,
      memory: this.#memory,
      log: new Logger({ level: "info", details: false, sinks: [] }, systemClock),
      clock: systemClock,
      received: () => {},
    });
  }

  async open(): Promise<void> {
    const begun = await this.queue.open(this.#watched(), this.file);
    const unknown = begun.filter((one) => {
      const delivery = this.queue.deliveryOf(one) ?? assert.fail();
      return !this.#memory.outgoing.adopt(one, delivery);
    });
    assert.deepEqual(unknown, []);
  }

  connect(): void {
    this.#connection.connect();
  }

  /** Resolves when the disk has answered all that it was asked. */
  async written(): Promise<void> {
    await until("the disk", () => this.#asked > 0 && this.#asked === this.#answered);
  }

  /** What another process would find if this one died now. */
  async crash(): Promise<string> {
    const copy = `${this.file}+`;
    for (const end of ["", "-wal"]) await Deno.copyFile(this.file + end, copy + end);
    return copy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
    await this.queue.close();
    await this.#spools.close();
  }

  #watched(): Spools {
    return {
      open: async (path, handlers) => {
        const { spool, ...rest } = await this.#spools.open(path, handlers);
        const write: typeof spool.write = async (changes, durable) => {
          this.#asked++;
          await this.hold;
          await spool.write(changes, durable).finally(() => this.#answered++);
        };
        const watched = {
          get isLost() {
            return spool.isLost;
          },
          write,
          read: spool.read.bind(spool),
          close: spool.close.bind(spool),
        };
        return { spool: watched, ...rest };
      },
      close: () => this.#spools.close(),
    };
  }
}

for (const lost of STAGES) {
  for (const isSessionLost of [false, true]) {
    const name = isSessionLost
      ? "the broker loses its session too: nothing is lost"
      : "exactly once";
    Deno.test(`the process dies after ${lost} was lost, ${name}`, async () => {
      const folder = await Deno.makeTempDir();
      using _folder = { [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }) };
      await using peer = await Peer.listen();
      const session = new Session();
      const clientId = "exactly";
      let copy: string;
      {
        await using first = new Life(peer.port, clientId, join(folder, "spool"));
        await first.open();
        for (const payload of numbers(1, 9)) {
          first.queue.offer(message("t", payload, { qos: 2 }));
        }
        await until("all on disk", () => first.queue.spool?.messages === 9);
        await first.written();
        first.connect();
        const client = await peer.welcome();
        await until("the stage", () => {
          session.serve(client, lost);
          const cmd = lost === "PUBREL" || lost === "PUBCOMP" ? "pubrel" : "publish";
          return lost === "nothing"
            ? first.queue.books.acknowledged >= 5
            : client.packets.filter((packet) => packet.cmd === cmd).length === 9;
        });
        await first.written();
        copy = await first.crash();
        client.destroy();
      }
      if (isSessionLost) session.forget();
      await using second = new Life(peer.port, clientId, copy);
      await second.open();
      const { offered } = second.queue.books;
      second.connect();
      // The first one may have tried again before it was gone.
      const client = await peer.welcome({ sessionPresent: !isSessionLost });
      session.begin();
      await until("all acknowledged", () => {
        session.serve(client, "nothing");
        return second.queue.books.acknowledged === offered;
      });
      if (isSessionLost) {
        assert.equal(session.delivered.length, offered);
        if (lost !== "nothing") assert.equal(offered, 9);
      } else assert.deepEqual(session.delivered, numbers(1, 9));
    });
  }
}

Deno.test("nothing is sent before the disk has it, and nothing of a connection that is over", async () => {
  const folder = await Deno.makeTempDir();
  using _folder = { [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }) };
  await using peer = await Peer.listen();
  await using life = new Life(peer.port, "held", join(folder, "spool"));
  await life.open();
  for (const payload of numbers(1, 3)) life.queue.offer(message("t", payload, { qos: 2 }));
  await until("all on disk", () => life.queue.spool?.messages === 3);
  await life.written();
  const release: (() => void)[] = [];
  using _released = { [Symbol.dispose]: () => release.forEach((go) => go()) };
  const holdDisk = () => {
    life.hold = new Promise((resolve) => release.push(resolve));
  };
  const kinds = (client: PeerConnection, cmd: string) =>
    client.packets.filter((packet) => packet.cmd === cmd).map(({ messageId }) => messageId);
  holdDisk();
  life.connect();
  const first = await peer.welcome();
  await first.settled();
  assert.deepEqual(kinds(first, "publish"), [], "its identifier is not on disk yet");
  release.shift()?.();
  await until("all published", () => kinds(first, "publish").length === 3);
  holdDisk();
  const ids = kinds(first, "publish");
  for (const messageId of ids) first.send({ cmd: "pubrec", messageId: messageId ?? 0 });
  await first.settled();
  assert.deepEqual(kinds(first, "pubrel"), [], "it is not on disk yet that the broker has it");
  first.destroy();
  // The broker has lost the session: what was to be released is to be published again.
  const second = await peer.welcome({ sessionPresent: false });
  await second.settled();
  release.shift()?.();
  await until("the first one again", () => kinds(second, "publish").length > 0);
  await second.settled(65_001);
  assert.deepEqual(kinds(second, "pubrel"), [], "the broker would take it for the end of another");
  const session = new Session();
  await until("all acknowledged", () => {
    session.serve(second, "nothing");
    return life.queue.books.acknowledged === 3;
  });
  assert.deepEqual(session.delivered, numbers(1, 3));
});
