/** Writes three rows and reads them. Argument: the path. */

import { DiskSpools } from "../../../lib/queue/spool/spools.ts";
import { ALL, changes, numbers, rows } from "./helper.ts";

const spools = new DiskSpools();
const { spool } = await spools.open(Deno.args[0] ?? "", { damaged: () => {} });
await spool.write(changes({ insert: rows(1, 3) }), true);
console.log(numbers(await spool.read(0, ALL)).join());
await spool.close();
await spools.close();
