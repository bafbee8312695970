import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { main } from "../../lib/cli/cli.ts";
import { optionsOf } from "../../lib/cli/command.ts";
import { commands } from "../../lib/cli/commands.ts";
import { configurationXml, params } from "../agent/running_agent.ts";
import { AgentProcess } from "../support/agent_process.ts";
import { freePort } from "../support/broker.ts";
import { cli, programLine, withFolder } from "./process_helper.ts";

/** What is typed before Tab, and the words that are there after it. */
const ROWS: readonly (readonly [typed: string, words: readonly string[]])[] = [
  ["st", ["status"]],
  ["status --wa", ["status", "--watch"]],
  ["status --every 1 --br", ["status", "--every", "1", "--brief"]],
  ["check --config {folder}/mosq", ["check", "--config", "{folder}/mosquitto.conf.xml"]],
  ["check --config={folder}/mosq", ["check", "--config={folder}/mosquitto.conf.xml"]],
  ["run --esl mosq", ["run", "--esl", "mosq"]],
  ["loglevel deb", ["loglevel", "debug"]],
  ["help disa", ["help", "disable"]],
  ["completion zs", ["completion", "zsh"]],
  ["enable prof", ["enable", "profile"]],
  ["enable --control {socket} profile ", ["enable", "--control", "{socket}", "profile", "p"]],
  ["enable --control={socket} profile ", ["enable", "--control={socket}", "profile", "p"]],
  [
    "disable --control {socket} profile p conn",
    ["disable", "--control", "{socket}", "profile", "p", "connection"],
  ],
  [
    "disconnect --control {socket} profile p connection bro",
    ["disconnect", "--control", "{socket}", "profile", "p", "connection", "broker one"],
  ],
  [
    "remove --control {socket} profile p publisher ",
    ["remove", "--control", "{socket}", "profile", "p", "publisher", "pub"],
  ],
  ["enable --control {folder}/none profile x", [
    ...["enable", "--control", "{folder}/none", "profile", "x"],
  ]],
  ["bgapi --cont", ["bgapi", "--control"]],
  ["bgapi show --cont", ["bgapi", "show", "--cont"]],
];

/** A running agent, and a folder with `fsmqtt` and what the shells read. */
class Scene implements AsyncDisposable {
  private constructor(readonly agent: AgentProcess, readonly folder: string) {}

  static async start(): Promise<Scene> {
    const connections = { "broker one": params({ host: "127.0.0.1", port: freePort() }) };
    const published = {
      beat: params({ connection_name: "broker one", event: "HEARTBEAT", pattern: "beat" }),
    };
    const agent = await AgentProcess.start(
      configurationXml(freePort(), { connections, published }),
    );
    const { folder } = agent;
    const program = `#!/bin/sh\nexec ${programLine().map((w) => `'${w}'`).join(" ")} "$@"\n`;
    await Deno.mkdir(join(folder, "bin"));
    await Deno.writeTextFile(join(folder, "bin/fsmqtt"), program, { mode: 0o755 });
    for (const shell of ["bash", "zsh", "fish"]) {
      let script = "";
      const output = { out: (text: string) => script += text, err: () => assert.fail() };
      assert.equal(await main(["completion", shell], output), 0);
      await Deno.writeTextFile(join(folder, `completion.${shell}`), script);
    }
    return new Scene(agent, folder);
  }

  /** Puts this scene's paths in. */
  fill(text: string): string {
    return text.replaceAll("{folder}", this.folder).replaceAll("{socket}", this.agent.control);
  }

  /** Runs a shell's line in a terminal, or beside one, and types into it. */
  async run(program: string, args: readonly string[], typed = ""): Promise<string> {
    const command = new Deno.Command(program, {
      args: [...args],
      env: {
        // Nothing of the user's own, but for Deno's cache.
        ...{ INPUTRC: "/dev/null", HISTFILE: "/dev/null", ZDOTDIR: this.folder },
        ...{ XDG_CONFIG_HOME: this.folder, XDG_DATA_HOME: this.folder },
        ...{ TERM: "dumb", PATH: `${this.folder}/bin:${Deno.env.get("PATH")}` },
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    });
    const child = command.spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(typed));
    await writer.close();
    const { stdout } = await child.output();
    return new TextDecoder().decode(stdout).replaceAll("\r", "");
  }

  /** Types all rows, each with Tab, into a shell that then shows which words it got. */
  async type(shell: string): Promise<string[][]> {
    const typed = ROWS.map(([line]) => `fsmqtt ${this.fill(line)}\t\n`).join("") + "exit\n";
    const text = await this.run("script", ["--quiet", "--command", shell, "/dev/null"], typed);
    return text.split("\n").filter((line) => line.startsWith("<<"))
      .map((line) => line.slice(2, -2).split("><"));
  }

  /** What `type` should give. */
  expected(): string[][] {
    return ROWS.map(([, words]) => words.map((word) => this.fill(word)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent[Symbol.asyncDispose]();
  }
}

/** The program itself only for names, as the scripts ask for them. */
const SHOWN = `PS1='$ '
fsmqtt() {
  if [ "$1 $2" = 'completion names' ]; then command fsmqtt "$@"; return; fi
  printf '<'; printf '<%s>' "$@"; printf '>\\n'
}
`;

const has = (program: string) => existsSync(`/usr/bin/${program}`) || existsSync(`/bin/${program}`);

Deno.test("bash completes", async () => {
  await using scene = await Scene.start();
  const rc = join(scene.folder, "rc.bash");
  await Deno.writeTextFile(rc, `${SHOWN}source ${scene.folder}/completion.bash\n`);
  assert.deepEqual(await scene.type(`bash --rcfile ${rc} -i`), scene.expected());
});

Deno.test("bash offers every command, and of each its own options", async () => {
  await using scene = await Scene.start();
  const offer = `source ${scene.folder}/completion.bash
for command in ${commands.map(({ name }) => name).join(" ")}; do
  COMP_WORDS=(fsmqtt "$command" --) COMP_CWORD=2
  _fsmqtt fsmqtt
  echo "\${COMPREPLY[@]}"
done
COMP_WORDS=(fsmqtt "") COMP_CWORD=1
_fsmqtt fsmqtt
echo "\${COMPREPLY[@]}"`;
  const offered = (await scene.run("bash", ["-c", offer])).trimEnd().split("\n");
  assert.deepEqual(offered, [
    ...commands.map((command) => optionsOf(command).map(([name]) => `--${name}`).join(" ")),
    commands.map(({ name }) => name).join(" "),
  ]);
});

Deno.test({
  name: "zsh completes",
  ignore: !has("zsh"),
  async fn() {
    await using scene = await Scene.start();
    await Deno.mkdir(join(scene.folder, "functions"));
    const script = join(scene.folder, "functions/_fsmqtt");
    await Deno.copyFile(join(scene.folder, "completion.zsh"), script);
    const rc = join(scene.folder, ".zshrc");
    const init = "autoload -Uz compinit; compinit -u -D\n";
    for (
      const setup of [
        `${init}source ${script}\n`,
        `fpath=(${scene.folder}/functions $fpath)\n${init}`,
      ]
    ) {
      await Deno.writeTextFile(rc, SHOWN + setup);
      assert.deepEqual(await scene.type("zsh -d -i"), scene.expected(), setup);
    }
  },
});

Deno.test({
  name: "fish completes",
  ignore: !has("fish"),
  async fn() {
    await using scene = await Scene.start();
    const ask = `source ${scene.folder}/completion.fish
while read -l line
    set -l offered (complete -C $line)
    test (count $offered) -lt 2; and echo (string split -f 1 \\t -- $offered); or echo many
end`;
    // What is offered stands for the word that Tab is pressed after.
    const typed = ROWS.map(([line]) => `fsmqtt ${scene.fill(line)}\n`).join("");
    const offered = (await scene.run("fish", ["--no-config", "-c", ask], typed)).split("\n");
    assert.deepEqual(
      offered.slice(0, -1),
      ROWS.map(([line, words]) => {
        const last = words.at(-1) ?? "";
        return line.endsWith(` ${last}`) ? "" : scene.fill(last);
      }),
    );
    assert.match(
      await scene.run("fish", ["--no-config", "-c", `${ask}; complete -C 'fsmqtt '`]),
      new RegExp(commands.map(({ name }) => `^${name}\t.*\n`).toSorted().join(""), "m"),
    );
  },
});

Deno.test("names of a stuck agent, or of none, are not waited for, nor complained about", async () => {
  await withFolder(async (folder) => {
    const none = await cli("completion", "names", "--", `${folder}/none`, "p", "connection");
    assert.deepEqual(none, { code: 69, out: "", err: "" });
    const path = `${folder}/stuck`;
    using _stuck = Deno.listen({ transport: "unix", path });
    const startedAt = performance.now();
    assert.deepEqual(await cli("completion", "names", "--", path), { code: 69, out: "", err: "" });
    // Other commands wait for ten seconds.
    assert(performance.now() - startedAt < 9_000);
  });
});
