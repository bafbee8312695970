import assert from "node:assert/strict";
import { lineFault } from "../../lib/esl/line_fault.ts";

const BREAKS = "holds LF, CR or NUL";
const RELOAD = "FreeSWITCH takes for `reload mod_event_socket`";

for (
  const [line, headers, fault] of [
    ["bgapi status", [], undefined],
    ["bgapi status", ["Job-UUID: 1"], undefined],
    ["bgapi echo größer 漢字 \u2028", [], undefined],
    ["bgapi status\n", [], BREAKS],
    ["bgapi status\nJob-UUID: 1", [], BREAKS],
    ["bgapi status\r", [], BREAKS],
    ["bgapi\0status", [], BREAKS],
    ["bgapi status", ["Job-UUID: 1\n"], BREAKS],
    ["bgapi status", ["Job-UUID: 1\r\n\r\napi shutdown"], BREAKS],
    ["bgapi status", ["Job-UUID: \0"], BREAKS],
    ["bgapi reload mod_sofia", [], undefined],
    ["bgapi module_exists mod_event_socket", [], undefined],
    ["bgapi reload mod_event_socket", [], undefined],
    ["bgapi UNLOAD Mod_Event_Socket", [], undefined],
    ["bgapi reload mod_event_socket", ["Job-UUID: 1"], undefined],
    ["bgapi reload mod_event_socket ", [], RELOAD],
    ["bgapi reload  mod_event_socket", [], RELOAD],
    ["api reload mod_event_socket", [], RELOAD],
    ["bgapi echo reload mod_event_socket", [], RELOAD],
    ["bgapi echo mod_event_socket unload", [], RELOAD],
    ["bgapi echo xreloadx xmod_event_socketx", [], RELOAD],
    ["bgapi originate {a=MOD_EVENT_SOCKET}user/UnLoad 2", [], RELOAD],
    ["bgapi module_exists mod_event_socket", ["Job-UUID: reload"], RELOAD],
    ["bgapi reload mod_sofia", ["Job-UUID: mod_event_socket"], RELOAD],
    ["bgapi status", ["Job-UUID: reload", "X: mod_event_socket"], RELOAD],
    ["bgapi reload mod_event_socket", ["Job-UUID: unload"], RELOAD],
  ] satisfies [string, string[], string | undefined][]
) {
  const text = JSON.stringify([line, ...headers]);
  Deno.test(`${text} ${fault === undefined ? "may be sent" : `is a line that ${fault}`}`, () => {
    assert.equal(lineFault(line, ...headers), fault);
  });
}
