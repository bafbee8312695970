/** The task `package`. What dpkg makes of the package is tried in a clean root (`.ci/clean-root`). */

import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { BUNDLE_FLAGS } from "../../scripts/build/flags.ts";
import { type Ended, runProgram } from "../../scripts/build/program.ts";
import { VERSION } from "../../lib/version.ts";
import { build, inFolder, LIMIT_MS, namesIn, standIn } from "./building.ts";

const EPOCH = { SOURCE_DATE_EPOCH: "1700000000" };
const NAME = `fsmqtt_${VERSION}_all.deb`;

const dpkgDeb = async (...args: string[]) => {
  const { code, out, err } = await runProgram(["dpkg-deb", ...args], { limitMs: LIMIT_MS });
  assert.equal(code, 0, err);
  return out;
};

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Starts what was unpacked in a folder as somebody would, and gives what the terminal shows. */
async function atTerminal(files: string, ...args: string[]): Promise<Ended> {
  const starter = join(files, "usr/bin/fsmqtt");
  const text = await Deno.readTextFile(starter);
  const moved = join(files, "fsmqtt-here");
  await Deno.writeTextFile(moved, text.replaceAll(" /usr/lib/", ` ${files}/usr/lib/`), {
    mode: 0o755,
  });
  const bin = join(files, "bin");
  await Deno.mkdir(bin, { recursive: true });
  if (!exists(join(bin, "deno"))) await Deno.symlink(Deno.execPath(), join(bin, "deno"));
  return await runProgram(
    ["script", "--quiet", "--return", "--command", [moved, ...args].join(" "), "/dev/null"],
    {
      clearEnv: true,
      env: { PATH: `${bin}:/usr/bin:/bin`, HOME: files, NO_COLOR: "1" },
      limitMs: LIMIT_MS,
    },
  );
}

Deno.test("the package of the bundle has what a Debian package should", async (t) => {
  await inFolder(async (folder) => {
    const dist = join(folder, "dist");
    const file = join(dist, NAME);
    const ended = await build("package.ts", ["--dist", dist], EPOCH);
    assert.deepEqual(
      [ended.code, ended.out],
      [0, `${join(dist, "fsmqtt.js")}\n${file}`],
      ended.err,
    );
    assert.deepEqual(namesIn(dist), ["fsmqtt.js", NAME]);

    await t.step("each file belongs to root and has its rights", async () => {
      const listed = (await dpkgDeb("--contents", file)).split("\n").map((line) => {
        const [mode = "", owner, , , , path = ""] = line.split(/ +/);
        return { mode, owner, path: path.replace(/^\./, "") };
      });
      assert.deepEqual(listed.filter(({ owner }) => owner !== "root/root"), []);
      const modes = new Map(listed.map(({ mode, path }) => [path, mode]));
      for (
        const [path, mode] of [
          ["/usr/bin/fsmqtt", "-rwxr-xr-x"],
          ["/usr/lib/fsmqtt/fsmqtt.js", "-rwxr-xr-x"],
          ["/usr/lib/fsmqtt/mosquitto-console", "-rwxr-xr-x"],
          ["/etc/fsmqtt/", "drwxr-x---"],
          ["/etc/fsmqtt/mosquitto.conf.xml", "-rw-r-----"],
          ["/etc/default/fsmqtt", "-rw-r--r--"],
          ["/etc/logrotate.d/fsmqtt", "-rw-r--r--"],
          ["/usr/lib/systemd/system/fsmqtt.service", "-rw-r--r--"],
          ["/usr/lib/sysusers.d/fsmqtt.conf", "-rw-r--r--"],
          ["/usr/share/bash-completion/completions/fsmqtt", "-rw-r--r--"],
          ["/usr/share/zsh/vendor-completions/_fsmqtt", "-rw-r--r--"],
          ["/usr/share/fish/vendor_completions.d/fsmqtt.fish", "-rw-r--r--"],
          ["/usr/share/man/man1/fsmqtt.1.gz", "-rw-r--r--"],
          ["/usr/share/doc/fsmqtt/copyright", "-rw-r--r--"],
          ["/usr/share/doc/fsmqtt/changelog.gz", "-rw-r--r--"],
          ["/usr/share/doc/fsmqtt/README.md", "-rw-r--r--"],
          ["/usr/share/doc/fsmqtt/docs/reference.md", "-rw-r--r--"],
          ["/usr/share/doc/fsmqtt/conf/mosquitto.conf.xml", "-rw-r--r--"],
          ["/usr/share/doc/fsmqtt/conf/broker/acl", "-rw-r--r--"],
          ["/usr/share/", "drwxr-xr-x"],
        ] as const
      ) assert.equal(modes.get(path), mode, path);
    });

    await t.step("what it says of itself", async () => {
      const fields = await dpkgDeb(
        "--field",
        file,
        "Package",
        "Version",
        "Architecture",
        "Depends",
      );
      assert.equal(
        fields,
        `Package: fsmqtt\nVersion: ${VERSION}\nArchitecture: all\nDepends: adduser`,
      );
    });

    const files = join(folder, "files");
    await dpkgDeb("--raw-extract", file, files);
    const text = (path: string) => Deno.readTextFileSync(join(files, path)).trimEnd();

    await t.step("whatever is in /etc is the owner's to change", () => {
      assert.deepEqual(text("DEBIAN/conffiles").split("\n"), [
        "/etc/default/fsmqtt",
        "/etc/fsmqtt/mosquitto.conf.xml",
        "/etc/logrotate.d/fsmqtt",
      ]);
    });

    await t.step("its sums are right", async () => {
      const command = ["md5sum", "--check", "--quiet", "DEBIAN/md5sums"];
      const { code, out, err } = await runProgram(command, { cwd: files, limitMs: LIMIT_MS });
      assert.equal(code, 0, out + err);
    });

    await t.step("it starts Deno with what the bundle needs", () => {
      assert.ok(text("usr/bin/fsmqtt").includes(` run ${BUNDLE_FLAGS.join(" ")} /usr/lib/`));
      assert.doesNotMatch(text("usr/bin/fsmqtt"), /@[A-Z]/);
    });

    await t.step("each link in its documents leads somewhere", async () => {
      const documents = join(files, "usr/share/doc/fsmqtt");
      const { out } = await runProgram(["find", documents, "-name", "*.md"], {
        limitMs: LIMIT_MS,
      });
      const links = out.split("\n").flatMap((file) =>
        [...Deno.readTextFileSync(file).matchAll(/\]\((?!\w+:)([^)#]+)(?:#[^)]*)?\)/g)]
          .map(([, link = ""]) => join(dirname(file), link))
      );
      assert.ok(links.length > 30, `${links.length}`);
      assert.deepEqual(links.filter((link) => !exists(link)), []);
    });

    await t.step("at a terminal it prints what it should, and nothing of Deno's", async () => {
      const { code, out } = await atTerminal(files, "version");
      assert.deepEqual([code, out], [0, `fsmqtt ${VERSION} (deno ${Deno.version.deno})`]);
    });

    await t.step("an error that nobody catches is printed all the same", async () => {
      const script = join(files, "usr/lib/fsmqtt/fsmqtt.js");
      const bundle = await Deno.readTextFile(script);
      await Deno.writeTextFile(script, 'throw new Error("on purpose");');
      const { code, out } = await atTerminal(files, "version");
      await Deno.writeTextFile(script, bundle);
      assert.deepEqual([code, out.split("\n")[0]], [
        1,
        "error: Uncaught (in promise) Error: on purpose\r",
      ]);
    });

    await t.step(
      "the configuration that comes with it is good, and connects to nothing",
      async () => {
        const path = join(files, "etc/fsmqtt/mosquitto.conf.xml");
        const command = [join(dist, "fsmqtt.js"), "check", "--config", path];
        const { code, err } = await runProgram(command, { limitMs: LIMIT_MS });
        assert.deepEqual([code, /: error:/.test(err)], [0, false], err);
        assert.doesNotMatch(await Deno.readTextFile(path), /<profile |<connection /);
      },
    );

    await t.step("made again it is the same to the byte", async () => {
      const again = join(folder, "again");
      assert.equal((await build("package.ts", ["--dist", again], EPOCH)).code, 0);
      assert.deepEqual(await Deno.readFile(join(again, NAME)), await Deno.readFile(file));
    });
  });
});

Deno.test("the package of the executable is for its kind of machine, and needs no Deno", async () => {
  await inFolder(async (folder) => {
    const dist = join(folder, "dist");
    const base = await standIn(folder, { version: VERSION });
    const args = ["--form", "executable", "--version", "9.8.7+x", "--dist", dist];
    const architecture = Deno.build.arch === "x86_64" ? "amd64" : "arm64";
    const file = join(dist, `fsmqtt_9.8.7+x_${architecture}.deb`);
    const { code, out, err } = await build("package.ts", args, { ...EPOCH, DENORT_BIN: base });
    assert.deepEqual([code, out], [0, `${join(dist, "fsmqtt")}\n${file}`], err);
    await dpkgDeb("--extract", file, join(folder, "files"));
    assert.deepEqual(
      await Deno.readFile(join(folder, "files/usr/bin/fsmqtt")),
      await Deno.readFile(join(dist, "fsmqtt")),
    );
    assert.deepEqual(namesIn(join(folder, "files/usr/lib/fsmqtt")), ["mosquitto-console"]);
    assert.equal(await dpkgDeb("--field", file, "Architecture"), architecture);
  });
});

Deno.test("without dpkg-deb there is no package, and one line why", async () => {
  await inFolder(async (folder) => {
    const dist = join(folder, "dist");
    const env = { ...EPOCH, PATH: join(folder, "nothing") };
    const { code, err } = await build("package.ts", ["--dist", dist], env);
    assert.equal(code, 69);
    assert.equal(err, "Cannot package: there is no dpkg-deb here; Debian's package dpkg has it");
    assert.deepEqual(namesIn(dist), ["fsmqtt.js"]);
  });
});

for (
  const [args, why] of [
    [["--form", "rpm"], "There is no form rpm"],
    [["--target", "riscv"], "There is no target riscv"],
    [["--version", "one two"], "one two is no version of a package"],
    [["--form"], "Option '--form <value>' argument missing"],
  ] as const
) {
  Deno.test(`${args.join(" ")} is refused with the usage`, async () => {
    const { code, out, err } = await build("package.ts", args);
    assert.deepEqual([code, out], [64, ""]);
    assert.ok(err.startsWith(why), err);
    assert.match(err, /\n\ndeno task package \[--form bundle\|executable\]/);
  });
}
