import assert from "node:assert/strict";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { configurationXml, params } from "../agent/running_agent.ts";
import { AgentProcess } from "../support/agent_process.ts";
import { freePort, startBroker } from "../support/broker.ts";
import { cli, type Ended, withFile, withFolder } from "./process_helper.ts";

Deno.test("every command to an agent that is not there ends with 69", async () => {
  await withFolder(async (folder) => {
    const control = ["--control", `${folder}/control.sock`];
    const profile = ["profile", "p"];
    const lines = [
      ["status"],
      ["status", "--json"],
      ["status", "--brief"],
      ["loglevel"],
      ["reload"],
      ["enable", ...profile],
      ["disable", ...profile],
      ["remove", ...profile],
      ["connect", ...profile, "connection", "c"],
      ["disconnect", ...profile, "connection", "c"],
    ].map((line) => [...line, ...control]);
    const endings = await Promise.all(
      [...lines, ["bgapi", ...control, "status"]].map((line) => cli(...line)),
    );
    for (const ending of endings) {
      assert.deepEqual(ending, {
        code: 69,
        out: "",
        err: `No agent is running on ${folder}/control.sock: start one with \`fsmqtt run\`, ` +
          "or name its socket with --control\n",
      });
    }
  });
});

/** A running agent that is connected, and the command line to it. */
class Scene implements AsyncDisposable {
  private constructor(
    readonly agent: AgentProcess,
    readonly xml: string,
    private readonly stack: AsyncDisposableStack,
  ) {}

  static async start(): Promise<Scene> {
    const stack = new AsyncDisposableStack();
    const simulator = stack.use(
      await Simulator.start({
        api: {
          show_args: (argument) => `[${argument}]`,
          fail: () => "-ERR no such thing\n",
        },
      }),
    );
    const broker = stack.use(await startBroker());
    const xml = configurationXml(simulator.port, {
      connections: {
        c: params({ host: "127.0.0.1", port: broker.port, username: "u", password: "s3cret" }),
      },
      published: { beat: params({ connection_name: "c", event: "HEARTBEAT", pattern: "beat" }) },
      subscribed: { cmd: params({ connection_name: "c", pattern: "cmd" }) },
    });
    const agent = stack.use(await AgentProcess.start(xml));
    await agent.ready();
    return new Scene(agent, xml, stack);
  }

  /** Runs a steering command. */
  ask(command: string, ...words: string[]): Promise<Ended> {
    return cli(command, "--control", this.agent.control, ...words);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack.disposeAsync();
  }
}

Deno.test("every word of steering works end to end", async () => {
  await using scene = await Scene.start();
  const connection = ["profile", "p", "connection", "c"];
  for (
    const [words, text] of [
      [["loglevel"], "log level: info"],
      [["loglevel", "DEBUG"], "log level: debug"],
      [["disconnect", ...connection], "connection c of profile p is disconnected"],
      [["connect", ...connection], "connection c of profile p connects"],
      [["disable", ...connection], "connection c of profile p is disabled"],
      [["enable", ...connection], "connection c of profile p is enabled"],
      [["disable", "profile", "p", "publisher", "pub"], "publisher pub of profile p is disabled"],
      [["enable", "profile", "p", "publisher", "pub"], "publisher pub of profile p is enabled"],
      [
        ["remove", "profile", "p", "subscriber", "sub"],
        "subscriber sub of profile p is removed until the next reload",
      ],
      [["disable", "profile", "p"], "profile p is disabled"],
      [["remove", "profile", "p"], "profile p is removed until the next reload"],
      [["reload"], `${scene.agent.configFile} is in force`],
    ] satisfies [[string, ...string[]], string][]
  ) {
    const [command, ...rest] = words;
    assert.deepEqual(await scene.ask(command, ...rest), { code: 0, out: `${text}\n`, err: "" });
  }
  await scene.agent.ready();
  assert.deepEqual(await scene.ask("enable", "profile", "x"), {
    code: 1,
    out: "",
    err: 'There is no profile "x"; there is "p"\n',
  });
});

Deno.test("status tells 0 from 1, as text and as JSON", async () => {
  await using scene = await Scene.start();
  const healthy = await scene.ask("status");
  assert.deepEqual([healthy.code, healthy.err], [0, ""]);
  assert.match(healthy.out, /^ok: .*\nfsmqtt .*\n/);
  const brief = await scene.ask("status", "--brief");
  assert.deepEqual([brief.code, brief.err], [0, ""]);
  assert.match(brief.out, /^ok: FreeSWITCH connected, 1 of 1 connection connected, .*\n$/);
  const json = await scene.ask("status", "--json");
  assert.equal(json.code, 0);
  assert.equal(JSON.parse(json.out).freeswitch.state, "connected");
  assert.doesNotMatch(healthy.out + json.out, /s3cret|ClueCon/);

  await scene.ask("disconnect", "profile", "p", "connection", "c");
  const degraded = await scene.ask("status");
  assert.equal(degraded.code, 1);
  assert.match(degraded.out, /^degraded: connection p\/c is disconnected\n/);
  assert.deepEqual(await scene.ask("status", "--brief"), {
    code: 1,
    out: "degraded: connection p/c is disconnected\n",
    err: "",
  });
  assert.equal((await scene.ask("status", "--json")).code, 1);
});

Deno.test("bgapi prints the result, and passes on arguments that look like options", async () => {
  await using scene = await Scene.start();
  for (
    const [words, result] of [
      [["show_args", "a", "b c"], "[a b c]"],
      [["--", "show_args", "--control", "x"], "[--control x]"],
      [["show_args", "--help"], "[--help]"],
      [["show_args", "-a", "--", "-b"], "[-a -- -b]"],
      [["--", "show_args", "--json"], "[--json]"],
    ] as const
  ) {
    assert.deepEqual(await scene.ask("bgapi", ...words), { code: 0, out: `${result}\n`, err: "" });
  }
  const late = await scene.ask("bgapi", "show_args", "--control", "x");
  assert.equal(late.code, 64);
  assert.match(late.err, /^fsmqtt bgapi: --control goes before the command/);
  assert.deepEqual(await scene.ask("bgapi", "fail"), {
    code: 1,
    out: "",
    err: "-ERR no such thing\n",
  });
});

Deno.test("a reload of a file with errors ends with 78, changes nothing, and is told until mended", async () => {
  await using scene = await Scene.start();
  await Deno.writeTextFile(scene.agent.configFile, scene.xml.replace('"beat"/>', '"a/#"/>'));
  const { code, out, err } = await scene.ask("reload");
  assert.deepEqual([code, out], [78, ""]);
  assert.match(
    err,
    /:\d+: .*wildcard.*\nThe configuration is refused; the present one goes on\n$/,
  );
  const degraded = await scene.ask("status", "--brief");
  assert.equal(degraded.code, 1);
  assert.match(degraded.out, /^degraded: the configuration on disk was refused at .*wildcard/);
  await Deno.writeTextFile(scene.agent.configFile, scene.xml);
  assert.equal((await scene.ask("reload")).code, 0);
  assert.equal((await scene.ask("status")).code, 0);
});

Deno.test("a second agent on the same state folder or socket is not started", async () => {
  await using scene = await Scene.start();
  const { agent } = scene;
  const sameFolder = await cli(
    ...["run", "--config", agent.configFile, "--control", `${agent.control}2`],
  );
  assert.deepEqual([sameFolder.code, sameFolder.out], [1, ""]);
  assert.match(
    sameFolder.err,
    /fsmqtt is not started: An agent is running already on the state folder .*\n$/,
  );
  const other = configurationXml(freePort(), { connections: { c: params({ host: "127.0.0.1" }) } });
  await withFile(other, async (file, folder) => {
    await Deno.writeTextFile(file, other.replaceAll("{folder}", folder));
    const sameSocket = await cli("run", "--config", file, "--control", agent.control);
    assert.deepEqual([sameSocket.code, sameSocket.out], [1, ""]);
    assert.match(
      sameSocket.err,
      /fsmqtt is not started: Cannot open the control socket .*: an agent answers on it already; .*\n$/,
    );
  });
  assert.equal((await scene.ask("status")).code, 0);
});
