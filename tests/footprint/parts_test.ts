/** What `deno task footprint` is made of. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect } from "node:net";
import mqtt from "mqtt";
import { BrokerStandIn } from "../../scripts/footprint/broker.ts";
import { memoryOf } from "../../scripts/measure/memory.ts";
import { spreadOf } from "../../scripts/measure/spread.ts";
import { document, missed, type Row, table } from "../../scripts/footprint/table.ts";

const MB = 2 ** 20;

for (
  const [numbers, spread] of [
    [[], undefined],
    [[7], { median: 7, least: 7, most: 7 }],
    [[9, 1, 100], { median: 9, least: 1, most: 100 }],
    [[10, 2, 4, 8], { median: 6, least: 2, most: 10 }],
  ] as const
) {
  Deno.test(`the spread of ${numbers.join(", ") || "nothing"}`, () => {
    assert.deepEqual(spreadOf(numbers), spread);
  });
}

for (const protocolVersion of [4, 5] as const) {
  Deno.test(`the stand-in for a broker holds a client of version ${protocolVersion}`, async () => {
    await using broker = await BrokerStandIn.start();
    const greeted = broker.greets();
    const before = performance.now();
    const client = mqtt.connect({ host: "127.0.0.1", port: broker.port, protocolVersion });
    await new Promise((connected) => client.once("connect", connected));
    const at = await greeted;
    assert(at >= before && at <= performance.now());
    assert.deepEqual((await client.subscribeAsync("a", { qos: 1 }))[0]?.qos, 1);
    for (const qos of [0, 1, 2] as const) await client.publishAsync("a", "b", { qos });
    await client.endAsync();
  });
}

Deno.test("the stand-in for a broker knows of a connection without CONNECT that it is no client", async () => {
  await using broker = await BrokerStandIn.start();
  let greeted = false;
  broker.greets().then(() => greeted = true);
  const socket = connect(broker.port, "127.0.0.1");
  socket.write(Buffer.from([0xc0, 0]));
  const [answer] = await once(socket, "data");
  assert.deepEqual([...answer as Uint8Array], [0xd0, 0]);
  assert.equal(greeted, false);
  socket.destroy();
});

Deno.test("memory is that of the process asked for", async () => {
  const { rss, pss, private: own } = await memoryOf(Deno.pid);
  assert(own > 0 && own < pss && pss <= rss, `${own} ${pss} ${rss}`);
  const block = new Uint8Array(64 * MB).fill(1);
  const grown = await memoryOf(Deno.pid);
  assert(grown.private >= own + 60 * MB, `${grown.private} after ${own} and ${block.length}`);
});

Deno.test("the memory of a process that is not there is an error", async () => {
  await assert.rejects(memoryOf(2 ** 22 + 1), Deno.errors.NotFound);
});

function row(name: string, rss: number, connackMs: number | undefined, isFsmqtt = true): Row {
  const start = { connackMs, memory: { rss: rss * MB, pss: rss * MB, private: MB } };
  return {
    form: {
      name,
      command: [],
      connects: connackMs !== undefined,
      isFsmqtt,
      programBytes: MB,
      diskBytes: 2 * MB,
    },
    cold: [start],
    warm: [start],
  };
}

const REFERENCE_ROW = row("MQTT.js alone", 80, 999, false);

for (
  const [what, rows, faults] of [
    ["what is as large and as slow as it may be", [row("a", 100, 250)], []],
    ["what is larger", [row("a", 101, 250)], ["a: x 1.26"]],
    ["what is slower", [row("a", 100, 251)], ["a: 251 ms"]],
    ["what is both", [row("a", 160, 300)], ["a: 300 ms", "a: x 2.00"]],
    ["what is not fsmqtt", [row("Deno alone", 900, undefined, false)], []],
    [
      "what is not there",
      [{ form: { name: "executable", missing: "no" }, cold: [], warm: [] }],
      [],
    ],
  ] as const
) {
  Deno.test(`targets and ${what}`, () => {
    assert.deepEqual(missed([REFERENCE_ROW, ...rows]), faults);
  });
}

Deno.test("the table says each figure, and why a form has none", () => {
  const missing = { form: { name: "executable", missing: "there is none" }, cold: [], warm: [] };
  const rows = [REFERENCE_ROW, row("bundle", 90, 123), missing];
  const lines = table(rows).split("\n");
  assert.match(
    lines[2] ?? "",
    /^bundle\s+1\.0\s+2\.0\s+123\s+123\s+\(123-123\)\s+90\.0.* x 1\.13$/,
  );
  assert.match(lines[3] ?? "", /^executable\s+there is none$/);
  assert.match(table(rows), /All are met\.$/);
  assert.match(table([...rows, row("slow", 80, 400)]), /Missed: slow: 400 ms\.$/);
});

Deno.test("for programs there are bytes and milliseconds", () => {
  const spread = (each: number) => ({ median: each, least: each, most: each });
  const figures = {
    connack_ms: spread(123),
    rss_bytes: spread(90 * MB),
    pss_bytes: spread(90 * MB),
    private_bytes: spread(MB),
  };
  assert.deepEqual(document([row("bundle", 90, 123)]), [{
    name: "bundle",
    program_bytes: MB,
    disk_bytes: 2 * MB,
    cold: figures,
    warm: figures,
  }]);
});
