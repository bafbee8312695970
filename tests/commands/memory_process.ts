/**
 * Claims ids on a memory until it is told to do something else: `claim 12` claims twelve more, of
 * 64 characters each and for an hour; `advance 5` lets so many seconds pass; `end` closes it. After
 * each it prints how many ids were claimed, whether they last, and what was complained of, as JSON. With `flood` it
 * claims without end, and prints the number of each. Argument: the file.
 */

import { CommandMemory } from "../../lib/commands/memory.ts";
import { TextLineStream } from "../support/lines.ts";
import { DAY, SettableClock } from "./memory_helper.ts";

const [path = ""] = Deno.args;
const clock = new SettableClock();
const told: string[] = [];
const memory = CommandMemory.open(path, { clock, complain: (text) => told.push(text) });
let count = 0;

function claim(): void {
  const id = `${++count}`.padStart(64, "0");
  const result = memory.claim(id, clock.wallMs + DAY);
  if (result !== "new") throw new Error(`${id} is ${result}`);
  memory.noteCall("t");
}

const lines = Deno.stdin.readable
  .pipeThrough(new TextDecoderStream())
  .pipeThrough(new TextLineStream());
for await (const line of lines) {
  const [word, number] = line.split(" ");
  if (word === "claim") { for (let i = 0; i < Number(number); i++) claim(); }
  if (word === "advance") clock.advance(Number(number) * 1_000);
  while (word === "flood") {
    claim();
    Deno.stdout.writeSync(new TextEncoder().encode(`${count}\n`));
    // What goes on behind its back goes on.
    if (count % 10 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  if (word === "end") await memory.close();
  console.log(JSON.stringify({ count, isLasting: memory.isLasting, told: told.splice(0) }));
  if (word === "end") break;
}
