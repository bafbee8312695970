import assert from "node:assert/strict";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { configurationXml, params, RunningAgent } from "./running_agent.ts";

/** Time that passes without a timer: else the event socket would be asked for signs of life. */
class LeapingClock extends ManualClock {
  leaptMs = 0;

  override now(): number {
    return super.now() + this.leaptMs;
  }
}

const connections = { c: params({ enable: false }) };
const messages = ({ log }: RunningAgent) => log.map((line) => line.slice(line.indexOf("[")));

Deno.test("a wrong password is told once, with where it came from", async () => {
  await using simulator = await Simulator.start({ password: "another" });
  await using running = await RunningAgent.start(configurationXml(simulator.port, { connections }));
  await running.until("it is refused", ({ freeswitch }) => freeswitch.state === "refused");
  const [message, ...more] = messages(running).filter((line) => line.includes("password"));
  assert.deepEqual(more, []);
  assert.match(
    message ?? "",
    new RegExp(
      `^\\[ERROR\\] FreeSWITCH at 127.0.0.1:${simulator.port}: .*\\. The password comes from ` +
        `esl-password in ${running.folder}/mosquitto\\.conf\\.xml:\\d+\\. Trying again slowly$`,
    ),
  );
});

Deno.test("a refused address has nothing to do with the password", async () => {
  await using simulator = await Simulator.start();
  simulator.refusing = true;
  await using running = await RunningAgent.start(configurationXml(simulator.port, { connections }));
  await running.until("it is refused", ({ freeswitch }) => freeswitch.state === "refused");
  const [message] = messages(running).filter((line) => line.startsWith("[ERROR]"));
  assert.match(message ?? "", /access list .*\. Trying again slowly$/);
  assert.doesNotMatch(message ?? "", /password/);
});

Deno.test("a FreeSWITCH that still has mod_mosquitto is told loudly, with the remedy", async () => {
  await using simulator = await Simulator.start({ modules: ["mod_mosquitto"] });
  await using running = await RunningAgent.start(configurationXml(simulator.port, { connections }));
  await running.until("it is found", ({ freeswitch }) => freeswitch.mod_mosquitto_loaded);
  const [message] = messages(running).filter((line) => line.startsWith("[ALERT]"));
  assert.match(message ?? "", /RUN TWICE.*`unload mod_mosquitto`/);
});

Deno.test("a FreeSWITCH that was restarted is told", async () => {
  await using simulator = await Simulator.start();
  await using running = await RunningAgent.start(configurationXml(simulator.port, { connections }));
  await running.until("FreeSWITCH is there", ({ freeswitch }) => freeswitch.state === "connected");
  simulator.restart();
  await running.until(
    "the new one is there",
    ({ freeswitch }) =>
      freeswitch.state === "connected" && freeswitch.core_uuid === simulator.coreUuid,
  );
  assert.deepEqual(messages(running).slice(-3), [
    "[WARNING] FreeSWITCH was restarted",
    `[NOTICE] connected to FreeSWITCH at 127.0.0.1:${simulator.port} (fs1)`,
    "[WARNING] FreeSWITCH's events of the last 1 s are missed: its event socket has no replay",
  ]);
});

Deno.test("events that are too long are counted, and told of once a minute", async () => {
  await using simulator = await Simulator.start();
  const clock = new LeapingClock();
  const xml = configurationXml(simulator.port, { connections });
  await using running = await RunningAgent.start(xml, undefined, clock);
  await running.until("FreeSWITCH is there", ({ freeswitch }) => freeswitch.state === "connected");
  const missed = async (times: number) => {
    simulator.fire("HEARTBEAT", { "X-Long": "x".repeat(16 * 1024 * 1024) });
    await running.until("it came", ({ freeswitch }) => freeswitch.events_too_long === times);
  };
  await missed(1);
  await missed(2);
  clock.leaptMs = 60_000;
  await missed(3);
  const lines = messages(running).filter((line) => line.includes("too long"));
  assert.deepEqual(lines.map((line) => line.replace(/ \d{8} /, " N ")), [
    "[WARNING] Missed an event (HEARTBEAT) of N bytes, which is too long; 1 such event so far",
    "[WARNING] Missed an event (HEARTBEAT) of N bytes, which is too long; 3 such events so far",
  ]);
  assert.equal(running.agent.status().freeswitch.protocol_errors, 0);
});
