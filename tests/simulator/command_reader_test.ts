import assert from "node:assert/strict";
import { type Command, CommandReader, firstLine } from "../../lib/simulator/command_reader.ts";
import { latin1Bytes } from "../support/esl_client.ts";

const SENT = "\n\r\nauth x\n\nsendevent CUSTOM\r\nEvent-Subclass: a::b\r\nX:   1: 2\nEmpty:\r\n" +
  "content-length: 5\r\n\r\n\n\nabc\n\napi echo\0gone\nGone: yes\n\nexit\n\n";

function readAll(chunks: Iterable<Uint8Array>): Command[] {
  const reader = new CommandReader();
  const commands: Command[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let command = reader.next(); command !== undefined; command = reader.next()) {
      commands.push(command);
    }
  }
  assert.equal(reader.partial, false);
  return commands;
}

Deno.test("commands cut at any byte are the same", () => {
  const bytes = latin1Bytes(SENT);
  const whole = readAll([bytes]);
  assert.deepEqual(whole.map(({ text }) => firstLine(text)), [
    "auth x",
    "sendevent CUSTOM",
    "api echo",
    "exit",
  ]);
  assert.equal(whole[1]?.body, "\n\nabc");
  assert.deepEqual(whole[2]?.headers, []);
  for (let at = 0; at <= bytes.length; at++) {
    assert.deepEqual(readAll([bytes.subarray(0, at), bytes.subarray(at)]), whole);
  }
});

Deno.test("a CR anywhere ends lines at CRs only", () => {
  const [command] = readAll([latin1Bytes("bgapi status\nJob-UUID: x\r\n\r\n")]);
  assert.deepEqual(command?.headers, []);
  assert.equal(firstLine(command?.text ?? ""), "bgapi status\nJob-UUID: x");
});

Deno.test("a body of more than 16 MiB is no command", () => {
  assert.throws(() => readAll([latin1Bytes("x\ncontent-length: 16777217\n\n")]), /out of range/);
  assert.throws(() => readAll([latin1Bytes("x\ncontent-length: -1\n\n")]), /out of range/);
});
