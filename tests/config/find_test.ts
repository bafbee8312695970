import assert from "node:assert/strict";
import {
  CONFIG_PLACES,
  type Disk,
  findConfigs,
  isFreeswitchs,
  SERVICE_ENVIRONMENT,
} from "../../lib/config/find.ts";

const [own, packaged, built, fhs] = CONFIG_PLACES;

/** A disk on which these paths lead to these files, and the service has this environment. */
const disk = (files: Readonly<Record<string, string>>, environment?: string): Disk => ({
  look: (path) => files[path],
  read: (path) => path === SERVICE_ENVIRONMENT ? environment : assert.fail(path),
});

for (
  const [what, there, files] of [
    ["nothing, where there is none", disk({}), []],
    ["FreeSWITCH's", disk({ [packaged]: packaged }), [packaged]],
    [
      "fsmqtt's own before all of FreeSWITCH's",
      disk({ [fhs]: fhs, [built]: built, [packaged]: packaged, [own]: own }),
      [own, packaged, built, fhs],
    ],
    [
      "one file once, though two places lead to it",
      disk({ [packaged]: packaged, [built]: packaged }),
      [packaged],
    ],
  ] satisfies [string, Disk, string[]][]
) {
  Deno.test(`the usual places have ${what}`, () => {
    assert.deepEqual(findConfigs(there), { files, hidden: [] });
  });
}

Deno.test("what may not be looked at is told, and does not hide the rest", () => {
  const denied = () => {
    throw new Deno.errors.PermissionDenied("Permission denied (os error 13)");
  };
  const found = findConfigs({
    look: (path) => path === packaged ? denied() : disk({ [built]: built }).look(path),
    read: denied,
  });
  const fault = "Permission denied";
  assert.deepEqual(found, {
    files: [built],
    hidden: [{ path: SERVICE_ENVIRONMENT, fault }, { path: packaged, fault }],
  });
});

Deno.test("the service's configuration comes first, whatever lies elsewhere", () => {
  const files = { [own]: own, [packaged]: packaged, "/srv/my.xml": "/srv/my.xml" };
  const found = (file: string) => findConfigs(disk(files, `FSMQTT_CONFIG=${file}\n`));
  assert.deepEqual(found("/srv/my.xml"), {
    service: "/srv/my.xml",
    files: ["/srv/my.xml", own, packaged],
    hidden: [],
  });
  assert.deepEqual(found(packaged), { service: packaged, files: [packaged, own], hidden: [] });
  assert.deepEqual(found("/no/where"), {
    service: "/no/where",
    files: [own, packaged],
    hidden: [],
  });
});

for (
  const [what, environment, file] of [
    ["nothing set", "# FSMQTT_CONFIG=/c\n; FSMQTT_CONFIG=/c\n  #FSMQTT_CONFIG=/c\nOTHER=x\n"],
    ["a quote in a comment", "#A='\nFSMQTT_CONFIG=/a\n#'\n", "/a"],
    ["an empty value", "FSMQTT_CONFIG=\nFSMQTT_CONFIG=''\n"],
    ["a plain value", "A=1\nFSMQTT_CONFIG=/a b.xml  \nB=2", "/a b.xml"],
    ["blanks around the name", " \tFSMQTT_CONFIG = /a.xml\n", "/a.xml"],
    ["double quotes", 'FSMQTT_CONFIG="/a \\"b\\".xml" \n', '/a "b".xml'],
    ["single quotes", "FSMQTT_CONFIG='/a\\b.xml'\r\n", "/a\\b.xml"],
    ["a backslash", "FSMQTT_CONFIG=/a\\ b\\\n.xml\n", "/a b.xml"],
    ["a number sign in the value", "FSMQTT_CONFIG=/a #b\n", "/a #b"],
    ["two of them, of which the last counts", "FSMQTT_CONFIG=/a\nFSMQTT_CONFIG=/b\n", "/b"],
    ["one within a value of several lines", "A='\nFSMQTT_CONFIG=/a\n'\nFSMQTT_CONFIG=/b", "/b"],
    ["another name that ends with it", "MY_FSMQTT_CONFIG=/a\nFSMQTT_CONFIGS=/b\n"],
    ["a path that is not absolute", "FSMQTT_CONFIG=a.xml", "/a.xml"],
  ] satisfies [string, string, string?][]
) {
  Deno.test(`the service's environment is read as systemd reads it: ${what}`, () => {
    assert.equal(findConfigs(disk({}, environment)).service, file);
  });
}

Deno.test("only FreeSWITCH's places are FreeSWITCH's", () => {
  assert.deepEqual(CONFIG_PLACES.map(isFreeswitchs), [false, true, true, true]);
  assert.equal(isFreeswitchs("/srv/my.xml"), false);
});
