/**
 * Sends messages made at random through the policy of commands, and shows what should not have been
 * sent.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { ExitCode } from "../lib/exit_code.ts";
import { describeFailure, fuzz } from "../tests/commands/hostile/fuzz.ts";

const USAGE = `deno task fuzz [--rounds N] [--seed S]

  --rounds N  how many messages (10000)
  --seed S    where all randomness begins; another one each time if it is left out`;

function options() {
  try {
    return parseArgs({
      options: {
        rounds: { type: "string", default: "10000" },
        seed: { type: "string" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    const [why = ""] = (error as Error).message.split("\n");
    return refuse(why.replace("argument is ambiguous.", "needs a whole number above 0"));
  }
}

function wholeNumber(text: string, name: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  return refuse(`--${name} needs a whole number above 0, not "${text}"`);
}

function refuse(why: string): never {
  console.error(`${why}\n\n${USAGE}`);
  Deno.exit(ExitCode.USAGE);
}

const values = options();
if (values.help) {
  console.log(USAGE);
  Deno.exit(ExitCode.OK);
}
const rounds = wholeNumber(values.rounds, "rounds");
const seed = values.seed === undefined
  ? 1 + Math.floor(Math.random() * 1_000_000_000)
  : wholeNumber(values.seed, "seed");
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
