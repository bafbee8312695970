import assert from "node:assert/strict";
import { join } from "node:path";
import { configuration, load, loaded, params, SETTINGS, withFiles } from "./helper.ts";

const set = (data: string, cmd = "set") => `<X-PRE-PROCESS cmd="${cmd}" data="${data}"/>`;

function settings(values: Record<string, string>): string {
  return `<settings>${params({ "esl-password": "x", ...values })}</settings>`;
}

Deno.test("set gives $${name} its value, from there on", () => {
  const text = configuration(
    set("host = fs1") + set("both=$${host}.$${HOST}") + settings({ "esl-host": "$${both}" }),
  );
  withFiles({ "f.xml": text }, (folder) => {
    assert.equal(loaded(join(folder, "f.xml")).settings.eslHost, "fs1.fs1");
    assert.deepEqual(load(join(folder, "f.xml")).findings, []);
  });
});

Deno.test("the name of X-PRE-PROCESS and its command are taken in any case", () => {
  const text = configuration(
    '<x-pre-process cmd="SET" data="a=b"/>' + settings({ "esl-host": "$${a}" }),
  );
  withFiles({ "f.xml": text }, (folder) => {
    assert.equal(loaded(join(folder, "f.xml")).settings.eslHost, "b");
  });
});

Deno.test("env-set takes from the environment, and leaves alone what is not there", () => {
  const text = configuration(
    set("a=kept") + set("a=$NOT_THERE", "env-set") + set("b=$THERE", "env-set") +
      settings({ "esl-host": "$${a}.$${b}" }),
  );
  withFiles({ "f.xml": text }, (folder) => {
    const env = (name: string) => ({ THERE: "env" })[name];
    assert.equal(loaded(join(folder, "f.xml"), { env }).settings.eslHost, "kept.env");
  });
});

Deno.test("what nothing sets is a warning at its place, and empty", () => {
  const text = configuration(`<settings>
<param name="esl-password" value="x"/>
<param name="esl-host" value="a$\${nothing}b"/></settings>`);
  withFiles({ "f.xml": text }, (folder) => {
    const file = join(folder, "f.xml");
    const { config, lines } = load(file);
    assert.equal(config?.settings.eslHost, "ab");
    assert.deepEqual(lines, [
      `${file}:3:31: warning: nothing sets $\${nothing}, so it is empty here [unset-variable]`,
    ]);
  });
});

Deno.test("FreeSWITCH's own variables are there as far as they can be known", () => {
  const content = configuration(
    settings({ "esl-host": "$${hostname}", "state-dir": "$${conf_dir}/x" }),
  );
  withFiles({ "autoload_configs/f.xml": content }, (folder) => {
    const file = join(folder, "autoload_configs/f.xml");
    const { eslHost, stateDir } = loaded(file, { hostname: "pbx" }).settings;
    assert.deepEqual([eslHost, stateDir], ["pbx", `${folder}/x`]);
  });
});

for (const cmd of ["exec", "exec-set", "stun-set"]) {
  Deno.test(`${cmd} never runs`, () => {
    withFiles({}, (folder) => {
      const proof = join(folder, "proof");
      const file = join(folder, "f.xml");
      Deno.writeTextFileSync(file, configuration(set(`a=touch ${proof}`, cmd) + SETTINGS));
      const { config, findings } = load(file);
      assert.ok(config);
      assert.deepEqual(findings.map(({ severity, code }) => [severity, code]), [
        ["warning", "not-run"],
      ]);
      assert.throws(() => Deno.statSync(proof), Deno.errors.NotFound);
    });
  });
}

Deno.test("vars.xml is read first where the file lies in autoload_configs", () => {
  const vars = `<include>${set("mine=a.example.org")}${set("theirs=$${local_ip_v4}")}
    ${set("ip=stun:x", "stun-set")}</include>`;
  const content = configuration(`<settings>
<param name="esl-password" value="x"/>
<param name="esl-host" value="$\${mine}"/>
<param name="log-dir" value="/$\${theirs}"/>
<param name="state-dir" value="/$\${ip}"/></settings>`);
  withFiles({ "vars.xml": vars, "autoload_configs/f.xml": content }, (folder) => {
    const { config, findings } = load(join(folder, "autoload_configs/f.xml"));
    assert.equal(config?.settings.eslHost, "a.example.org");
    assert.deepEqual(findings.map(({ at, text }) => [at.line, text]), [
      [4, "$${theirs} may be incomplete: nothing sets $${local_ip_v4}, so it is empty here"],
      [5, "$${ip} is empty here: it is set by stun-set, which fsmqtt never runs"],
    ]);
  });
});

Deno.test("a broken vars.xml is a warning only", () => {
  const files = { "vars.xml": "<include>", "autoload_configs/f.xml": configuration(SETTINGS) };
  withFiles(files, (folder) => {
    const { config, findings } = load(join(folder, "autoload_configs/f.xml"));
    assert.ok(config);
    assert.deepEqual(findings.map(({ severity, code, at }) => [severity, code, at.file]), [
      ["warning", "unusable-freeswitch-file", join(folder, "vars.xml")],
    ]);
  });
});

Deno.test("vars.xml is left alone elsewhere", () => {
  withFiles({ "vars.xml": "<include>", "conf/f.xml": configuration(SETTINGS) }, (folder) => {
    assert.deepEqual(load(join(folder, "conf/f.xml")).findings, []);
  });
});

Deno.test("include takes files by pattern, in order, from the including file's folder", () => {
  const profile = (name: string) => `<profile name="${name}"/>`;
  const files = {
    "f.xml": configuration(`${SETTINGS}<profiles>${set("mqtt/*.xml", "include")}</profiles>`),
    "mqtt/20-b.xml": profile("b") + profile("c"),
    "mqtt/10-a.xml": `<include>${profile("a")}${set("deeper/[!x]?.xml", "include")}</include>`,
    "mqtt/.hidden.xml": profile("hidden"),
    "mqtt/deeper/d1.xml": `<?xml version="1.0"?>\n<include>${profile("$${name}")}</include>`,
    "mqtt/deeper/x1.xml": profile("x"),
    "mqtt/other.txt": "<",
  };
  files["f.xml"] = files["f.xml"].replace("<profiles>", `<profiles>${set("name=d")}`);
  withFiles(files, (folder) => {
    const { profiles } = loaded(join(folder, "f.xml"));
    assert.deepEqual(profiles.map(({ name }) => name), ["a", "d", "b", "c"]);
    assert.equal(profiles[1]?.source.at.file, join(folder, "mqtt/deeper/d1.xml"));
  });
});

Deno.test("a finding in an included file tells that file", () => {
  const files = {
    "f.xml": configuration(`${SETTINGS}<profiles>${set("a.xml", "include")}</profiles>`),
    "a.xml": '<profile name="p">\n<param name="enbale" value="1"/></profile>',
  };
  withFiles(files, (folder) => {
    assert.deepEqual(load(join(folder, "f.xml")).lines, [
      `${folder}/a.xml:2:14: error: unknown parameter \`enbale\` in <profile>: did you mean ` +
      "`enable`? [unknown-parameter]",
    ]);
  });
});

Deno.test("an include that matches nothing is a warning", () => {
  const text = configuration(SETTINGS + set("none/*.xml", "include"));
  withFiles({ "f.xml": text }, (folder) => {
    const { config, findings } = load(join(folder, "f.xml"));
    assert.ok(config);
    assert.deepEqual(findings.map(({ code }) => code), ["include-nothing"]);
  });
});

Deno.test("an include cycle is an error that names the way", () => {
  const files = {
    "f.xml": configuration(`${SETTINGS}<profiles>${set("a.xml", "include")}</profiles>`),
    "a.xml": `\n${set("b.xml", "include")}`,
    "b.xml": set("a.xml", "include"),
  };
  withFiles(files, (folder) => {
    const [f, a, b] = ["f", "a", "b"].map((name) => join(folder, `${name}.xml`));
    assert.deepEqual(load(join(folder, "f.xml")).lines, [
      `${b}:1:36: error: Cannot include a file in itself: ${f} includes ${a} includes ${b} ` +
      `includes ${a} [include-cycle]`,
    ]);
  });
});

for (const data of ["novalue", "a=b"]) {
  Deno.test(`a set that sets nothing is a warning: env-set ${data}`, () => {
    withFiles({ "f.xml": configuration(set(data, "env-set") + SETTINGS) }, (folder) => {
      const { findings } = load(join(folder, "f.xml"));
      assert.deepEqual(findings.map(({ code }) => code), ["pre-process"]);
    });
  });
}
