/** modesl, an ESL client that others wrote, takes the simulator for a FreeSWITCH. */

import assert from "node:assert/strict";
import { once } from "node:events";
import modesl from "modesl";
import { Simulator } from "../../lib/simulator/simulator.ts";

// deno-lint-ignore no-explicit-any -- modesl has no types
type Loose = any;

async function connect(simulator: Simulator): Promise<Loose> {
  const { hostname, port, password } = simulator;
  const connection: Loose = new (modesl as Loose).Connection(hostname, port, password);
  await once(connection, "esl::ready");
  return connection;
}

/** Calls a method that takes a callback last. */
function ask(connection: Loose, method: string, ...args: unknown[]): Promise<Loose> {
  return new Promise((resolve) => connection[method](...args, resolve));
}

async function disconnect(connection: Loose): Promise<void> {
  const ended = once(connection, "esl::end");
  connection.disconnect();
  await ended;
}

Deno.test("modesl: authenticates, subscribes, receives the 23 events of a call", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  const connection = await connect(simulator);
  await ask(connection, "subscribe", ["CHANNEL_CREATE", "ALL"]);
  const names: string[] = [];
  const whole = new Promise<void>((resolve) => {
    connection.on("esl::event::**", (event: Loose) => {
      if (event.getHeader("Unique-ID") !== undefined) names.push(event.getHeader("Event-Name"));
      if (names.length === 23) resolve();
    });
  });
  simulator.fireCall();
  await whole;
  assert.equal(names.filter((name) => name === "CHANNEL_STATE").length, 7);
  assert.deepEqual([names[4], names[9], names[21]], [
    "CHANNEL_CREATE",
    "CHANNEL_ANSWER",
    "CHANNEL_DESTROY",
  ]);
  await disconnect(connection);
});

Deno.test("modesl: api and bgapi with their results", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  simulator.handleApi("greet", (name) => `Good day, ${name}\n`);
  const connection = await connect(simulator);
  assert.equal((await ask(connection, "api", "greet", "Zoë")).getBody(), "Good day, Zoë\n");
  const job = await ask(connection, "bgapi", "greet", "Ana");
  assert.equal(job.getBody(), "Good day, Ana\n");
  await disconnect(connection);
});

Deno.test("modesl: a wrong password is refused", async () => {
  await using simulator = await Simulator.start({ password: "right" });
  const connection: Loose = new (modesl as Loose).Connection("127.0.0.1", simulator.port, "wrong");
  const refused = once(connection, "esl::event::auth::fail");
  const ended = once(connection, "esl::end");
  await refused;
  await ended;
  assert.equal(simulator.received[0]?.command, "auth wrong");
});
