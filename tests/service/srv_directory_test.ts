import assert from "node:assert/strict";
import { SrvDirectory } from "../../lib/service/srv_directory.ts";

const record = (target: string, port = 1883) => ({ priority: 1, weight: 1, port, target });

/** A directory whose DNS answers as told. */
function directory() {
  const answers = new Map<string, readonly Deno.SrvRecord[] | Error>();
  const all = new SrvDirectory((name) => {
    const answer = answers.get(name) ?? [];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
  const hosts = (name: string) => all.targets.get(name)?.map(({ host }) => host);
  return { answers, all, hosts };
}

Deno.test("targets of several answers are known together, each once, the last ones first", async () => {
  const { answers, all, hosts } = directory();
  answers.set("n", [record("a."), record("b.")]);
  await all.lookUp("n");
  answers.set("n", [record("b."), record("c.")]);
  await all.lookUp("n");
  assert.deepEqual(hosts("n"), ["b", "c", "a"]);
});

Deno.test("of more than 64 the last ones are known", async () => {
  const { answers, all, hosts } = directory();
  for (let i = 0; i < 70; i++) {
    answers.set("n", [record(`b${i}.`)]);
    await all.lookUp("n");
  }
  assert.deepEqual([hosts("n")?.length, hosts("n")?.[0]], [64, "b69"]);
});

Deno.test("a look-up of all forgets what DNS does not say any more, unless DNS is away", async () => {
  const { answers, all, hosts } = directory();
  for (const name of ["kept", "gone", "away"]) answers.set(name, [record(`${name}1.`)]);
  await all.lookUpAll(new Set(answers.keys()));
  answers.set("kept", [record("kept2.")]);
  answers.set("away", new Error("no answer"));
  await all.lookUpAll(new Set(["kept", "away"]));
  assert.deepEqual([hosts("kept"), hosts("gone"), hosts("away")], [["kept2"], undefined, [
    "away1",
  ]]);
});

Deno.test("what is no host is not among the records", async () => {
  const { answers, all, hosts } = directory();
  const bad = [".", "*.example.", "10.0.0.0/8", "a b.", "bro,ker.", "münchen.example."];
  answers.set("n", [...bad, "broker_1.example.", "2001:db8::1", "192.0.2.1"].map((t) => record(t)));
  assert.equal((await all.lookUp("n")).length, 3);
  assert.deepEqual(hosts("n"), ["broker_1.example", "2001:db8::1", "192.0.2.1"]);
});
