import assert from "node:assert/strict";
import { type Machine, readFault, userName } from "../../lib/config/accounts.ts";

const FILES: Readonly<Record<string, string>> = {
  "/etc/passwd": "root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n",
  "/etc/group": "root:x:0:\nfsmqtt:x:101:\nfreeswitch:x:102:fsmqtt\n",
};

/** What a path has: its group and mode; a folder ends with a slash. */
type Paths = Readonly<Record<string, readonly [number, number]>>;

function machine(paths: Paths, files = FILES, uid = 1000): Machine {
  return {
    uid,
    stat(path) {
      const isDirectory = `${path}/` in paths;
      const entry = paths[isDirectory ? `${path}/` : path];
      if (entry === undefined) throw new Deno.errors.PermissionDenied("no");
      const [gid, mode] = entry;
      return { uid: 0, gid, mode, isDirectory };
    },
    read: (file) => files[file] ?? assert.fail(file),
  };
}

const denied = new Deno.errors.PermissionDenied("Permission denied (os error 13), open 'x'");
const joining = (group: string, user = "ada") =>
  `its group ${group} may: usermod --append --groups ${group} ${user}`;
const GENERAL = "run this as a user that may read it, or let ada: chgrp, chmod g+r";
const NO_GROUP = { ...FILES, "/etc/group": "root:x:0:\n" };

for (
  const [what, path, on, expected] of [
    ["a file of a group", "/etc/f", machine({ "/etc/f": [101, 0o640] }), joining("fsmqtt")],
    ["a file that its group may not read", "/f", machine({ "/f": [101, 0o600] }), GENERAL],
    ["a file of root's group", "/f", machine({ "/f": [0, 0o640] }), GENERAL],
    ["a group without a name", "/f", machine({ "/f": [9999, 0o640] }), GENERAL],
    ["a folder of a group", "/d/e/f", machine({ "/d/": [102, 0o750] }), joining("freeswitch")],
    ["a folder that its group may not enter", "/d/f", machine({ "/d/": [102, 0o740] }), GENERAL],
    [
      "FreeSWITCH's folder, whatever its mode",
      "/etc/freeswitch/vars.xml",
      machine({ "/etc/freeswitch/": [0, 0o700] }),
      joining("freeswitch"),
    ],
    [
      "FreeSWITCH's folder where there is no such group",
      "/usr/local/freeswitch/conf/vars.xml",
      machine({ "/usr/": [0, 0o755] }, NO_GROUP),
      GENERAL,
    ],
    ["a disk that tells nothing", "/a/b", machine({}), GENERAL],
    [
      "a user without a name",
      "/etc/f",
      machine({ "/etc/f": [101, 0o640] }, FILES, 77),
      joining("fsmqtt", "USER"),
    ],
  ] satisfies [string, string, Machine, string][]
) {
  Deno.test(`who may not read is told what would help: ${what}`, () => {
    assert.equal(readFault(path, denied, on), `Permission denied; ${expected}`);
  });
}

Deno.test("another fault has no such remedy", () => {
  const missing = new Deno.errors.NotFound("No such file or directory (os error 2)");
  assert.equal(readFault("/f", missing, machine({})), "No such file or directory");
});

Deno.test("users have names as far as the machine says", () => {
  assert.equal(userName(0, machine({})), "root");
  assert.equal(userName(1000, machine({})), "ada");
  assert.equal(userName(5, machine({})), undefined);
  const silent: Machine = {
    ...machine({}),
    read: () => {
      throw new Error("no");
    },
  };
  assert.equal(userName(0, silent), undefined);
});
