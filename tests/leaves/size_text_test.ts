import assert from "node:assert/strict";
import { sizeText } from "../../lib/size_text.ts";

for (
  const [bytes, text, down = text, up = text] of [
    [0, "0 bytes"],
    [1, "1 byte"],
    [1023, "1023 bytes"],
    [1024, "1 KiB"],
    [1536, "1.5 KiB"],
    [2 ** 20 - 1, "1 MiB", "1023 KiB"],
    [22_400_000, "21 MiB", undefined, "22 MiB"],
    [2 ** 30, "1 GiB"],
    [1.25 * 2 ** 30, "1.3 GiB", "1.2 GiB"],
    [1.5 * 2 ** 40, "1.5 TiB"],
    [5000 * 2 ** 40, "5000 TiB"],
  ] as const
) {
  Deno.test(`${bytes} bytes read ${text}, rounded down ${down}, and up ${up}`, () => {
    assert.equal(sizeText(bytes), text);
    assert.equal(sizeText(bytes, Math.floor), down);
    assert.equal(sizeText(bytes, Math.ceil), up);
  });
}
