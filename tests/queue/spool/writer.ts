/**
 * Writes to a spool until it is ended: commit after commit one row more, of which the last 500 are
 * kept. It prints the number of each row that is on disk. Arguments: the path, and which side of the
 * worker to write from.
 */

import { SpoolFile } from "../../../lib/queue/spool/file.ts";
import type { Changes } from "../../../lib/queue/spool/rows.ts";
import { DiskSpools } from "../../../lib/queue/spool/spools.ts";
import { KEPT_ROWS } from "./kept_rows.ts";
import { changes, row } from "./helper.ts";

const [path = "", side] = Deno.args;

async function writer(): Promise<(some: Changes, durable: boolean) => Promise<void>> {
  const damaged = () => console.log("damaged");
  if (side === "worker") {
    const { spool } = await new DiskSpools().open(path, { damaged });
    return (some, durable) => spool.write(some, durable);
  }
  const { file } = SpoolFile.open(path, { damaged, date: () => new Date() });
  return (some, durable) => Promise.resolve(file.apply([some], durable));
}

const write = await writer();
const out = new TextEncoder();
for (let number = 1;; number++) {
  const remove = number > KEPT_ROWS ? [number - KEPT_ROWS] : [];
  const delivery = { packetId: number % 65_535 + 1, released: false };
  await write(
    changes({
      remove,
      insert: [row(number)],
      update: number % 2 === 0 ? [{ row: number, delivery }] : [],
    }),
    number % 10 === 0,
  );
  Deno.stdout.writeSync(out.encode(`${number}\n`));
}
