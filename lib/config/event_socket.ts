/**
 * How to reach FreeSWITCH's event socket, as its own configuration tells.
 *
 * @module
 */

import { isIP } from "node:net";
import { dirname, join, resolve } from "node:path";
import { Secret } from "../secret.ts";
import { exists } from "./files.ts";
import { Findings, place } from "./findings.ts";
import { settingsParameters } from "./parameters.ts";
import { type PreprocessContext, readPreprocessed } from "./preprocess.ts";
import type { Given, GivenValues } from "./section.ts";
import { attribute } from "./xml.ts";

/** FreeSWITCH's own default password (mod_event_socket.c). */
export const DEFAULT_PASSWORD = "ClueCon";

/**
 * What `event_socket.conf.xml` beside `file` gives of `esl-host`, `esl-port` and `esl-password`. If
 * it is there and cannot be used, that is a warning only: it is FreeSWITCH's file, not ours.
 */
export function readEventSocket(file: string, context: PreprocessContext): GivenValues {
  const path = join(dirname(resolve(file)), "event_socket.conf.xml");
  return exists(path) ? readSettings(path, context) : new Map();
}

function readSettings(path: string, context: PreprocessContext): GivenValues {
  const findings = new Findings();
  const variables = context.variables.copy();
  const roots = readPreprocessed(path, { ...context, variables, findings });
  const fault = findings.firstError;
  if (fault !== undefined) {
    const text = `Cannot use event_socket.conf.xml: ${fault.text} at ${place(fault.at)}`;
    context.findings.warn({ file: path, line: 1, column: 1 }, "unusable-freeswitch-file", text);
  }
  const params = roots?.find(({ name }) => name === "configuration")?.children
    .filter(({ name }) => name === "settings").flatMap(({ children }) => children) ?? [];
  const given = new Map<string, Given>();
  for (const param of params) {
    const name = attribute(param, "name");
    const value = attribute(param, "value");
    if (name === undefined || value === undefined) continue;
    const setting = eslSetting(name.value, value.value);
    if (setting !== undefined) given.set(setting.name, { value: setting.value, at: value.valueAt });
  }
  return given;
}

function eslSetting(
  name: string,
  value: string,
): { readonly name: string; readonly value: unknown } | undefined {
  switch (name.toLowerCase()) {
    case "password":
      return value === "" ? undefined : { name: "esl-password", value: new Secret(value) };
    case "listen-ip":
      return isIP(value) === 0 ? undefined : { name: "esl-host", value: reachable(value) };
    case "listen-port": {
      const reading = settingsParameters["esl-port"].read(value);
      return "value" in reading ? { name: "esl-port", value: reading.value } : undefined;
    }
    default:
      return undefined;
  }
}

/** Where to connect to what listens on an address; on any of IPv6, Linux takes IPv4 too. */
function reachable(address: string): string {
  return address === "0.0.0.0" || address === "::" ? "127.0.0.1" : address;
}
