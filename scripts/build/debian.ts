/**
 * What the Debian package says of itself.
 *
 * @module
 */

import { OLDEST_DENO } from "./flags.ts";

/** Which fsmqtt is packed. */
export type Form =
  | { readonly kind: "bundle"; readonly file: string }
  | { readonly kind: "executable"; readonly file: string; readonly architecture: string };

/** What a package says of itself. */
export interface PackageFacts {
  /** Its own, which orders it among others. */
  readonly version: string;
  /** Its maintainer, as `Name <address>`. */
  readonly maintainer: string;
  /** When its sources were changed last. */
  readonly date: Date;
  /** The licences of the npm packages in it. */
  readonly notices: string;
}

/** Debian's name of the machine that a target of Deno's stands for. */
export const ARCHITECTURES: Readonly<Record<string, string>> = {
  "x86_64-unknown-linux-gnu": "amd64",
  "aarch64-unknown-linux-gnu": "arm64",
};

/** The text of the file `control` of a package, whose files take up this many bytes (deb-control(5)). */
export function controlFile(
  form: Form,
  { version, maintainer }: PackageFacts,
  bytes: number,
): string {
  const architecture = form.kind === "bundle" ? "all" : form.architecture;
  const libraries = form.kind === "bundle" ? "" : "libc6, libgcc-s1, ";
  return `Package: fsmqtt
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${Math.ceil(bytes / 1024)}
Depends: ${libraries}adduser
Recommends: ca-certificates, libssl3 | libssl3t64, logrotate
Suggests: curl, mosquitto
Enhances: freeswitch
Section: net
Priority: optional
Description: FreeSWITCH events to MQTT brokers, and commands back
 fsmqtt publishes the events of a FreeSWITCH to MQTT brokers and takes bgapi and
 originate commands back from them. It runs beside FreeSWITCH, reads the
 mosquitto.conf.xml of the module mod_mosquitto, loses no event unseen, and runs
 nothing that was not allowed.
${form.kind === "bundle" ? NEEDS_DENO : HAS_DENO}`;
}

const NEEDS_DENO = ` .
 This package needs Deno ${OLDEST_DENO} or later, which Debian does not have: on the path,
 in /usr/local/bin, or at /usr/lib/fsmqtt/deno.
`;
const HAS_DENO = ` .
 Deno's runtime is in it.
`;

/** The text of `copyright` (Debian Policy, 12.5). */
export function copyright({ kind }: Form, { notices }: PackageFacts): string {
  const runtime = kind === "bundle" ? "" : `
Deno's runtime is in it, under the MIT licence, whose text is below more than once: Copyright the Deno
authors. So are the libraries that it is made of, among them V8: https://deno.com
`;
  return `fsmqtt, FreeSWITCH events to MQTT brokers, and commands back

Copyright: the fsmqtt maintainers
Licence: Mozilla Public License 2.0, /usr/share/common-licenses/MPL-2.0
${runtime}
What follows are the licences of the npm packages that are in it.

${notices}
`;
}

/** The text of Debian's changelog (deb-changelog(5)). */
export function changelog({ version, maintainer, date }: PackageFacts): string {
  return `fsmqtt (${version}) unstable; urgency=medium

  * What changed in fsmqtt is in CHANGELOG.md.

 -- ${maintainer}  ${date.toUTCString().replace("GMT", "+0000")}
`;
}
