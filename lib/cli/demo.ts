/**
 * `fsmqtt demo`
 *
 * @module
 */

import { join } from "node:path";
import { ExitCode } from "../exit_code.ts";
import { isBundled } from "../threads.ts";
import { type Command, noWords, optionText, type Output, UsageError } from "./command.ts";

/** How this program is called: as it is installed, or from its source. */
const SELF = isBundled ? "fsmqtt" : "deno task fsmqtt";
/** The topic on which the demo takes commands. */
const COMMANDS = "pbx/demo/command";

/** Shows the agent at work between a simulated FreeSWITCH and a broker of its own. */
export const demo: Command = {
  name: "demo",
  words: "",
  summary: "Shows fsmqtt at work. Nothing else needs to be there.",
  options: {
    seconds: { value: "N", help: "Ends after N seconds; otherwise with Ctrl-C." },
  },
  async run(words, options, output) {
    noWords("demo", words);
    const text = optionText(options, "seconds");
    const seconds = text === undefined ? undefined : Number(text);
    if (seconds !== undefined && !(seconds > 0 && seconds < 1e6)) {
      throw new UsageError(`fsmqtt demo: --seconds needs a number above 0, not "${text}"`);
    }
    const interrupted = new Promise<void>((resolve) => {
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
        Deno.addSignalListener(signal, resolve);
      }
    });
    const folder = await Deno.makeTempDir({ prefix: "fsmqtt-demo-" });
    try {
      return await show(folder, seconds, interrupted, output);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
};

async function show(
  folder: string,
  seconds: number | undefined,
  interrupted: Promise<void>,
  output: Output,
): Promise<number> {
  // Only the demo needs these: other commands start sooner without them.
  const [{ Agent }, { loadAndCheck }, { ControlServer }, { Simulator }, { default: mqtt }] =
    await Promise.all([
      import("../agent/agent.ts"),
      import("../config/check.ts"),
      import("../control/server.ts"),
      import("../simulator/simulator.ts"),
      import("mqtt"),
    ]);
  const { EmbeddedBroker } = await import("./demo/broker.ts");
  const { demoConfiguration } = await import("./demo/configuration.ts");
  const { describeMessage } = await import("./demo/viewer.ts");

  const broker = await EmbeddedBroker.start();
  const simulator = await Simulator.start({ switchname: "demo", heartbeatMs: 5_000 });
  const file = join(folder, "mosquitto.conf.xml");
  const xml = demoConfiguration({ broker: broker.port, esl: simulator.port, folder });
  await Deno.writeTextFile(file, xml);
  const { config, findings } = loadAndCheck(file);
  if (config === undefined) throw new Error(findings.map(({ text }) => text).join("\n"));

  output.out(
    [
      "A simulated FreeSWITCH makes calls, fsmqtt publishes their events to a small MQTT broker,",
      "and an MQTT client shows what arrives. It also sends a command. Ctrl-C ends it.",
      "",
      `  FreeSWITCH (simulated)  127.0.0.1:${simulator.port}`,
      `  MQTT broker (built in)  127.0.0.1:${broker.port}`,
      `  configuration           ${file}`,
      "",
      "From another terminal:",
      "",
      `  ${SELF} status --control ${config.settings.controlSocket}`,
      `  mosquitto_pub -p ${broker.port} -t ${COMMANDS} -m "bgapi version"`,
      "\n",
    ].join("\n"),
  );

  const watcher = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`);
  watcher.on("message", (topic: string, payload: Uint8Array) => {
    if (topic !== COMMANDS) output.out(describeMessage(topic, payload, new Date()));
  });
  await watcher.subscribeAsync("pbx/#");

  const agent = new Agent({ config, reload: () => ({ config }) });
  const control = await ControlServer.listen(
    config.settings.controlSocket ?? "",
    undefined,
    (request) => agent.handle(request),
  );
  agent.start();
  await simulator.waitForSubscription("CHANNEL_CREATE");
  const calls = simulator.callsAtRate(0.5, { durationMs: 1_500 });
  simulator.fireHeartbeat();
  const sendCommand = () => {
    output.out(`          > publish "bgapi status" to ${COMMANDS}`);
    watcher.publish(COMMANDS, "bgapi status", { qos: 1 });
  };
  const first = setTimeout(sendCommand, 1_000);
  const more = setInterval(sendCommand, 10_000);
  const end = Promise.withResolvers<void>();
  const timer = seconds === undefined ? undefined : setTimeout(end.resolve, seconds * 1000);

  await Promise.race([end.promise, interrupted]);
  for (const each of [first, more, timer]) clearTimeout(each);
  calls.stop();
  await agent.stop();
  const { profiles: [profile] } = agent.status();
  const [connection] = profile?.connections ?? [];
  await control.close();
  await watcher.endAsync();
  await simulator[Symbol.asyncDispose]();
  await broker[Symbol.asyncDispose]();
  output.out(
    `\nThe broker took ${connection?.acknowledged} of ${connection?.offered} messages.` +
      ` Your own: ${SELF} run --config mosquitto.conf.xml`,
  );
  return ExitCode.OK;
}
