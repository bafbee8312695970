/** The manual page that `scripts/manual.ts` writes. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { commands } from "../../lib/cli/commands.ts";
import { resolveControlSocket, resolveStateDir } from "../../lib/config/paths.ts";
import { EXIT_CODE_MEANINGS } from "../../lib/exit_code.ts";
import { manual } from "../../scripts/manual.ts";
import { runScript } from "../support/script.ts";
import { withFolder } from "./process_helper.ts";

const page = manual();
/** The page without its fonts and escapes. */
const text = page.replace(/\\f[BIR]|^\.[BI] /gm, "").replaceAll("\\-", "-")
  .replaceAll("\\[u2026]", "…").replaceAll("\\(aq", "'");

for (const { name, words, summary, options } of commands) {
  Deno.test(`the manual has \`${name}\`, what it does, and its own options`, () => {
    const start = text.indexOf(`\n.TP\n${`fsmqtt ${name} ${words}`.trimEnd()}\n`);
    assert(start >= 0);
    const [entry = ""] = text.slice(start + 1).split(/\n\.TP\nfsmqtt |\n\.S[HS] /);
    const [, , does] = entry.split("\n");
    assert.equal(does, summary.replaceAll("`", ""));
    assert.deepEqual(
      [...entry.matchAll(/^\.TP\n(--.*)$/gm)].map(([, option]) => option),
      Object.entries(options).map(([option, { value }]) => `--${option} ${value ?? ""}`.trimEnd()),
    );
  });
}

Deno.test("the manual has every exit code, and the places that are used", () => {
  for (const [code, meaning] of Object.entries(EXIT_CODE_MEANINGS)) {
    assert(text.includes(`\n.TP\n${code}\n${meaning}\n`), meaning);
  }
  const rights = { writeFault: () => undefined, exists: () => false };
  const none = () => undefined;
  for (
    const place of [
      resolveControlSocket({ controlSocket: undefined }, none, rights),
      resolveStateDir({ stateDir: undefined }, none, rights),
    ]
  ) assert(text.includes(`\n.TP\n${place}\n`), place);
});

Deno.test("no line of text is taken for a request to roff", () => {
  for (const line of page.trimEnd().split("\n")) {
    assert.match(line, /^(\.(TH|ad|SH|SS|TP|PP|RS|RE|B|I)\b|[^.'])/);
    assert.doesNotMatch(line, /\P{ASCII}/u);
    // A bare hyphen may become a typographic one, which no shell takes for an option's.
    assert.doesNotMatch(line, /(?<!\\)-/);
  }
});

Deno.test("it goes to standard output, or to a file", async () => {
  assert.deepEqual(await runScript("manual.ts", []), { code: 0, out: page, err: "" });
  await withFolder(async (folder) => {
    const file = join(folder, "fsmqtt.1");
    const { code, out } = await runScript("manual.ts", ["--output", file]);
    assert.deepEqual([code, out, await Deno.readTextFile(file)], [0, "", page]);
  });
  assert.equal((await runScript("manual.ts", ["x"])).code, 64);
});

Deno.test({
  name: "groff sets it without a warning",
  ignore: !existsSync("/usr/bin/groff"),
  async fn() {
    await withFolder(async (folder) => {
      const file = join(folder, "fsmqtt.1");
      await Deno.writeTextFile(file, page);
      const { stdout, stderr } = await new Deno.Command("groff", {
        args: ["-man", "-Tutf8", "-ww", "-P-cbou", file],
      }).output();
      assert.equal(new TextDecoder().decode(stderr), "");
      const set = new TextDecoder().decode(stdout);
      assert.match(set, /^NAME\n {7}fsmqtt - FreeSWITCH/m);
      assert.match(set, /fsmqtt bgapi COMMAND \[ARG…\]\n/);
    });
  },
});
