import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadAndCheck } from "../../lib/config/check.ts";

const SAMPLE = fileURLToPath(new URL("../../conf/mosquitto.conf.xml", import.meta.url));
const README = fileURLToPath(new URL("../../README.md", import.meta.url));

/** What the checker says of this text, without places; files that it names are in its folder. */
function findingsOf(text: string): string[] {
  const folder = Deno.makeTempDirSync();
  try {
    const file = join(folder, "mosquitto.conf.xml");
    Deno.writeTextFileSync(file, text.replaceAll('"/etc/fsmqtt/', `"${folder}/`));
    for (const name of ["broker-password", "command-key"]) {
      Deno.writeTextFileSync(join(folder, name), "k".repeat(64), { mode: 0o600 });
    }
    const { findings } = loadAndCheck(file, {
      env: () => undefined,
      writeFault: () => undefined,
      freeBytes: () => undefined,
    });
    return findings.map(({ severity, code, text }) => `${severity} ${code}: ${text}`)
      .filter((line) => !line.includes("default-esl-password"));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** The comments that hold parameters, with these switched on. */
function switchedOn(text: string): string {
  return text.replaceAll(
    /<!--(?:(?!-->)[^])*?(?=<param )((?:(?!-->)[^])*)-->/g,
    (whole, given: string) => /certfile|esl-password/.test(whole) ? "" : given,
  );
}

Deno.test("the sample is well as it is", () => {
  assert.deepEqual(findingsOf(Deno.readTextFileSync(SAMPLE)), []);
});

Deno.test("what the sample only names is well too, with MQTT 5", () => {
  const text = switchedOn(Deno.readTextFileSync(SAMPLE))
    .replace('<param name="keepalive"', '<param name="protocol_version" value="V5" />$&')
    .replaceAll(/_authorized" value="false"/g, '_authorized" value="true"');
  const names = [...text.matchAll(/<param name="(\w+)"/g)].map(([, name]) => name);
  for (const name of ["bgapi_allow", "originate_allow_context", "response_prefix", "username"]) {
    assert.ok(names.includes(name), name);
  }
  assert.deepEqual(findingsOf(text), [
    'warning commands-authorized: only who has the `hmac_key` of topic "command" and may publish ' +
    'to "freeswitch/${hostname}/command" at mqtt.example.com:8883 can start calls to ' +
    "`/user/10\\d\\d/` alone, to run `park`, or to go to `/\\d{4}/` in `default`, each of 3600 s at " +
    "most, and run no API command but `status`, `show /channels|calls/` and " +
    "`uuid_kill /[0-9a-f-]{36}/`",
  ]);
});

Deno.test("the configurations of the README have no error", () => {
  const [whole = ""] =
    /<configuration [^]*?<\/configuration>/.exec(Deno.readTextFileSync(README)) ??
      [];
  assert.notEqual(whole, "");
  assert.deepEqual(findingsOf(whole), []);
});
