import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { chainFault } from "../../lib/tls/chain.ts";
import { certificateKind } from "../../lib/tls/der.ts";
import { Authority, type KeyKind } from "../support/authority.ts";

/** A DER element. */
function element(tag: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const { length } = content;
  const size = length < 0x80
    ? [length]
    : length < 0x100
    ? [0x81, length]
    : [0x82, length >> 8, length & 0xff];
  return Uint8Array.from([tag, ...size, ...content]);
}

/** The content of an element, and where it ends. */
function inside(der: Uint8Array, at = 0): { content: Uint8Array; end: number } {
  const first = der[at + 1] ?? 0;
  const digits = first < 0x80 ? 0 : first & 0x7f;
  let length = digits === 0 ? first : 0;
  for (let i = 0; i < digits; i++) length = length * 256 + (der[at + 2 + i] ?? 0);
  const start = at + 2 + digits;
  return { content: der.subarray(start, start + length), end: start + length };
}

/** What is signed, the algorithm, and the signature of a certificate. */
function parts(der: Uint8Array): { signed: Uint8Array; algorithm: Uint8Array; bits: Uint8Array } {
  const { content } = inside(der);
  const first = inside(content).end;
  const second = inside(content, first).end;
  return {
    signed: content.subarray(0, first),
    algorithm: content.subarray(first, second),
    bits: inside(content, second).content,
  };
}

function joined(...all: readonly (Uint8Array | readonly number[])[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(all.flatMap((each) => [...each]));
}

/** Other bytes around what is signed: the signature stays good. */
const AROUND: Readonly<Record<string, (der: Uint8Array) => Uint8Array>> = {
  "a length with a zero before it": (der) => joined([0x30, 0x83, 0], der.subarray(2)),
  "a length without an end": (der) => joined([0x30, 0x80], inside(der).content, [0, 0]),
  "more behind the certificate": (der) => joined(der, [5, 0]),
  "more behind the signature": (der) => element(0x30, joined(inside(der).content, [5, 0])),
  "a signature of another length form": (der) => {
    const { signed, algorithm, bits } = parts(der);
    const length = [0x03, 0x82, bits.length >> 8, bits.length & 0xff];
    return element(0x30, joined(signed, algorithm, length, bits));
  },
  "a signature with unused bits": (der) => {
    const { signed, algorithm, bits } = parts(der);
    const longer = element(0x03, joined([4], bits.subarray(1), [0]));
    return element(0x30, joined(signed, algorithm, longer));
  },
  "another algorithm beside the signature": (der) => {
    const { signed, algorithm, bits } = parts(der);
    const other = element(0x30, joined(inside(algorithm).content, [5, 0]));
    return element(0x30, joined(signed, other, element(0x03, bits)));
  },
  "an algorithm of another length form": (der) => {
    const { signed, algorithm, bits } = parts(der);
    const { content } = inside(algorithm);
    return element(
      0x30,
      joined(signed, [0x30, 0x81, content.length], content, element(0x03, bits)),
    );
  },
};

/** Other bytes in what is signed, by search and replacement in hex digits of the same length. */
const WITHIN: Readonly<Record<string, readonly [RegExp, string]>> = {
  "a time of another tag": [/170d/, "970d"],
  "a month 13": [/(170d\d{4})\d{4}/, "$13133"],
  "a time without its Z": [/(170d[0-9a-f]{24})5a/, "$130"],
  "a version 3 of two bytes": [/a003020102/, "a003020182"],
  "a truth that is neither 0 nor 0xff": [/0101ff/, "010101"],
};

async function withLeaf(
  kind: KeyKind,
  use: (der: Uint8Array, root: string) => void,
): Promise<void> {
  await using authority = await Authority.start();
  const { certfile } = await authority.issue("leaf", {
    names: ["DNS:localhost", "IP:127.0.0.1"],
    key: { kind },
  });
  const root = await Deno.readTextFile(authority.root.certfile);
  use(new X509Certificate(await Deno.readTextFile(certfile)).raw, root);
}

for (const kind of ["RSA", "P-256", "Ed25519"] as const) {
  Deno.test(`a certificate for a key of ${kind} as OpenSSL makes it is of version 3`, async () => {
    await withLeaf(kind, (der, root) => {
      assert.equal(certificateKind(der), "version 3");
      assert.equal(chainFault({ raw: der }, [root]), undefined);
    });
  });
}

for (const [what, change] of Object.entries(AROUND)) {
  // Deno's TLS would not ask for the private key, and the signature says nothing of these bytes.
  Deno.test(`a broker's own certificate with ${what} is no proof of anything`, async () => {
    await withLeaf("P-256", (der, root) => {
      const changed = change(der);
      assert.notDeepEqual(changed, der);
      assert.equal(certificateKind(changed), "odd");
      assert.equal(chainFault({ raw: changed }, [root])?.code, "CERT_REJECTED");
    });
  });
}

for (const [what, [search, replacement]] of Object.entries(WITHIN)) {
  Deno.test(`a certificate with ${what} is odd`, async () => {
    await withLeaf("P-256", (der) => {
      const changed = Uint8Array.fromHex(der.toHex().replace(search, replacement));
      assert.notDeepEqual(changed, der);
      assert.notEqual(certificateKind(changed), "version 3");
    });
  });
}

Deno.test("what is cut off anywhere, or is no certificate, is odd", async () => {
  await withLeaf("P-256", (der) => {
    for (let length = 0; length < der.length; length++) {
      assert.equal(certificateKind(der.subarray(0, length)), "odd", `${length} bytes`);
    }
    assert.equal(certificateKind(element(0x30, new Uint8Array())), "odd");
    assert.equal(certificateKind(new Uint8Array(1_000).fill(0x30)), "odd");
  });
});
