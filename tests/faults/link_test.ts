import { row as linkCut } from "./link_cut.ts";
import { row as linkHalfOpen } from "./link_half_open.ts";
import { row as freeswitchRestarted } from "./freeswitch_restarted.ts";
import { rowTest } from "./short_form.ts";

rowTest(linkCut);
rowTest(linkHalfOpen);
rowTest(freeswitchRestarted);
