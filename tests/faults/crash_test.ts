import { row as agentKilled } from "./agent_killed.ts";
import { rowTest } from "./short_form.ts";

rowTest(agentKilled);
