import assert from "node:assert/strict";
import { refusalOf } from "../../lib/commands/policy.ts";

const BGAPI = "bgapi_authorized is false for this topic";
const ORIGINATE = "originate_authorized is false for this topic";

/** For each command the refusals with neither flag, with bgapi, with originate, and with both. */
const table: readonly (readonly [
  kind: "bgapi" | "originate",
  command: string,
  refusals: readonly (string | undefined)[],
])[] = [
  ["bgapi", "status", [BGAPI, undefined, BGAPI, undefined]],
  ["originate", "originate user/1 2", [ORIGINATE, ORIGINATE, undefined, undefined]],
  ...[
    "originate user/1 2",
    "ORIGINATE user/1 2",
    "expand originate user/1 2",
    "sched_api +1 none originate user/1 2",
    "eval ${originate(user/1 2)}",
    "expand expand ori\\'ginate user/1 2",
    "expand ori${nothing}ginate user/1 2",
  ].map((command) => ["bgapi", command, [BGAPI, ORIGINATE, BGAPI, undefined]] as const),
  // These only look like it.
  ...["originate_x", "show channels like reoriginated", "eval $ {x}"]
    .map((command) => ["bgapi", command, [BGAPI, undefined, BGAPI, undefined]] as const),
];

for (const [kind, command, refusals] of table) {
  Deno.test(`the two flags decide on the ${kind} command "${command}"`, () => {
    const actual = [[false, false], [true, false], [false, true], [true, true]].map((
      [bgapiAuthorized = false, originateAuthorized = false],
    ) => refusalOf({ kind, command }, { bgapiAuthorized, originateAuthorized }));
    assert.deepEqual(actual, refusals);
  });
}
