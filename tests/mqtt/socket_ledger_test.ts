import assert from "node:assert/strict";
import { SocketLedger } from "../../lib/mqtt/socket_ledger.ts";
import { message } from "./harness.ts";

/** A stream that counts as a `net.Socket` does. */
class Counts {
  bytesWritten = 0;
  writableLength = 0;

  write(bytes: number): void {
    this.bytesWritten += bytes;
    this.writableLength += bytes;
  }

  take(bytes: number): void {
    this.writableLength -= bytes;
  }
}

const topics = (messages: { topic: string }[]) => messages.map(({ topic }) => topic).join("");

Deno.test("a message is settled when the socket has taken its last byte", () => {
  const stream = new Counts();
  const ledger = new SocketLedger(stream);
  assert.ok(ledger.isEmpty);
  for (const topic of ["a", "b", "c"]) {
    stream.write(10);
    ledger.add(message(topic, "x"));
    ledger.seal();
  }
  assert.equal(topics(ledger.settle()), "");
  stream.take(9);
  assert.equal(topics(ledger.settle()), "");
  stream.take(1);
  assert.equal(topics(ledger.settle()), "a");
  stream.take(20);
  assert.equal(topics(ledger.settle()), "bc");
  assert.equal(topics(ledger.settle()), "");
  assert.ok(ledger.isEmpty);
});

Deno.test("other bytes on the socket count for nobody", () => {
  const stream = new Counts();
  const ledger = new SocketLedger(stream);
  stream.write(100);
  stream.write(10);
  ledger.add(message("a", "x"));
  ledger.seal();
  stream.write(100);
  stream.take(109);
  assert.equal(topics(ledger.settle()), "");
  stream.take(1);
  assert.equal(topics(ledger.settle()), "a");
});

Deno.test("a batch is settled as one, and settling ends the batch under way", () => {
  const stream = new Counts();
  const ledger = new SocketLedger(stream);
  stream.write(10);
  ledger.add(message("a", "x"));
  stream.write(10);
  ledger.add(message("b", "x"));
  stream.take(10);
  assert.equal(topics(ledger.settle()), "");
  stream.write(10);
  ledger.add(message("c", "x"));
  assert.ok(!ledger.isEmpty);
  stream.take(10);
  assert.equal(topics(ledger.settle()), "ab");
});

Deno.test("the rest is what the socket never took, also what no batch has yet", () => {
  const stream = new Counts();
  const ledger = new SocketLedger(stream);
  for (const topic of ["a", "b"]) {
    stream.write(10);
    ledger.add(message(topic, "x"));
    ledger.seal();
  }
  stream.take(10);
  assert.equal(topics(ledger.settle()), "a");
  stream.write(10);
  ledger.add(message("c", "x"));
  assert.equal(topics(ledger.rest()), "bc");
  assert.ok(ledger.isEmpty);
  assert.equal(topics(ledger.rest()), "");
});
