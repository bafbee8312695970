/**
 * Measures fsmqtt beside what it is compared with: whole processes, on this machine.
 *
 * @module
 */

import { ExitCode } from "../lib/exit_code.ts";
import { hasMosquitto } from "../tests/support/broker.ts";
import type { EventSocket } from "./bench/wire/roles.ts";
import { measure } from "./bench/measuring.ts";
import { compare, comparisonText } from "./bench/results/comparison.ts";
import { documentText, type Earlier, isSame, readDocument } from "./bench/results/document.ts";
import type { Figures } from "./bench/results/figures.ts";
import { machineText, thisMachine } from "./bench/results/machine.ts";
import { table } from "./bench/results/table.ts";
import { targetsTable, verdicts } from "./bench/results/targets.ts";
import { interrupt, isInterrupted } from "./bench/rig/child.ts";
import { CONTENDERS, LABELS } from "./bench/rig/contenders.ts";
import { FORM_NAMES, makeForm } from "./bench/rig/forms.ts";
import { freeswitch } from "./bench/suites/freeswitch.ts";
import { SUITES } from "./bench/suites/suites.ts";
import { Usage } from "./usage.ts";

const usage = new Usage(`deno task bench [--quick] [--only SUITE]... [--contender NAME]...
                [--case TEXT]... [--runs N] [--events N] [--form FORM]
                [--freeswitch HOST:PORT:PASSWORD] [--json FILE] [--compare FILE]

  --quick           for a look: one run of few events
  --only SUITE      only these measurements; may be given again, like the next two
  --contender NAME  only these
  --case TEXT       only loads with this text in their name
  --runs N          how often each is measured (5)
  --events N        events at full speed (50000)
  --form FORM       of fsmqtt: ${FORM_NAMES.join(", ")}
  --freeswitch ...  drains the event socket of a real one too, which makes calls to itself
  --json FILE       writes all values to a file
  --compare FILE    with an earlier one; ends with 1 if a figure became worse by a tenth

Suites
${SUITES.map(({ name, title }) => `  ${name.padEnd(12)}${title}`).join("\n")}

Contenders
${CONTENDERS.map((name) => `  ${name.padEnd(12)}${LABELS[name]}`).join("\n")}

All of it takes some 25 minutes on two cores. Other work on the machine shows.`);

const values = usage.read({
  quick: { type: "boolean", default: false },
  only: { type: "string", multiple: true, default: [] },
  contender: { type: "string", multiple: true, default: [] },
  case: { type: "string", multiple: true, default: [] },
  runs: { type: "string" },
  events: { type: "string" },
  form: { type: "string", default: "bundle" },
  freeswitch: { type: "string" },
  json: { type: "string" },
  compare: { type: "string" },
});
const runs = usage.wholeNumber(values.runs ?? (values.quick ? "1" : "5"), "runs");
const settings = {
  form: oneOf(values.form, FORM_NAMES, "form"),
  events: usage.wholeNumber(values.events ?? (values.quick ? "20000" : "50000"), "events"),
  patience: values.quick ? 0.3 : 1,
};
const suites = values.freeswitch === undefined
  ? SUITES
  : [...SUITES, freeswitch(target(values.freeswitch))];
const names = suites.map(({ name }) => name);
const only = values.only.map((name) => oneOf(name, names, "only"));
const contenders = values.contender.map((name) => oneOf(name, CONTENDERS, "contender"));

/** What a shell says of a program that was ended by Ctrl-C. */
const INTERRUPTED = 130;

Deno.exit(await main());

async function main(): Promise<number> {
  if (!hasMosquitto) {
    console.error("Cannot measure: mosquitto is not installed (apt-get install mosquitto)");
    return ExitCode.UNAVAILABLE;
  }
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, interrupt);
  const folder = await Deno.makeTempDir({ prefix: "fsmqtt-bench-" });
  // All that is made for a while, by others too, goes with it.
  Deno.env.set("TMPDIR", folder);
  try {
    return await run(folder);
  } catch (error) {
    if (isInterrupted()) return INTERRUPTED;
    console.error(`Cannot measure: ${(error as Error).message}`);
    return ExitCode.FAILED;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function run(folder: string): Promise<number> {
  const earlier = values.compare === undefined ? undefined : await readEarlier(values.compare);
  const machine = await thisMachine();
  const figures = await measure({
    suites: suites.filter(({ name }) => only.length === 0 || only.includes(name)),
    runs,
    plan: {
      ...settings,
      warmUp: Math.ceil(settings.events / 5),
      fsmqtt: await makeForm(settings.form, folder),
    },
    isWanted: ({ name, contender }) =>
      (contenders.length === 0 || contenders.includes(contender)) &&
      (values.case.length === 0 || values.case.some((text) => name.includes(text))),
    onProgress: (line) => console.error(line),
  });
  const judged = verdicts(figures);
  const tables = suites.map((suite) => table(suite, figures)).filter((text) => text !== "");
  console.log([machineText(machine), ...tables, targetsTable(judged)].join("\n\n"));
  if (values.json !== undefined) {
    await Deno.writeTextFile(values.json, documentText(figures, judged, settings, machine));
  }
  return earlier === undefined ? ExitCode.OK : compared(figures, earlier);
}

function compared(figures: Figures, earlier: Earlier): number {
  const comparison = compare(figures, earlier.figures);
  console.log(`\n${comparisonText(comparison)}`);
  return comparison.worse.length === 0 ? ExitCode.OK : ExitCode.FAILED;
}

async function readEarlier(file: string): Promise<Earlier> {
  try {
    const earlier = readDocument(await Deno.readTextFile(file));
    if (!isSame(earlier.settings, settings)) {
      throw new Error(`it has other settings: ${JSON.stringify(earlier.settings)}`);
    }
    return earlier;
  } catch (error) {
    throw new Error(`${file} cannot be compared with: ${(error as Error).message}`);
  }
}

/** Where a FreeSWITCH is, and its password, which may hold colons. */
function target(text: string): EventSocket {
  const [, hostname, port, password] = /^([^:]+):(\d+):(.+)$/.exec(text) ?? [];
  if (hostname === undefined || port === undefined || password === undefined) {
    return usage.refuse("--freeswitch needs HOST:PORT:PASSWORD");
  }
  return { hostname, port: Number(port), password };
}

function oneOf<T extends string>(text: string, known: readonly T[], name: string): T {
  const found = known.find((each) => each === text);
  return found ?? usage.refuse(`--${name} is one of ${known.join(", ")}, not "${text}"`);
}
