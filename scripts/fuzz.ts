/**
 * Sends messages made at random through the policy of commands, and shows what should not have been
 * sent.
 *
 * @module
 */

import { ExitCode } from "../lib/exit_code.ts";
import { describeFailure, fuzz } from "../tests/commands/hostile/fuzz.ts";
import { Usage } from "./usage.ts";

const usage = new Usage(`deno task fuzz [--rounds N] [--seed S]

  --rounds N  how many messages (10000)
  --seed S    where all randomness begins; another one each time if it is left out`);

const values = usage.read({
  rounds: { type: "string", default: "10000" },
  seed: { type: "string" },
});
const rounds = usage.wholeNumber(values.rounds, "rounds");
const seed = usage.seed(values.seed);
console.log(`seed ${seed}`);
const startedAt = performance.now();
const { failure, sent, rounds: done } = await fuzz({ rounds, seed });
console.log(
  `${done} rounds in ${Math.round((performance.now() - startedAt) / 1000)} s; commands sent`,
);
for (const [lane, count] of Object.entries(sent)) console.log(`${count}`.padStart(8), lane);
if (failure === undefined) {
  console.log("all is well");
  Deno.exit(ExitCode.OK);
}
console.error(`FAILED: ${describeFailure(failure, seed)}`);
Deno.exit(ExitCode.FAILED);
