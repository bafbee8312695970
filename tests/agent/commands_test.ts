import assert from "node:assert/strict";
import { join } from "node:path";
import type { ReplyDocument } from "../../lib/commands/contract.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { troubles } from "../../lib/control/status.ts";
import { mosquittoTest, startBroker, type TestBroker } from "../support/broker.ts";
import { Watcher } from "../support/watcher.ts";
import { filesIn } from "../cli/process_helper.ts";
import { configurationXml, params, RunningAgent } from "./running_agent.ts";

const ANSWERS = "answers";

function configuration(simulator: Simulator, broker: TestBroker, more = {}, settings = ""): string {
  return configurationXml(simulator.port, {
    settings,
    connections: { c: params({ host: "127.0.0.1", port: broker.port }) },
    subscribed: {
      cmd: params({
        connection_name: "c",
        pattern: "cmd",
        qos: 1,
        bgapi_authorized: true,
        originate_authorized: true,
        response_pattern: ANSWERS,
        ...more,
      }),
    },
  });
}

class Sender {
  readonly #watcher: Watcher;
  #answers = 0;

  constructor(watcher: Watcher) {
    this.#watcher = watcher;
  }

  /** Sends a command. */
  async publish(command: string): Promise<void> {
    await this.#watcher.publish("cmd", command);
  }

  /** Sends a command and gives what it is answered, up to this number of answers. */
  async send(command: string, answers: number): Promise<ReplyDocument[]> {
    await this.publish(command);
    return await this.receive(answers);
  }

  /** The next answers. */
  async receive(answers: number): Promise<ReplyDocument[]> {
    const all = await this.#watcher.count(ANSWERS, this.#answers + answers);
    const own = all.slice(this.#answers);
    this.#answers = all.length;
    return own.map(({ payload }) => JSON.parse(new TextDecoder().decode(payload)));
  }
}

async function withParts(
  use: (simulator: Simulator, broker: TestBroker, sender: Sender) => Promise<void>,
): Promise<void> {
  await using broker = await startBroker();
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  await using watcher = await Watcher.start(broker.port, { filter: ANSWERS });
  await use(simulator, broker, new Sender(watcher));
}

const CALL = "originate user/1000 &park";

Deno.test("what a topic has used of its limits outlives a reload", async () => {
  await withParts(async (simulator, broker, sender) => {
    await using running = await RunningAgent.start(
      configuration(simulator, broker, { max_calls_per_day: 1 }),
    );
    await running.ready();
    const [accepted] = await sender.send(CALL, 2);
    assert.equal(accepted?.state, "accepted");
    await running.reload(configuration(simulator, broker, { max_calls_per_day: 1, rate_limit: 9 }));
    const [second] = await sender.send(CALL, 1);
    assert.deepEqual([second?.state, second?.reason], ["rejected", "call_limit"]);
    await running.reload(configuration(simulator, broker, { max_calls_per_day: 2 }));
    const [third] = await sender.send(CALL, 2);
    assert.equal(third?.state, "accepted");
  });
});

Deno.test("calls and ids of before a restart count", async () => {
  await withParts(async (simulator, broker, sender) => {
    const xml = configuration(simulator, broker, { max_calls_per_day: 1 });
    const identified = JSON.stringify({ id: "1", command: "originate", args: "user/1 &park" });
    const first = await RunningAgent.start(xml);
    await first.ready();
    const [accepted] = await sender.send(identified, 2);
    assert.equal(accepted?.state, "accepted");
    await first.stop();
    await using second = await RunningAgent.start(xml, first.folder);
    await second.ready();
    const [call] = await sender.send(CALL, 1);
    assert.equal(call?.reason, "call_limit");
    await second.reload(configuration(simulator, broker));
    const [again] = await sender.send(identified, 1);
    assert.deepEqual([again?.id, again?.reason], ["1", "duplicate"]);
  });
});

Deno.test("the audit log has what was asked for, what was decided, and what came of it", async () => {
  await withParts(async (simulator, broker, sender) => {
    await using running = await RunningAgent.start(
      configuration(simulator, broker, { bgapi_allow: "status" }),
    );
    await running.ready();
    const command = { id: "7", sender: "door", command: "bgapi", args: "status" };
    const [accepted] = await sender.send(JSON.stringify(command), 2);
    await sender.send(JSON.stringify({ ...command, id: "8", args: "system s3cret" }), 1);
    await running.stop();
    const file = join(running.folder, "state", "audit.jsonl");
    const refusedFile = join(running.folder, "state", "audit-refused.jsonl");
    const text = await Deno.readTextFile(file) + await Deno.readTextFile(refusedFile);
    const lines = text.trim().split("\n").map((line) => {
      const { time, ...rest } = JSON.parse(line);
      assert(!Number.isNaN(Date.parse(time)));
      return rest;
    });
    const source = { profile: "p", connection: "c", topic: "cmd", subscriber_topic: "cmd" };
    assert.deepEqual(lines.map(({ arguments: _, ...rest }) => rest), [
      {
        event: "run",
        ...source,
        job: accepted?.job,
        command: "status",
        id: "7",
        claimed_sender: "door",
        signed: false,
      },
      { event: "result", ...source, job: accepted?.job, id: "7", result: "succeeded" },
      {
        event: "refused",
        ...source,
        reason: "not_allowed",
        detail: "no bgapi_allow of this topic names `system`",
        command: "system",
        id: "8",
        claimed_sender: "door",
        signed: false,
      },
    ]);
    assert(!text.includes("s3cret"));
    for (const path of [file, refusedFile]) {
      assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    }
  });
});

Deno.test("audit-log names the file, and audit-log-bytes 0 means none", async () => {
  for (const [bytes, isThere] of [[1_000_000, true], [0, false]] as const) {
    await withParts(async (simulator, broker, sender) => {
      const settings = params({ "audit-log": "{folder}/other/audit", "audit-log-bytes": bytes });
      await using running = await RunningAgent.start(
        configuration(simulator, broker, {}, settings),
      );
      await running.ready();
      await sender.send("bgapi status", 2);
      await running.stop();
      assert.equal(filesIn(running.folder).includes("other"), isThere);
      const state = filesIn(join(running.folder, "state"));
      assert(!state.some((name) => name.startsWith("audit")));
    });
  }
});

Deno.test("an answer that the broker could not take comes when it is back", async () => {
  await withParts(async (simulator, broker, sender) => {
    await using running = await RunningAgent.start(configuration(simulator, broker));
    await running.ready();
    const held = Promise.withResolvers<string>();
    simulator.handleApi("status", () => held.promise);
    await sender.send("bgapi uuid:held status", 1);
    await broker.stop();
    await running.untilConnection("c", "waiting");
    held.resolve("the result");
    await running.until(
      "the command has ended",
      ({ profiles }) => profiles[0]?.subscribers[0]?.topics[0]?.commands_running === 0,
    );
    await broker.start();
    const [answer] = await sender.send("bgapi nothing", 1);
    assert.deepEqual([answer?.id, answer?.state, answer?.text], [
      "held",
      "succeeded",
      "the result",
    ]);
  });
});

mosquittoTest("no answer goes where another connection may take commands from", async () => {
  await using broker = await startBroker();
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  await using watcher = await Watcher.start(broker.port, { filter: "r/#", isMqtt5: true });
  const connection = params({ host: "127.0.0.1", port: broker.port, protocol_version: "V5" });
  const may = { qos: 1, bgapi_authorized: true };
  await using running = await RunningAgent.start(configurationXml(simulator.port, {
    connections: { c: connection, d: connection.replace("127.0.0.1", "localhost") },
    subscribed: {
      cmd: params({ ...may, connection_name: "c", pattern: "cmd", response_prefix: "r" }),
      off: params({ ...may, connection_name: "d", pattern: "r/off", enable: false }),
    },
  }));
  await running.ready();
  for (const responseTopic of ["r/off", "r/on"]) {
    await watcher.publish("cmd", "bgapi status", { responseTopic });
  }
  await watcher.count("r/on", 2);
  assert.deepEqual(watcher.on("r/off"), []);
  const [topic] = running.agent.status().profiles[0]?.subscribers[0]?.topics ?? [];
  assert.deepEqual([topic?.commands_run, topic?.commands_refused_by], [1, { not_allowed: 1 }]);
});

Deno.test("after a rotation the audit goes on in a new file", async () => {
  await withParts(async (simulator, broker, sender) => {
    await using running = await RunningAgent.start(configuration(simulator, broker));
    await running.ready();
    const file = join(running.folder, "state", "audit.jsonl");
    await sender.send("bgapi status", 2);
    await Deno.rename(file, `${file}.rotated`);
    running.agent.reopenLogs();
    await sender.send("bgapi version", 2);
    assert.match(await Deno.readTextFile(file), /"command":"version"/);
    assert.doesNotMatch(await Deno.readTextFile(`${file}.rotated`), /version/);
  });
});

Deno.test("another audit log counts from the next start on, and a reload says so", async () => {
  await withParts(async (simulator, broker) => {
    await using running = await RunningAgent.start(configuration(simulator, broker));
    const settings = params({ "audit-log": "{folder}/else", "audit-log-bytes": 1_000 });
    const reply = await running.reload(configuration(simulator, broker, {}, settings));
    assert(reply.kind === "done");
    assert.match(reply.text, /the changed audit-log counts from the next start/);
    assert.match(reply.text, /the changed audit-log-bytes counts from the next start/);
  });
});

Deno.test("an audit log that cannot be written is told at the start, and degrades", async () => {
  await withParts(async (simulator, broker, sender) => {
    const settings = params({ "audit-log": "{folder}/mosquitto.conf.xml/audit" });
    await using running = await RunningAgent.start(
      configuration(simulator, broker, {}, settings),
    );
    await running.ready();
    const report = running.agent.status();
    assert.match(report.audit_trouble ?? "", /^Cannot write the audit log .*: /);
    assert(troubles(report).includes(report.audit_trouble ?? ""));
    assert(running.log.some((line) => line.includes("Cannot write the audit log")));
    // It stops nothing.
    await sender.send("bgapi status", 2);
  });
});

Deno.test("at the end, whoever waits is told that the outcome is unknown", async () => {
  await withParts(async (simulator, broker, sender) => {
    simulator.handleApi("hang", () => new Promise(() => {}));
    await using running = await RunningAgent.start(configuration(simulator, broker));
    await running.ready();
    const count = 50;
    for (let i = 1; i < count; i++) await sender.publish(`bgapi uuid:${i} hang`);
    await sender.send(`bgapi uuid:${count} hang`, count);
    const ended = sender.receive(count);
    await running.stop();
    assert.deepEqual(new Set((await ended).map(({ state }) => state)), new Set(["unknown"]));
  });
});
