/**
 * What each form of fsmqtt takes: time to the first CONNACK, memory while idle, and disk. Beside them
 * stands a process that holds one connection of MQTT.js and does nothing else.
 *
 * @module
 */

import { ExitCode } from "../lib/exit_code.ts";
import { runDeno } from "./build/program.ts";
import { makeForms } from "./footprint/forms.ts";
import { Rig, type Start } from "./footprint/rig.ts";
import { document, type Row, table } from "./footprint/table.ts";
import { Usage } from "./usage.ts";

const usage = new Usage(`deno task footprint [--runs N] [--idle SECONDS] [--form TEXT]... [--json]
                    [--v8-flags FLAGS]

  --runs N          starts of each form, cold and warm (5)
  --idle SECONDS    how long each idles before its memory is looked at (5)
  --form TEXT       only forms with this in their name, and MQTT.js alone; may be given again
  --json            for programs: bytes and milliseconds
  --v8-flags FLAGS  for fsmqtt beside its own, as Deno's --v8-flags takes them

The bundle is made for it; the executable is FSMQTT_BIN or dist/fsmqtt. Other work on the machine
shows: look at the spread.`);

const values = usage.read({
  runs: { type: "string", default: "5" },
  idle: { type: "string", default: "5" },
  form: { type: "string", multiple: true, default: [] },
  json: { type: "boolean", default: false },
  "v8-flags": { type: "string" },
});
const runs = usage.wholeNumber(values.runs, "runs");
const options = {
  idleMs: 1000 * usage.number(values.idle, "idle"),
  v8Flags: values["v8-flags"],
};

const folder = await Deno.makeTempDir({ prefix: "fsmqtt-footprint-" });
let exitCode: number = ExitCode.OK;
try {
  const rows = await measure();
  console.log(values.json ? JSON.stringify(document(rows), null, 2) : table(rows));
} catch (error) {
  console.error(`Cannot measure: ${(error as Error).message}`);
  exitCode = ExitCode.FAILED;
} finally {
  await Deno.remove(folder, { recursive: true });
}
Deno.exit(exitCode);

async function measure(): Promise<readonly Row[]> {
  const rows = (await makeForms(folder, values.form)).map((form) => ({
    form,
    cold: [] as Start[],
    warm: [] as Start[],
  }));
  await using rig = await Rig.start(folder, await npmCache());
  // A form's starts are spread over the whole time, and with them what else the machine does.
  for (let run = 0; run <= runs; run++) {
    for (const { form, cold, warm } of rows) {
      if ("missing" in form) continue;
      const started = await rig.run(form, { ...options, isWarm: true });
      // The first start is the one that compiles for those after it.
      if (run === 0) continue;
      warm.push(started);
      cold.push(await rig.run(form, { ...options, isWarm: false }));
    }
    if (!values.json && run > 0) console.error(`${run} of ${runs}`);
  }
  return rows;
}

/** Where Deno keeps npm's packages. */
async function npmCache(): Promise<string> {
  const { out } = await runDeno(["info", "--json"], { limitMs: 60_000 });
  const { npmCache }: { readonly npmCache: string } = JSON.parse(out);
  return npmCache;
}
