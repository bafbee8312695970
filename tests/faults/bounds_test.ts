import { row as neighbourFrozen } from "./neighbour_frozen.ts";
import { row as boundsHit } from "./bounds_hit.ts";
import { row as soak } from "./soak.ts";
import { rowTest } from "./short_form.ts";

rowTest(neighbourFrozen);
rowTest(boundsHit);
rowTest(soak);
