import { row as diskFull } from "./disk_full.ts";
import { row as spoolDamaged } from "./spool_damaged.ts";
import { rowTest } from "./short_form.ts";

rowTest(diskFull);
rowTest(spoolDamaged);
