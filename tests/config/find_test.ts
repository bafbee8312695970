import assert from "node:assert/strict";
import { CONFIG_PLACES, findConfigs, isFreeswitchs, type Look } from "../../lib/config/find.ts";

const [own, packaged, built, fhs] = CONFIG_PLACES;

/** A disk on which these paths lead to these files. */
const disk = (files: Readonly<Record<string, string>>): Look => (path) => files[path];

for (
  const [what, look, files] of [
    ["nothing, where there is none", disk({}), []],
    ["FreeSWITCH's", disk({ [packaged]: packaged }), [packaged]],
    [
      "fsmqtt's own before all of FreeSWITCH's",
      disk({ [fhs]: fhs, [built]: built, [packaged]: packaged, [own]: own }),
      [own, packaged, built, fhs],
    ],
    [
      "one file once, though two places lead to it",
      disk({ [packaged]: packaged, [built]: packaged }),
      [packaged],
    ],
  ] satisfies [string, Look, string[]][]
) {
  Deno.test(`the usual places have ${what}`, () => {
    assert.deepEqual(findConfigs(look), { files, hidden: [] });
  });
}

Deno.test("what may not be looked at is told, and does not hide the rest", () => {
  const found = findConfigs((path) => {
    if (path !== packaged) return disk({ [built]: built })(path);
    throw new Deno.errors.PermissionDenied("Permission denied (os error 13)");
  });
  assert.deepEqual(found, { files: [built], hidden: [`${packaged}: Permission denied`] });
});

Deno.test("only fsmqtt's own place is not FreeSWITCH's", () => {
  assert.deepEqual(CONFIG_PLACES.map(isFreeswitchs), [false, true, true, true]);
});
