import assert from "node:assert/strict";
import { configFile, requiredConfigFile } from "../../lib/cli/config_option.ts";
import { UsageError } from "../../lib/cli/command.ts";
import { CONFIG_PLACES, type FoundConfigs } from "../../lib/config/find.ts";
import { configurationXml } from "../agent/running_agent.ts";
import { type Ended, programLine, withFile } from "./process_helper.ts";

/** What `configFile` gives and prints. */
function taken(found: Partial<FoundConfigs>, options: { config?: string } = {}) {
  const printed: string[] = [];
  const output = { out: () => assert.fail("this is no data"), err: (t: string) => printed.push(t) };
  const find = () => ({ files: [], hidden: [], ...found });
  return { file: configFile("check", options, output, find), printed };
}

Deno.test("the configuration that is named is taken without a word", () => {
  assert.deepEqual(taken({ files: ["/a"] }, { config: "/b" }), { file: "/b", printed: [] });
  assert.throws(() => taken({ files: ["/a"] }, { config: "" }), UsageError);
});

Deno.test("without a name the best is taken; which, and what not, is said", () => {
  assert.deepEqual(taken({ files: ["/a"] }), {
    file: "/a",
    printed: ["No --config is given: taking /a"],
  });
  assert.deepEqual(taken({ files: ["/a", "/b", "/c"], hidden: ["/d: Permission denied"] }), {
    file: "/a",
    printed: [
      "Cannot look at /d: Permission denied",
      "No --config is given: taking /a, not /b, /c",
    ],
  });
});

Deno.test("where there is none, the places are named", () => {
  assert.deepEqual(taken({}), {
    file: undefined,
    printed: [
      `Cannot find a configuration: there is none in ${CONFIG_PLACES.join(", ")}; ` +
      "name one with --config",
    ],
  });
});

Deno.test("a configuration that has to be named is not taken, but told", () => {
  const required = (files: string[], options: { config?: string } = {}) =>
    requiredConfigFile("run", options, () => ({ files, hidden: [] }));
  assert.equal(required(["/a"], { config: "/b" }), "/b");
  for (
    const [files, message] of [
      [[], "fsmqtt run: --config is missing"],
      [["/a", "/b"], "fsmqtt run: --config is missing; there is /a, /b"],
    ] satisfies [string[], string][]
  ) {
    assert.throws(() => required(files), new UsageError(message));
  }
  assert.throws(() => required(["/a"], { config: "" }), UsageError);
});

/** Runs a program where `/etc` holds nothing but this file of FreeSWITCH's. */
async function withinFreeswitch(file: string, line: readonly string[]): Promise<Ended> {
  const setup = "folder=/etc/freeswitch/autoload_configs; mount -t tmpfs none /etc && " +
    'mkdir -p "$folder" && cp "$0" "$folder/mosquitto.conf.xml" && exec "$@"';
  const { code, stdout, stderr } = await new Deno.Command("unshare", {
    args: ["--mount", "sh", "-c", setup, file, ...line],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

/** Only root may give a program another view of the disk. */
const mayMount = new Deno.Command("unshare", { args: ["--mount", "true"], stderr: "null" })
  .outputSync().success;

Deno.test({
  name: "a configuration of mod_mosquitto is found, checked and offered",
  ignore: !mayMount,
  fn: () =>
    withFile(configurationXml(8021, { connections: {} }), async (file) => {
      const place = "/etc/freeswitch/autoload_configs/mosquitto.conf.xml";
      const taking = new RegExp(`^No --config is given: taking ${RegExp.escape(place)}`);
      const run = (...args: string[]) => withinFreeswitch(file, [...programLine(), ...args]);

      const checked = await run("check");
      assert.deepEqual([checked.code, checked.out], [0, ""]);
      const said = checked.err.trimEnd().split("\n");
      assert.equal(said.length, 3);
      assert.match(said[0] ?? "", taking);
      assert.equal(said[1], `${place}: no errors, no warnings`);
      assert.equal(
        said[2],
        `It can be used where it is: \`fsmqtt run --config ${place}\`, ` +
          `or for the service FSMQTT_CONFIG=${place} in /etc/default/fsmqtt`,
      );

      const named = await run("check", "--config", place);
      assert.equal(named.err, `${place}: no errors, no warnings\n`);

      const shown = await run("config");
      assert.equal(shown.code, 0);
      assert.match(shown.out, /<configuration /);
      assert.match(shown.err, taking);

      const tried = await run("test-command", "--topic", "t", "bgapi status");
      assert.equal(tried.code, 77);
      assert.match(tried.err, taking);
    }),
});
