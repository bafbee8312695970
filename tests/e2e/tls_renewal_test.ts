/** Certificates and keys that are renewed on disk while the agent runs. */

import assert from "node:assert/strict";
import { eventually } from "../support/agent_process.ts";
import { mosquittoTest, sharedByMosquittoTests } from "../support/broker.ts";
import { TlsBrokers } from "./tls_brokers.ts";
import { Bench, BY } from "./tls_row.ts";

const brokers = sharedByMosquittoTests(() => TlsBrokers.start());

/** Puts files into the place of others. */
async function put(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [target, source] of Object.entries(files)) {
    await Deno.copyFile(brokers().path(source), brokers().path(target));
  }
}

/** Waits until mosquitto has been connected to by who has this certificate. */
async function lastUser(name: string): Promise<void> {
  await eventually(`${name} is connected`, async () => {
    return (await brokers().users()).at(-1) === name || undefined;
  });
}

/** Reloads, and returns what was said of it. */
async function reload({ running }: Bench): Promise<string> {
  return await running.done({ do: "reload" });
}

/** What was refused is tried again by a reload, not when it would have been anyway. */
async function reloadAfterRefusal(bench: Bench): Promise<void> {
  assert.equal(bench.connection.state, "refused");
  await reload(bench);
  assert.notEqual(bench.connection.state, "refused");
  await bench.connected();
  await bench.seeMessages();
}

for (const [by, tls] of Object.entries(BY)) {
  const trusting = { support: "certificate", cafile: "ca.pem", ...tls };
  const asClient = {
    at: "wants a client certificate",
    tls: { ...trusting, certfile: "mine.pem", keyfile: "mine.key" },
  } as const;
  const first = {
    "ca.pem": "root.pem",
    "mine.pem": "client-P-256.pem",
    "mine.key": "client-P-256.key",
  };
  const renewed = { "mine.pem": "client-P-384.pem", "mine.key": "client-P-384.key" };

  mosquittoTest(`a renewed client certificate is used at the next reconnect (${by})`, async () => {
    await put(first);
    await using bench = await Bench.start(brokers(), asClient);
    await bench.connected();
    await lastUser("client-P-256");
    await put(renewed);
    bench.wire.breakOff();
    await bench.running.until("it is connected again", () => bench.connection.reconnects === 1);
    await lastUser("client-P-384");
    await bench.seeMessages();
  });

  mosquittoTest(`a renewed client certificate is used at a reload (${by})`, async () => {
    await put(first);
    await using bench = await Bench.start(brokers(), asClient);
    await bench.connected();
    await lastUser("client-P-256");
    await bench.seeMessages();
    await put(renewed);
    assert.match(await reload(bench), /\np\/c connects again: its certificates or its key/);
    await lastUser("client-P-384");
    await bench.connected();
    await bench.seeMessages(2);
    assert.equal(bench.connection.reconnects, 1);
  });

  mosquittoTest(`one renewed after it expired ends a refusal at a reload (${by})`, async () => {
    await put(first);
    await put({ "mine.pem": "client-expired.pem", "mine.key": "client-expired.key" });
    await using bench = await Bench.start(brokers(), asClient);
    await bench.settled();
    await put(renewed);
    await reloadAfterRefusal(bench);
  });

  mosquittoTest(`a replaced CA file counts at the next reconnect (${by})`, async () => {
    await put({ "ca.pem": "root.pem" });
    await using bench = await Bench.start(brokers(), { at: "localhost", tls: trusting });
    await bench.connected();
    await put({ "ca.pem": "foreign-root.pem" });
    bench.wire.breakOff();
    await bench.running.untilConnection("c", "refused");
    assert.match(bench.connection.reason ?? "", /unknown CA/);
  });

  mosquittoTest(`a replaced CA file counts at a reload, to and fro (${by})`, async () => {
    await put({ "ca.pem": "root.pem" });
    await using bench = await Bench.start(brokers(), { at: "localhost", tls: trusting });
    await bench.connected();
    await put({ "ca.pem": "foreign-root.pem" });
    await reload(bench);
    await bench.running.untilConnection("c", "refused");
    assert.match(bench.connection.reason ?? "", /unknown CA/);
    await put({ "ca.pem": "root.pem" });
    await reloadAfterRefusal(bench);
  });

  mosquittoTest(`a CA that is put into the folder counts at a reload (${by})`, async () => {
    const folder = await Deno.makeTempDir({ dir: brokers().certificates.folder });
    const name = folder.slice(brokers().certificates.folder.length + 1);
    await put({ [`${name}/other.pem`]: "foreign-root.pem" });
    await using bench = await Bench.start(brokers(), {
      at: "localhost",
      tls: { support: "certificate", capath: name, ...tls },
    });
    await bench.settled();
    assert.match(bench.connection.reason ?? "", /unknown CA/);
    await put({ [`${name}/right.pem`]: "root.pem" });
    await reloadAfterRefusal(bench);
  });

  mosquittoTest(
    `a reload with the same files, even if written anew, does nothing (${by})`,
    async () => {
      await put(first);
      await using bench = await Bench.start(brokers(), asClient);
      await bench.connected();
      await reload(bench);
      await bench.seeMessages();
      await put(first);
      await reload(bench);
      await bench.seeMessages(2);
      assert.equal(bench.connection.state, "connected");
      assert.equal(bench.connection.reconnects, 0);
      assert.equal(bench.wire.connections.length, 1);
    },
  );

  mosquittoTest(
    `a reload with files that cannot be used leaves the connection (${by})`,
    async () => {
      await put(first);
      await using bench = await Bench.start(brokers(), asClient);
      await bench.connected();
      await lastUser("client-P-256");
      const unusable: [Record<string, string>, RegExp][] = [
        // The certificate is there already, its key is not.
        [{ "mine.pem": "client-P-384.pem" }, /the key .* does not fit the certificate/],
        [
          { "mine.pem": "client-expired.pem", "mine.key": "client-expired.key" },
          /the certificate in certfile .* expired on \d{4}-/,
        ],
      ];
      let times = 0;
      for (const [files, fault] of unusable) {
        await put(files);
        const reply = await bench.running.agent.handle({ do: "reload" });
        assert(reply.kind === "failed" && reply.exitCode === 1);
        assert.match(reply.error, /is in force\np\/c: .*; the present connection goes on/);
        assert.match(reply.error, fault);
        assert(bench.running.log.some((line) => /\[ERROR\]/.test(line) && fault.test(line)));
        await bench.seeMessages(++times);
        assert.equal(bench.wire.connections.length, 1);
      }
      await put(renewed);
      await reload(bench);
      await lastUser("client-P-384");
    },
  );
}
