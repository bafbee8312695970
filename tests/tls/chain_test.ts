import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { chainFault, type PeerCertificate } from "../../lib/tls/chain.ts";
import { Authority, type Certificate } from "../support/authority.ts";

/** Within the time of the certificates whose time is over, and of those that are valid later. */
const [THEN, LATER] = [Date.UTC(2020, 0, 15), Date.UTC(2096, 5)];

/** Kinds of keys whose signatures Deno verifies. */
const KINDS = ["RSA", "P-256", "P-384", "Ed25519"] as const;

/** What the table below is made of; `root` is the CA. */
let certificates: Authority;

Deno.test.beforeAll(async () => {
  certificates = await Authority.start();
  const isAuthority = true;
  const issue = certificates.issue.bind(certificates);
  await Promise.all([
    issue("leaf"),
    issue("expired", { valid: "over" }),
    issue("future", { valid: "later" }),
    issue("v1", { version: 1 }),
    withIntermediate(),
    issueBelow("below-expired", issue("expired-intermediate", { isAuthority, valid: "over" })),
    issueBelow("below-future", issue("future-intermediate", { isAuthority, valid: "later" })),
    issueBelow("below-v1", issue("v1-intermediate", { version: 1 })),
    issueBelow("below-v1-root", issue("v1-root", { by: "self", version: 1 })),
    issueBelow("below-client", issue("client")),
    issueBelow("below-self-signed", issue("self-signed", { by: "self" })),
    ...[...KINDS, "P-521" as const].map((kind) =>
      issueBelow(`by-${kind}`, issue(`root-${kind}`, { by: "self", isAuthority, key: { kind } }))
    ),
    withForger(),
    withLongChain(),
    withCircle(),
  ]);

  async function issueBelow(leaf: string, issuer: Promise<Certificate>): Promise<void> {
    await issue(leaf, { by: await issuer });
  }

  /** One that was renewed with its key, and what has nothing but its name. */
  async function withIntermediate(): Promise<void> {
    const commonName = "intermediate";
    const by = await issue(commonName, { isAuthority });
    await issue("below-intermediate", { by });
    await issue("intermediate-once", { isAuthority, commonName, key: by.keyfile, valid: "over" });
    await issue("intermediate-forged", { isAuthority, commonName, by: "self" });
  }

  /** Anybody can give a CA of his own the name of another. */
  async function withForger(): Promise<void> {
    const by = await issue("forger", { by: "self", isAuthority, commonName: "root" });
    await issue("forged", { by });
    await issue("forged-v1", { by, version: 1 });
    await issue("below-forged", { by: await issue("forged-intermediate", { by, isAuthority }) });
  }

  async function withLongChain(): Promise<void> {
    let by = certificates.root;
    for (let depth = 1; depth <= 10; depth++) {
      await issue(`leaf-${depth}`, { by });
      by = await issue(`depth-${depth}`, { by, isAuthority });
    }
    await issue("leaf-11", { by });
  }

  /** Each of the two has signed the other. */
  async function withCircle(): Promise<void> {
    const first = await issue("circle", { by: "self", isAuthority });
    const second = await issue("circle-2", { by: first, isAuthority });
    const again = { by: second, isAuthority, key: first.keyfile, commonName: "circle" };
    await issue("circle-1", again);
    await issue("in-circle", { by: first });
  }
});

Deno.test.afterAll(async () => await certificates[Symbol.asyncDispose]());

function pem(name: string): string {
  return Deno.readTextFileSync(certificates.path(`${name}.pem`));
}

function der(name: string): Uint8Array {
  return new X509Certificate(pem(name)).raw;
}

/** A chain as `node:tls` hands it out where its end is not sent. */
function chain(...names: readonly string[]): PeerCertificate {
  return linked(...names.map(der));
}

function linked(...ders: readonly Uint8Array[]): PeerCertificate {
  const [raw, ...above] = ders;
  assert(raw !== undefined);
  return above.length === 0 ? { raw } : { raw, issuerCertificate: linked(...above) };
}

/** One that leads back into itself: to the one before the last, or to the only one. */
function withoutEnd(...names: readonly string[]): PeerCertificate {
  const all = names.map((name): { raw: Uint8Array; issuerCertificate?: PeerCertificate } => ({
    raw: der(name),
  }));
  all.forEach((each, index) => each.issuerCertificate = all[index + 1] ?? all.at(-2) ?? each);
  const [leaf] = all;
  assert(leaf !== undefined);
  return leaf;
}

/** The certificate with the last byte of its signature changed. */
function damaged(name: string): Uint8Array {
  const bytes = Uint8Array.from(der(name));
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  return bytes;
}

const depths = (count: number) => Array.from({ length: count }, (_, i) => `depth-${count - i}`);

const UNKNOWN = ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY"] as const;
const VERSION_1 = ["CERT_REJECTED", /version 1\b.*`opts_ciphers`/] as const;
const UNREADABLE = ["CERT_REJECTED", /cannot be read/] as const;
const OVER = ["CERT_HAS_EXPIRED"] as const;
const EARLY = ["CERT_NOT_YET_VALID"] as const;

type Fault = readonly [code: string, message?: RegExp];

interface Case {
  readonly shown: () => PeerCertificate;
  /** @default the root */
  readonly trusted?: readonly string[];
  /** @default now */
  readonly at?: number;
  /** `undefined` if it is accepted. */
  readonly fault?: Fault;
}

const cases: Readonly<Record<string, Case>> = {
  // Accepted.
  "signed by a trusted CA": { shown: () => chain("leaf") },
  ...Object.fromEntries(KINDS.map((kind): [string, Case] => [
    `signed with a key of ${kind}`,
    { shown: () => chain(`by-${kind}`), trusted: [`root-${kind}`] },
  ])),
  "signed by a trusted CA that is sent": { shown: () => chain("leaf", "root") },
  "sent with another that has nothing to do with it": { shown: () => chain("leaf", "client") },
  "sent with garbage that nothing depends on": {
    shown: () => linked(der("leaf"), new Uint8Array(9)),
  },
  "signed by an intermediate": { shown: () => chain("below-intermediate", "intermediate") },
  "signed by an intermediate, and sent with the root": {
    shown: () => chain("below-intermediate", "intermediate", "root"),
  },
  "sent with its intermediate behind others": {
    shown: () => chain("below-intermediate", "leaf", "root", "intermediate"),
  },
  "sent with its intermediate behind garbage": {
    shown: () => linked(der("below-intermediate"), pattern(600), der("intermediate")),
  },
  "sent twice": {
    shown: () => chain("below-intermediate", "below-intermediate", "intermediate"),
  },
  "sent with its intermediate as it was once, and as it is": {
    shown: () => chain("below-intermediate", "intermediate-once", "intermediate"),
  },
  "sent with its intermediate and another of that name": {
    shown: () => chain("below-intermediate", "intermediate-forged", "intermediate"),
  },
  "signed by a trusted intermediate that is sent": {
    shown: () => chain("below-intermediate", "intermediate"),
    trusted: ["intermediate"],
  },
  "signed by a trusted intermediate that is not sent": {
    shown: () => chain("below-intermediate"),
    trusted: ["intermediate"],
  },
  "self-signed and trusted": { shown: () => chain("self-signed"), trusted: ["self-signed"] },
  "self-signed and trusted, its own issuer": {
    shown: () => withoutEnd("self-signed"),
    trusted: ["self-signed"],
  },
  "signed by the second of two CAs of one name": {
    shown: () => chain("leaf"),
    trusted: ["forger", "root"],
  },
  "signed by the first of two CAs of one name": {
    shown: () => chain("leaf"),
    trusted: ["root", "forger"],
  },
  "signed by a trusted root of version 1": {
    shown: () => chain("below-v1-root"),
    trusted: ["v1-root"],
  },
  "signed by a trusted root of version 1 that is sent": {
    shown: () => chain("below-v1-root", "v1-root"),
    trusted: ["v1-root"],
  },
  "at the end of a chain of ten": { shown: () => chain("leaf-10", ...depths(9)) },
  "that has expired by now, but not by then": { shown: () => chain("expired"), at: THEN },
  "that is valid later, when it is later": { shown: () => chain("future"), at: LATER },

  // Signed by nobody who may.
  "signed in a way that Deno cannot verify": {
    shown: () => chain("by-P-521"),
    trusted: ["root-P-521"],
    fault: ["CERT_REJECTED", /kind of signature.*`opts_ciphers`/],
  },
  "signed in a way that Deno cannot verify, by nobody who is trusted": {
    shown: () => chain("by-P-521"),
    fault: UNKNOWN,
  },
  "signed by another root of version 1": { shown: () => chain("below-v1-root"), fault: UNKNOWN },
  "self-signed": { shown: () => chain("self-signed"), fault: UNKNOWN },
  "self-signed, its own issuer": { shown: () => withoutEnd("self-signed"), fault: UNKNOWN },
  "signed by a CA, but none is trusted": {
    shown: () => chain("leaf", "root"),
    trusted: [],
    fault: UNKNOWN,
  },
  "signed by a CA of the same name": { shown: () => chain("forged"), fault: UNKNOWN },
  "signed by a CA of the same name that is sent": {
    shown: () => chain("forged", "forger"),
    fault: UNKNOWN,
  },
  "signed by a CA of the same name, with the right one": {
    shown: () => chain("forged", "root"),
    fault: UNKNOWN,
  },
  "signed by a client": { shown: () => chain("below-client", "client"), fault: UNKNOWN },
  "signed by a client, with the root": {
    shown: () => chain("below-client", "client", "root"),
    fault: UNKNOWN,
  },
  "signed by a client whose certificate is among those of the CAs": {
    shown: () => chain("below-client"),
    trusted: ["client"],
    fault: UNKNOWN,
  },
  "signed by what is trusted because it is self-signed": {
    shown: () => chain("below-self-signed"),
    trusted: ["self-signed"],
    fault: UNKNOWN,
  },
  "signed by what is trusted because it is self-signed, and sent with it": {
    shown: () => chain("below-self-signed", "self-signed"),
    trusted: ["self-signed"],
    fault: UNKNOWN,
  },
  "signed by an intermediate of a CA of the same name": {
    shown: () => chain("below-forged", "forged-intermediate"),
    fault: UNKNOWN,
  },
  "sent without its intermediate": { shown: () => chain("below-intermediate"), fault: UNKNOWN },
  "sent with another intermediate": {
    shown: () => chain("below-intermediate", "depth-1"),
    fault: UNKNOWN,
  },
  "whose signature is damaged": {
    shown: () => linked(damaged("leaf")),
    fault: UNKNOWN,
  },
  "signed by an intermediate with a signature that is damaged": {
    shown: () => linked(der("below-intermediate"), damaged("intermediate")),
    fault: UNKNOWN,
  },

  // Version 1.
  "of version 1": { shown: () => chain("v1"), fault: VERSION_1 },
  "of version 1, signed by a CA of the same name": {
    shown: () => chain("forged-v1"),
    fault: VERSION_1,
  },
  "signed by an intermediate of version 1": {
    shown: () => chain("below-v1", "v1-intermediate"),
    fault: UNKNOWN,
  },
  "of version 1, self-signed and trusted": {
    shown: () => chain("v1-root"),
    trusted: ["v1-root"],
    fault: VERSION_1,
  },

  // Out of time.
  "that has expired": { shown: () => chain("expired"), fault: OVER },
  "that is not valid yet": { shown: () => chain("future"), fault: EARLY },
  "that is valid now, when it is later": { shown: () => chain("leaf"), at: LATER, fault: OVER },
  "that is valid now, but was not then": { shown: () => chain("leaf"), at: THEN, fault: EARLY },
  "self-signed, trusted and expired": {
    shown: () => chain("self-signed"),
    trusted: ["self-signed"],
    at: LATER,
    fault: OVER,
  },
  "signed by an intermediate that has expired": {
    shown: () => chain("below-expired", "expired-intermediate"),
    fault: OVER,
  },
  "sent with its intermediate as it was once": {
    shown: () => chain("below-intermediate", "intermediate-once"),
    fault: OVER,
  },
  "signed by an intermediate that is not valid yet": {
    shown: () => chain("below-future", "future-intermediate"),
    fault: EARLY,
  },

  // Out of shape.
  "at the end of a chain of eleven": {
    shown: () => chain("leaf-11", ...depths(10)),
    fault: UNKNOWN,
  },
  "at the end of a circle": {
    shown: () => withoutEnd("in-circle", "circle-1", "circle-2"),
    fault: UNKNOWN,
  },
  "that is its own issuer, but not signed by itself": {
    shown: () => withoutEnd("forged"),
    fault: UNKNOWN,
  },
  "that is not there": { shown: () => ({}), fault: UNREADABLE },
  "of no bytes": { shown: () => ({ raw: new Uint8Array() }), fault: UNREADABLE },
  "that is garbage": { shown: () => ({ raw: pattern(600) }), fault: UNREADABLE },
  "that is cut off": {
    shown: () => ({ raw: der("leaf").subarray(0, -40) }),
    fault: UNREADABLE,
  },
  "sent with garbage for its intermediate": {
    shown: () => linked(der("below-intermediate"), pattern(600)),
    fault: UNKNOWN,
  },
  "sent with nothing for its intermediate": {
    shown: () => ({ raw: der("below-intermediate"), issuerCertificate: {} }),
    fault: UNKNOWN,
  },
};

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index);
}

for (const [what, { shown, trusted = ["root"], at, fault }] of Object.entries(cases)) {
  const outcome = fault === undefined ? "is accepted" : `is not (${fault[0]})`;
  Deno.test(`a broker's certificate, ${what}: ${outcome}`, () => {
    const found = chainFault(shown(), trusted.map(pem), at);
    assert.deepEqual([found?.code], [fault?.[0]], found?.message ?? "it is accepted");
    if (found !== undefined) assert.match(found.message, fault?.[1] ?? /./);
  });
}
