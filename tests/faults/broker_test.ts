import { row as brokerRestarted } from "./broker_restarted.ts";
import { row as brokerFrozen } from "./broker_frozen.ts";
import { row as brokerWiped } from "./broker_wiped.ts";
import { rowTest } from "./short_form.ts";

rowTest(brokerRestarted);
rowTest(brokerFrozen);
rowTest(brokerWiped);
