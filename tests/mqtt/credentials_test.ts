import assert from "node:assert/strict";
import { join } from "node:path";
import { Secret } from "../../lib/secret.ts";
import { mosquittoTest, startBroker, type TestBroker } from "../support/broker.ts";
import { options, Rig, VERSIONS } from "./harness.ts";
import { Peer } from "./peer.ts";

const PASSWORD = "pass wörd";

/** A broker that knows one user. */
async function guardedBroker(folder: string): Promise<TestBroker> {
  const file = join(folder, "passwords");
  const { success } = await new Deno.Command("mosquitto_passwd", {
    args: ["-b", "-c", file, "switch", PASSWORD],
  }).output();
  assert.ok(success);
  return await startBroker({ lines: ["allow_anonymous false", `password_file ${file}`] });
}

/** Removes the folder at the end. */
async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "fsmqtt-mqtt-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

for (const protocolVersion of VERSIONS) {
  mosquittoTest(
    `${protocolVersion}: the right password connects, a wrong one is refused`,
    async () => {
      await using folder = await temporaryFolder();
      await using broker = await guardedBroker(folder.path);
      const user = { protocolVersion, username: "switch" };
      await using right = new Rig(
        options(broker.port, { ...user, password: new Secret(PASSWORD) }),
      );
      right.connection.connect();
      await right.state("connected");

      const wrongOptions = { ...user, password: new Secret("wrong-secret") };
      await using wrong = new Rig(options(broker.port, wrongOptions));
      wrong.connection.connect();
      const refusal = protocolVersion === "V31" || protocolVersion === "V311"
        ? /^the broker (does not authorise this client: .*|refused username or password)$/
        : /^the broker does not authorise this client: check `username` and `password`$/;
      assert.match(await wrong.reason("refused"), refusal);
      assert.equal(
        wrong.logged(`[ERROR] cannot connect to 127.0.0.1:${broker.port}: the broker`).length,
        1,
      );
      assert.doesNotMatch(wrong.log.join("\n"), /wrong-secret/);

      await using nobody = new Rig(options(broker.port, { protocolVersion }));
      nobody.connection.connect();
      assert.match(await nobody.reason("refused"), /authorise|username/);
    },
  );
}

mosquittoTest(
  "a refused connection is tried again slowly and recovers when the broker relents",
  async () => {
    await using folder = await temporaryFolder();
    await using broker = await guardedBroker(folder.path);
    const wrong = { username: "other", password: new Secret(PASSWORD) };
    await using rig = new Rig(options(broker.port, wrong));
    rig.connection.connect();
    rig.offer("t", ["kept"]);
    await rig.reason("refused");
    await broker.stop();
    const { success } = await new Deno.Command("mosquitto_passwd", {
      args: ["-b", join(folder.path, "passwords"), "other", PASSWORD],
    }).output();
    assert.ok(success);
    await broker.start();
    await rig.acknowledged(1);
  },
);

mosquittoTest("each refusal of a broker has its reason", async () => {
  const cases = [
    { protocolVersion: "V311", returnCode: 1, reason: /protocol_version/ },
    { protocolVersion: "V311", returnCode: 2, reason: /client_id/ },
    { protocolVersion: "V311", returnCode: 4, reason: /username or password/ },
    { protocolVersion: "V311", returnCode: 5, reason: /authorise/ },
    { protocolVersion: "V5", reasonCode: 132, reason: /protocol_version/ },
    { protocolVersion: "V5", reasonCode: 133, reason: /client_id/ },
    { protocolVersion: "V5", reasonCode: 134, reason: /username or password/ },
    { protocolVersion: "V5", reasonCode: 135, reason: /authorise/ },
    { protocolVersion: "V5", reasonCode: 138, reason: /banned/ },
    { protocolVersion: "V5", reasonCode: 154, reason: /will/ },
  ] as const;
  for (const { protocolVersion, reason, ...connack } of cases) {
    await using peer = await Peer.listen(protocolVersion === "V5" ? 5 : 4);
    await using rig = new Rig(options(peer.port, { protocolVersion }));
    rig.connection.connect();
    const client = await peer.welcome(connack);
    assert.match(await rig.reason("refused"), reason);
    await client.ended();
  }
});

mosquittoTest("a broker that is unavailable for now is no refusal", async () => {
  for (
    const [version, connack] of [["V311", { returnCode: 3 }], ["V5", { reasonCode: 136 }]] as const
  ) {
    await using peer = await Peer.listen(version === "V5" ? 5 : 4);
    await using rig = new Rig(options(peer.port, { protocolVersion: version }));
    rig.connection.connect();
    await peer.welcome(connack);
    assert.match(await rig.reason("waiting"), /Server unavailable/);
    await peer.welcome();
    await rig.state("connected");
  }
});
