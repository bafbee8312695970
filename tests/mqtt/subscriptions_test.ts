import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { mosquittoTest, startBroker } from "../support/broker.ts";
import { options, Rig, text, until, VERSIONS, Witness } from "./harness.ts";
import { Peer } from "./peer.ts";

/** What a rig has received, as "topic payload". */
function received({ received }: Rig): string[] {
  return received.map(({ topic, payload }) => `${topic} ${text(payload)}`);
}

/** Publishes, and waits until all that was published to `rig` has come. */
async function publishAll(rig: Rig, witness: Witness, messages: string[]): Promise<void> {
  for (const one of [...messages, `all/${crypto.randomUUID()} come`]) {
    const [topic = "", payload = ""] = one.split(" ");
    await witness.client.publishAsync(topic, payload, { qos: 1 });
  }
  await rig.until("the last message", () => received(rig).at(-1)?.endsWith(" come"));
}

for (const protocolVersion of VERSIONS) {
  mosquittoTest(
    `${protocolVersion}: subscriptions are made at the start, and once more after an outage`,
    async () => {
      await using broker = await startBroker();
      await using rig = new Rig(options(broker.port, { protocolVersion }));
      rig.connection.subscribe([{ filter: "c/+/run", qos: 1 }, { filter: "all/#", qos: 2 }]);
      rig.connection.connect();
      await rig.state("connected");
      {
        await using witness = await Witness.start(broker.port);
        await publishAll(rig, witness, ["c/1/run bgapi", "c/1/other no", "d no"]);
      }
      assert.deepEqual(received(rig).slice(0, -1), ["c/1/run bgapi"]);
      await broker.stop();
      await rig.until("the loss seen", () => rig.connection.state.state !== "connected");
      await broker.start();
      await rig.state("connected");
      await using witness = await Witness.start(broker.port);
      await publishAll(rig, witness, ["c/2/run again"]);
      assert.equal(received(rig).at(-2), "c/2/run again");
    },
  );
}

mosquittoTest("subscriptions are added and removed while connected", async () => {
  await using broker = await startBroker();
  await using witness = await Witness.start(broker.port);
  await using rig = new Rig(options(broker.port));
  const all = { filter: "all/#", qos: 1 } as const;
  rig.connection.subscribe([all, { filter: "a", qos: 1 }]);
  rig.connection.connect();
  await rig.state("connected");
  await publishAll(rig, witness, ["a 1", "b 1"]);
  rig.connection.subscribe([all, { filter: "b", qos: 1 }]);
  // Handled by the broker in order: the mark comes behind.
  await until("the new subscription", () => {
    witness.client.publish("b", "probe");
    return received(rig).includes("b probe");
  });
  await publishAll(rig, witness, ["a 2", "b 2"]);
  const commands = received(rig).filter((one) => /^[ab] \d/.test(one));
  assert.deepEqual(commands, ["a 1", "b 2"]);
});

mosquittoTest(
  "a subscription removed while away is ended in the session that the broker kept",
  async () => {
    await using broker = await startBroker();
    await using witness = await Witness.start(broker.port);
    await using rig = new Rig(options(broker.port, { cleanSession: false }));
    const all = { filter: "all/#", qos: 1 } as const;
    rig.connection.subscribe([all, { filter: "a", qos: 1 }]);
    rig.connection.connect();
    await rig.state("connected");
    await rig.connection.disconnect("disconnected");
    rig.connection.subscribe([all]);
    rig.connection.connect();
    await rig.state("connected");
    await publishAll(rig, witness, ["a 1"]);
    assert.ok(!received(rig).includes("a 1"));
    // It may be asked for again.
    rig.connection.subscribe([all, { filter: "a", qos: 1 }]);
    await until("the subscription", () => {
      witness.client.publish("a", "2");
      return received(rig).includes("a 2");
    });
  },
);

for (
  const [protocolVersion, reason] of [
    ["V311", "Unspecified error"],
    ["V5", "Not authorized"],
  ] as const
) {
  mosquittoTest(
    `${protocolVersion}: a subscription that the broker refuses is shown, the others work`,
    async () => {
      await using peer = await Peer.listen(protocolVersion === "V5" ? 5 : 4);
      await using rig = new Rig(options(peer.port, { protocolVersion }));
      rig.connection.subscribe([{ filter: "no", qos: 1 }, { filter: "yes", qos: 1 }]);
      rig.connection.connect();
      const client = await peer.welcome();
      for (let i = 0; i < 2; i++) {
        const { messageId = 0, subscriptions } = await client.read("subscribe");
        const refusal = protocolVersion === "V5" ? 0x87 : 0x80;
        client.send({
          cmd: "suback",
          messageId,
          granted: [subscriptions[0]?.topic === "no" ? refusal : 1],
        });
      }
      await rig.state("connected");
      assert.equal(rig.connection.subscriptionRefusal("no"), reason);
      assert.equal(rig.connection.subscriptionRefusal("yes"), undefined);
      assert.deepEqual(rig.logged("[ERROR]"), [
        `[ERROR] Cannot subscribe to "no": the broker refuses it (${reason})`,
      ]);
      // Asked for again at another QoS, it is granted.
      rig.connection.subscribe([{ filter: "no", qos: 0 }, { filter: "yes", qos: 1 }]);
      const { messageId = 0 } = await client.read("subscribe");
      client.send({ cmd: "suback", messageId, granted: [0] });
      await rig.until("granted", () => rig.connection.subscriptionRefusal("no") === undefined);
    },
  );
}

const plugin = ["x86_64-linux-gnu/", "aarch64-linux-gnu/", ""]
  .map((folder) => `/usr/lib/${folder}mosquitto_dynamic_security.so`)
  .find((path) => existsSync(path));

// An acl_file of mosquitto 2.0 hides messages but refuses no SUBSCRIBE; this plugin does.
const testWithPlugin = plugin === undefined
  ? (name: string, fn: () => Promise<void>) => Deno.test({ name, ignore: true, fn })
  : mosquittoTest;

testWithPlugin("a subscription that mosquitto refuses is shown", async () => {
  const folder = await Deno.makeTempDir({ prefix: "fsmqtt-mqtt-" });
  try {
    const file = join(folder, "rules.json");
    const acls = [{ acltype: "subscribeLiteral", topic: "yes", allow: true }];
    await Deno.writeTextFile(
      file,
      JSON.stringify({
        defaultACLAccess: { subscribe: false },
        roles: [{ rolename: "guest", acls }],
        groups: [{ groupname: "guests", roles: [{ rolename: "guest" }] }],
        anonymousGroup: "guests",
      }),
    );
    const lines = [`plugin ${plugin}`, `plugin_opt_config_file ${file}`];
    await using broker = await startBroker({ lines });
    for (const protocolVersion of ["V311", "V5"] as const) {
      await using rig = new Rig(options(broker.port, { protocolVersion }));
      rig.connection.subscribe([{ filter: "no", qos: 1 }, { filter: "yes", qos: 1 }]);
      rig.connection.connect();
      await rig.state("connected");
      assert.match(rig.connection.subscriptionRefusal("no") ?? "", /error|Not authorized/);
      assert.equal(rig.connection.subscriptionRefusal("yes"), undefined);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

mosquittoTest("an unanswered subscription is no refusal when the connection ends", async () => {
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port));
  rig.connection.subscribe([{ filter: "a", qos: 1 }]);
  rig.connection.connect();
  const client = await peer.welcome();
  await client.read("subscribe");
  client.destroy();
  await rig.reason("waiting");
  const second = await peer.welcome();
  await second.read("subscribe");
  const ended = rig.connection.disconnect("disconnected");
  rig.connection.subscribe([{ filter: "b", qos: 1 }]);
  await second.read("disconnect");
  second.socket.end();
  await ended;
  assert.equal(rig.connection.subscriptionRefusal("a"), undefined);
  assert.equal(rig.connection.subscriptionRefusal("b"), undefined);
  assert.deepEqual(rig.logged("[ERROR]"), []);
});

mosquittoTest("a backlog does not go out before SUBSCRIBE", async () => {
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port));
  rig.connection.subscribe([{ filter: "a", qos: 1 }]);
  rig.offer("t", ["1", "2"], 0);
  rig.connection.connect();
  const client = await peer.welcome();
  await client.read("subscribe");
  await client.read("publish");
});

for (const protocolVersion of ["V311", "V5"] as const) {
  const comes = protocolVersion === "V311";
  mosquittoTest(
    `${protocolVersion}: a stored message ${
      comes ? "is told by its flag" : "does not come"
    } at subscribe time`,
    async () => {
      await using broker = await startBroker();
      await using witness = await Witness.start(broker.port);
      await witness.client.publishAsync("c", "stored", { qos: 1, retain: true });
      await using rig = new Rig(options(broker.port, { protocolVersion }));
      rig.connection.subscribe([{ filter: "c", qos: 1 }, { filter: "all/#", qos: 1 }]);
      rig.connection.connect();
      await rig.state("connected");
      await publishAll(rig, witness, ["c live"]);
      await witness.client.publishAsync("c", "stored while subscribed", { qos: 1, retain: true });
      await publishAll(rig, witness, []);
      const flags = rig.received.filter(({ topic }) => topic === "c")
        .map(({ payload, retained }) => `${text(payload)}: ${retained}`);
      assert.deepEqual(flags, [
        ...(comes ? ["stored: true"] : []),
        "live: false",
        // Only MQTT 5 can tell.
        `stored while subscribed: ${!comes}`,
      ]);
    },
  );
}

mosquittoTest("where filters overlap, mosquitto delivers a message once", async () => {
  await using broker = await startBroker();
  await using witness = await Witness.start(broker.port);
  await using rig = new Rig(options(broker.port));
  rig.connection.subscribe([
    { filter: "c/#", qos: 1 },
    { filter: "c/x", qos: 1 },
    { filter: "all/#", qos: 1 },
  ]);
  rig.connection.connect();
  await rig.state("connected");
  await publishAll(rig, witness, ["c/x once"]);
  assert.deepEqual(received(rig).slice(0, -1), ["c/x once"]);
});
