/**
 * The effective configuration as text, for `fsmqtt config`.
 *
 * @module
 */

import type {
  Config,
  ConnectionConfig,
  Named,
  ProfileConfig,
  Settings,
  Sourced,
} from "./config.ts";
import { place } from "./findings.ts";
import type { Parameter } from "./parameter.ts";
import { fileForm, type Parameters, type SectionName, sections, valueOf } from "./parameters.ts";

/**
 * The configuration as XML that loads again: every parameter, given or not, with where its value
 * comes from. Secrets are never shown; one that was read from a file is given as that file.
 */
export function effectiveXml(config: Config): string {
  const writer = new Writer(config.settings);
  const lines = [
    `<!-- The configuration in force, from ${comment(config.file)} -->`,
    ...writer.element("configuration", "mosquitto.conf", [
      ...writer.element("settings", undefined, writer.params("settings", config.settings)),
      ...writer.element("profiles", undefined, config.profiles.flatMap((p) => writer.profile(p))),
    ]),
  ];
  return lines.join("\n") + "\n";
}

class Writer {
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  profile(profile: ProfileConfig): string[] {
    const connections = profile.connections.flatMap((c) => this.#connection(c));
    const publishers = profile.publishers.flatMap((p) =>
      this.#group("publisher", "publisherTopic", p)
    );
    const subscribers = profile.subscribers.flatMap((s) =>
      this.#group("subscriber", "subscriberTopic", s)
    );
    return this.element("profile", profile.name, [
      ...this.params("profile", profile),
      ...this.element("connections", undefined, connections),
      ...this.element("publishers", undefined, publishers),
      ...this.element("subscribers", undefined, subscribers),
    ]);
  }

  #connection(connection: ConnectionConfig): string[] {
    return this.element("connection", connection.name, [
      ...this.params("connection", connection),
      ...this.element("tls", undefined, this.params("tls", connection.tls)),
      ...this.element("will", undefined, this.params("will", connection.will)),
    ]);
  }

  #group(
    kind: "publisher" | "subscriber",
    topicKind: "publisherTopic" | "subscriberTopic",
    group: Named & { readonly topics: readonly Named[] },
  ): string[] {
    const topics = group.topics.flatMap((topic) =>
      this.element("topic", topic.name, this.params(topicKind, topic))
    );
    return this.element(kind, group.name, [
      ...this.params(kind, group),
      ...this.element("topics", undefined, topics),
    ]);
  }

  element(element: string, name: string | undefined, content: readonly string[]): string[] {
    const start = name === undefined ? element : `${element} name="${escape(name)}"`;
    return [`<${start}>`, ...content.map((line) => `  ${line}`), `</${element}>`];
  }

  params(kind: SectionName, section: Sourced): string[] {
    const parameters: Parameters = sections[kind].parameters;
    return Object.entries(parameters).flatMap(([name, parameter]) => {
      const origin = this.#origin(name, parameter, section);
      return parameter.secret
        ? [secretParam(name, parameter, section, origin)]
        : texts(parameter, valueOf(section, name)).map((text) =>
          param(name, text, origin, parameter)
        );
    });
  }

  #origin(name: string, { inherits, fallbackText }: Parameter<unknown>, section: Sourced): string {
    const given = section.source.given.get(name);
    if (given !== undefined) return place(given);
    const inherited = inherits === undefined
      ? undefined
      : this.#settings.source.given.get(inherits);
    if (inherited !== undefined) return `${inherits} at ${place(inherited)}`;
    return fallbackText === undefined ? "default" : `default: ${fallbackText}`;
  }
}

/** A value as texts, one each time that the parameter is to be given. */
function texts({ repeatable, write }: Parameter<unknown>, value: unknown): string[] {
  const values = repeatable ? value as readonly unknown[] : [value];
  if (values.length === 0) return [""];
  return values.map((value) => value === undefined ? "" : write(value));
}

function secretParam(
  name: string,
  parameter: Parameter<unknown>,
  { source }: Sourced,
  origin: string,
): string {
  const file = source.secretFiles?.get(name);
  if (file !== undefined) return param(fileForm(name), file, origin, parameter);
  if (!source.given.has(name)) return param(name, "", origin, parameter);
  return `<!-- ${name} is given and not shown: ${comment(origin)} -->`;
}

function param(
  name: string,
  value: string,
  origin: string,
  { neverEmpty }: Parameter<unknown>,
): string {
  if (value === "" && neverEmpty) {
    return `<!-- <param name="${name}"/> is not set: ${comment(origin)} -->`;
  }
  return `<param name="${name}" value="${escape(value)}"/> <!-- ${comment(origin)} -->`;
}

function escape(text: string): string {
  const signs: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", '"': "&quot;" };
  return text.replace(/[&<"]/g, (sign) => signs[sign] ?? sign)
    .replace(/[\t\n\r]/g, (space) => `&#${space.charCodeAt(0)};`);
}

/** A comment cannot hold two hyphens in a row. */
function comment(text: string): string {
  return text.replace(/-(?=-)/g, "- ");
}
