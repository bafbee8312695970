import assert from "node:assert/strict";
import { commands } from "../../lib/cli/commands.ts";
import { EXIT_CODE_MEANINGS, ExitCode } from "../../lib/exit_code.ts";
import { VERSION } from "../../lib/version.ts";
import { cli } from "./process_helper.ts";

Deno.test("help lists every command and every exit code, in lines that fit a terminal", async () => {
  const { code, out, err } = await cli("help");
  assert.deepEqual([code, err], [0, ""]);
  for (const { name, summary } of commands) {
    assert.match(out, new RegExp(`^  ${name} +${RegExp.escape(summary)}$`, "m"));
  }
  for (const exitCode of Object.values(ExitCode)) {
    assert.match(out, new RegExp(`^ +${exitCode}  ${EXIT_CODE_MEANINGS[exitCode]}$`, "m"));
  }
  for (const line of out.split("\n")) assert(line.length <= 80, line);
});

Deno.test("the commands are those of the original, and fsmqtt's own", () => {
  const names = commands.map(({ name }) => name);
  const original = [
    ...["help", "status", "loglevel", "enable", "disable", "remove", "connect", "disconnect"],
    "bgapi",
  ];
  const own = [
    ...["run", "check", "config", "events", "demo", "reload", "test-command", "version"],
    "completion",
  ];
  assert.deepEqual(names.toSorted(), [...original, ...own].toSorted());
});

for (const args of [["--help"], ["-h"]]) {
  Deno.test(`${args} is help`, async () => {
    assert.deepEqual(await cli(...args), await cli("help"));
  });
}

Deno.test("no command at all shows the help, and is wrong", async () => {
  const { code, out } = await cli();
  assert.equal(code, 64);
  assert.equal(out, (await cli("help")).out);
});

Deno.test("help on a command shows its words and its options", async () => {
  const { code, out } = await cli("help", "disable");
  assert.equal(code, 0);
  assert.equal(
    out,
    `Switches a profile, or a part of it, off.

Usage: fsmqtt disable [--control SOCKET] profile PROFILE [connection|publisher|subscriber NAME]

Options:
  --control SOCKET  The agent's control socket, if it is not the usual one.
`,
  );
  assert.equal((await cli("disable", "--help")).out, out);
});

Deno.test("version is that of the manifest", async () => {
  for (const word of ["version", "--version"]) {
    const { code, out, err } = await cli(word);
    assert.deepEqual([code, err], [0, ""]);
    assert.equal(out, `fsmqtt ${VERSION} (deno ${Deno.version.deno})\n`);
  }
});
