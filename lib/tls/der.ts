/**
 * Whether a certificate is encoded as RFC 5280 and DER (X.690) have it, to the byte.
 *
 * @module
 */

/** One element of DER. */
interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** It with its tag and length. */
  readonly whole: Uint8Array;
}

const SEQUENCE = 0x30;
const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const NULL = 0x05;
const OBJECT_IDENTIFIER = 0x06;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;

/** The fields of what is signed, from the version to the public key (RFC 5280, section 4.1). */
const FIELDS = [VERSION, INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE];

/** `id-ce` and the last number of the extensions that webpki reads (RFC 5280, section 4.2.1). */
const READ_EXTENSIONS = /^551d(0f|11|13|1e|1f|25)$/;

/**
 * What kind of certificate this is: of version 3 and well encoded, of an older version, or odd in
 * its encoding, be it only outside of what is signed.
 */
export function certificateKind(der: Uint8Array): "version 3" | "old" | "odd" {
  const [certificate, ...more] = elements(der);
  if (certificate?.tag !== SEQUENCE || more.length > 0) return "odd";
  const parts = elements(certificate.content);
  const [signed, algorithm, signature] = parts;
  if (signed === undefined || algorithm === undefined || signature === undefined) return "odd";
  if (!isShaped(parts, [SEQUENCE, SEQUENCE, BIT_STRING]) || signature.content[0] !== 0) {
    return "odd";
  }
  const fields = elements(signed.content);
  const version = elements(fields[0]?.tag === VERSION ? fields[0].content : new Uint8Array());
  if (version[0]?.content[0] !== 2) return isStrict(certificate) ? "old" : "odd";
  const isPlain = isStrict(certificate) && areFieldsPlain(fields) &&
    fields[2] !== undefined && sameBytes(fields[2].whole, algorithm.whole);
  return isPlain ? "version 3" : "odd";
}

/** Whether two arrays hold the same. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function areFieldsPlain(fields: readonly Element[]): boolean {
  const [, , , , validity, , key, extensions] = fields;
  if (validity === undefined || key === undefined) return false;
  const times = elements(validity.content);
  const keyParts = elements(key.content);
  return isShaped(fields, extensions === undefined ? FIELDS : [...FIELDS, EXTENSIONS]) &&
    times.length === 2 && times.every(({ tag }) => tag === UTC_TIME || tag === GENERALIZED_TIME) &&
    isShaped(keyParts, [SEQUENCE, BIT_STRING]) && keyParts[1]?.content[0] === 0 &&
    (extensions === undefined || areExtensionsPlain(extensions));
}

function areExtensionsPlain({ content }: Element): boolean {
  const [list, ...more] = elements(content);
  if (list?.tag !== SEQUENCE || more.length > 0) return false;
  return elements(list.content).every((extension) => {
    const parts = elements(extension.content);
    const value = parts.at(-1);
    const isKnownShape = isShaped(parts, [OBJECT_IDENTIFIER, OCTET_STRING]) ||
      isShaped(parts, [OBJECT_IDENTIFIER, BOOLEAN, OCTET_STRING]);
    if (extension.tag !== SEQUENCE || !isKnownShape || value === undefined) return false;
    if (!READ_EXTENSIONS.test(parts[0]?.content.toHex() ?? "")) return true;
    const inner = elements(value.content);
    return inner.length === 1 && inner.every(isStrict);
  });
}

function isShaped(found: readonly Element[], tags: readonly number[]): boolean {
  return found.length === tags.length && found.every(({ tag }, index) => tag === tags[index]);
}

/** The elements of some bytes; none if the bytes are not made of such. */
function elements(der: Uint8Array): Element[] {
  const found: Element[] = [];
  let at = 0;
  while (at < der.length) {
    const tag = der[at] ?? 0;
    const first = der[at + 1] ?? 0xff;
    const digits = first < 0x80 ? 0 : first & 0x7f;
    let length = digits === 0 ? first : 0;
    for (let i = 0; i < digits; i++) length = length * 256 + (der[at + 2 + i] ?? 0);
    const start = at + 2 + digits;
    const isMinimal = digits === 0 || length >= (digits === 1 ? 0x80 : 0x100);
    // As webpki: no longer numbers of tags, and no more than 64 KiB.
    if ((tag & 0x1f) === 0x1f || digits > 2 || !isMinimal || start + length > der.length) return [];
    const end = start + length;
    found.push({ tag, content: der.subarray(start, end), whole: der.subarray(at, end) });
    at = end;
  }
  return found;
}

/** Whether an element and all in it are encoded in the one way that DER has for them. */
function isStrict({ tag, content }: Element): boolean {
  const { length } = content;
  const [first = 0, second = 0] = content;
  if ((tag & 0x20) !== 0) {
    const inner = elements(content);
    return (length === 0 || inner.length > 0) && inner.every(isStrict);
  }
  switch (tag) {
    case BOOLEAN:
      return length === 1 && (first === 0 || first === 0xff);
    case INTEGER: {
      const isPadded = length > 1 &&
        ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
      return length > 0 && !isPadded;
    }
    case BIT_STRING:
      return length > 0 && first <= 7;
    case NULL:
      return length === 0;
    case OBJECT_IDENTIFIER:
      return length > 0;
    case UTC_TIME:
      return isTime(content, 2);
    case GENERALIZED_TIME:
      return isTime(content, 4);
    default:
      return true;
  }
}

/** RFC 5280, section 4.1.2.5. */
function isTime(content: Uint8Array, yearDigits: 2 | 4): boolean {
  const text = new TextDecoder("latin1").decode(content);
  const rest = /^(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d[0-5]\dZ$/;
  return /^\d+$/.test(text.slice(0, yearDigits)) && rest.test(text.slice(yearDigits));
}
