import assert from "node:assert/strict";
import { mayBecomeOthers, NOBODY, runAsNobody } from "../support/other_user.ts";

const OTHER_GROUP = 4242;

Deno.test({
  name: "a folder that only a further group of the user's may write is not called unwritable",
  ignore: !mayBecomeOthers,
  async fn() {
    const root = await Deno.makeTempDir({ prefix: "fsmqtt-groups-" });
    try {
      await Deno.chmod(root, 0o755);
      const folders = {
        theirs: [OTHER_GROUP, 0o770],
        readable: [OTHER_GROUP, 0o750],
        own: [
          NOBODY,
          0o570,
        ],
      } as const;
      for (const [name, [group, mode]] of Object.entries(folders)) {
        await Deno.mkdir(`${root}/${name}`);
        await Deno.chown(`${root}/${name}`, 0, group);
        await Deno.chmod(`${root}/${name}`, mode);
      }
      const code = `const faults = ["theirs", "readable", "own"].map((name) =>
          module.writeFault(${JSON.stringify(root)} + "/" + name));
        console.log(JSON.stringify(faults.map((fault) => fault === undefined)));`;
      const writable = JSON.parse(await runAsNobody("lib/config/files.ts", code, [OTHER_GROUP]));
      assert.deepEqual(writable, [true, false, true]);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  },
});
