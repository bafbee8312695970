/** What may not be in a bundle, since the minifier would break it. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { makeBundle } from "../../scripts/build/bundle.ts";
import { refuseUsing } from "../../scripts/build/disposal.ts";
import { inFolder } from "./building.ts";

for (
  const [what, code] of [
    ["a declaration", "{\n  using file = open();\n}"],
    ["one among others on a line", "{ const a = 1; using file = open(), other = open(); }"],
    ["one that waits", "async function f() {\n  await using file = await open();\n}"],
    ["one of a loop", "for (using file of files) file.read();"],
    ["one of a loop that waits", "for await (await using file of files) file.read();"],
    ["one in a string's expression", "const text = `${(() => { using file = open(); })()}`;"],
  ] as const
) {
  Deno.test(`${what} by using is refused with its module`, async () => {
    const modules = `// lib/first.ts\n\n// lib/second.ts\n${code}\n// lib/third.ts\n`;
    await assert.rejects(
      refuseUsing(modules),
      /^BuildError: Cannot bundle: there is a `using` declaration in lib\/second\.ts\. /,
    );
  });
}

Deno.test("a declaration by using in a module of CommonJS is refused with that", async () => {
  await assert.rejects(
    refuseUsing(
      "// lib/first.ts\nvar require_a = __commonJS({\n" +
        '  "npm/a/1.0.0/a.js"(exports, module) {\n    { using b = c(); }\n  }\n});\n',
    ),
    / in npm\/a\/1\.0\.0\/a\.js\. /,
  );
});

for (
  const [what, code] of [
    ["a comment", "// using file = open();\n/*!\n  using file = open();\n*/"],
    ["a string", 'const text = "using file = open();";'],
    ["a string of lines", "const text = `\nusing file = open();\n`;"],
    ["a regular expression", "const pattern = /using file = /;"],
    ["a name", "let using = 1;\nusing = 2;\nfor (using of [3]) console.log(using);"],
  ] as const
) {
  Deno.test(`${what} with the word using is none`, async () => {
    await refuseUsing(code);
  });
}

Deno.test("what cannot be parsed is not taken for a bundle without any", async () => {
  await assert.rejects(refuseUsing("const = ;"), /BuildError: .* cannot be parsed: /);
});

Deno.test("nothing with a declaration by using is bundled", async () => {
  await inFolder(async (folder) => {
    const entry = join(folder, "entry.ts");
    await Deno.writeTextFile(
      entry,
      'using file = Deno.openSync("x");\nfile.lockSync(true);\n',
    );
    await assert.rejects(makeBundle(entry), /`using` declaration in \S*entry\.ts\. /);
  });
});
