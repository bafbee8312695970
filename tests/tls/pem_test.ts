import assert from "node:assert/strict";
import { readCertificates, readFolder } from "../../lib/tls/certificates.ts";
import { pemBlocks } from "../../lib/tls/pem.ts";
import { openKey } from "../../lib/tls/private_key.ts";
import { refusal } from "./refusal.ts";

const BEGIN = "-----BEGIN CERTIFICATE-----\n";
const END = "-----END CERTIFICATE-----\n";

/** As many as the longest file of certificates can hold; work that grows with its square shows. */
const MANY = 200_000;

const texts: [what: string, text: string, expected: ReturnType<typeof pemBlocks>][] = [
  ["nothing", "", []],
  ["a block", `${BEGIN}YQ==\n${END}`, [{ label: "CERTIFICATE", body: "YQ==\n" }]],
  ["a block of no lines", BEGIN + END, [{ label: "CERTIFICATE", body: "" }]],
  [
    "a block without an end of its last line",
    `${BEGIN}YQ==\n${END.trimEnd()}`,
    [{ label: "CERTIFICATE", body: "YQ==\n" }],
  ],
  ["a block without an end", `${BEGIN}YQ==\n`, [{ label: "CERTIFICATE", body: undefined }]],
  ["an end without a block", `YQ==\n${END}`, []],
  [
    "an end of something else",
    `${BEGIN}YQ==\n${END.replace("CERTIFICATE", "X509 CRL")}`,
    [{ label: "CERTIFICATE", body: undefined }],
  ],
  [
    "two blocks and what is between, before and after",
    `Root\n${BEGIN}YQ==\n${END}Another\n${BEGIN}Yg==\n${END}that is all`,
    [{ label: "CERTIFICATE", body: "YQ==\n" }, { label: "CERTIFICATE", body: "Yg==\n" }],
  ],
  ["lines that are indented", `  ${BEGIN}  YQ==\n  ${END}`, []],
  [
    "lines of Windows, and blanks at their end",
    `${BEGIN.replace("\n", " \r\n")}YQ==\r\n${END.replace("\n", "\t\r\n")}`,
    [{ label: "CERTIFICATE", body: "YQ==\r\n" }],
  ],
];

for (const [what, text, expected] of texts) {
  Deno.test(`the blocks of a PEM file: ${what}`, () => assert.deepEqual(pemBlocks(text), expected));
}

Deno.test("a file of nothing but first lines is judged as soon as any other of its length", async () => {
  const folder = await Deno.makeTempDir({ prefix: "fsmqtt-pem-" });
  try {
    const path = `${folder}/ca.pem`;
    for (const end of ["", END, "-----END PRIVATE KEY-----\n"]) {
      await Deno.writeTextFile(path, BEGIN.repeat(MANY) + end);
      const [parameter, message] = refusal(() => readCertificates("cafile", path));
      assert.equal(parameter, "cafile");
      assert.match(message, /certificate 1 of the \d+ in it is malformed$/);
      assert.deepEqual(readFolder(folder), []);
    }
    const key = BEGIN.replace("CERTIFICATE", "EC PRIVATE KEY");
    await Deno.writeTextFile(path, key.repeat(MANY));
    assert.equal(refusal(() => openKey(path, undefined))[0], "keyfile");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
