/**
 * Fills a spool until there is no more room, then makes room in it, as commands on stdin tell:
 * `fill`, `empty`, `end`. Each is answered with a line of JSON. Argument: the path.
 */

import { TextLineStream } from "../../support/lines.ts";
import { SpoolFile } from "../../../lib/queue/spool/file.ts";
import { ALL, assertWhole, changes, range, row } from "./helper.ts";

const [path = ""] = Deno.args;
let damaged = 0;
const { file } = SpoolFile.open(path, { damaged: () => damaged++, date: () => new Date() });
const encoder = new TextEncoder();

function tell(value: unknown): void {
  Deno.stdout.writeSync(encoder.encode(`${JSON.stringify(value)}\n`));
}

function attempt(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return String(error);
  }
}

let number = file.contents().lastRow;
const commands = Deno.stdin.readable
  .pipeThrough(new TextDecoderStream())
  .pipeThrough(new TextLineStream());
for await (const command of commands) {
  if (command === "end") break;
  let error: string | undefined;
  if (command === "fill") {
    do {
      number++;
      error = attempt(() => file.apply([changes({ insert: [row(number)] })], number % 9 === 0));
    } while (error === undefined);
    number--;
  } else {
    const { lastRow, messages } = file.contents();
    error = attempt(() =>
      file.apply([changes({ remove: range(lastRow - messages + 1, lastRow) })], true)
    );
  }
  const found = file.read(0, ALL);
  found.forEach(assertWhole);
  const { lastRow, messages } = file.contents();
  tell({ error, damaged, lastRow, messages, found: found.length, written: number });
}
file.close();
