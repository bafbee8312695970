/**
 * Writes 40 lines to an audit log while its files may not grow beyond 2,000 bytes, and one more when
 * they may. Prints what was complained of, as JSON. Argument: the file.
 */

import { AuditLog } from "../../lib/commands/audit.ts";
import { systemClock } from "../../lib/clock.ts";

const [path = ""] = Deno.args;
const told: string[] = [];
const complain = (text: string) => told.push(text);
const log = new AuditLog(path, 1_000_000, { clock: systemClock, complain });

function write(number: number): void {
  const source = { profile: "p", connection: "c", topic: "t", subscriber_topic: "t" };
  log.write({ event: "run", ...source, id: `${number}` });
}

async function limit(bytes: number): Promise<void> {
  const args = ["--pid", `${Deno.pid}`, `--fsize=${bytes}:`];
  await new Deno.Command("prlimit", { args }).output();
}

await limit(2_000);
for (let number = 1; number <= 40; number++) write(number);
await limit(1_000_000);
write(41);
console.log(JSON.stringify(told));
