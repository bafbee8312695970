/**
 * `mosquitto.conf.xml` to a {@linkcode Config}.
 *
 * @module
 */

import { dirname, join, resolve } from "node:path";
import { Secret } from "../secret.ts";
import type {
  Config,
  ConnectionConfig,
  Named,
  ProfileConfig,
  PublisherConfig,
  Settings,
  SubscriberConfig,
  Wired,
} from "./config.ts";
import { DEFAULT_PASSWORD, readEventSocket } from "./event_socket.ts";
import { exists, freeswitchFolder } from "./files.ts";
import { Findings, place } from "./findings.ts";
import {
  connectionParameters,
  type Parameters,
  profileParameters,
  publisherParameters,
  publisherTopicParameters,
  type SectionName,
  settingsParameters,
  subscriberParameters,
  subscriberTopicParameters,
  tlsParameters,
  type Values,
  willParameters,
} from "./parameters.ts";
import { type Env, freeswitchLogFolder } from "./paths.ts";
import type { Finding, Position } from "./position.ts";
import { type PreprocessContext, readPreprocessed } from "./preprocess.ts";
import { completeValues, type GivenValues, SectionReader, sourceOf } from "./section.ts";
import { checkStructure } from "./structure.ts";
import { Variables } from "./variables.ts";
import { attribute, type XmlElement } from "./xml.ts";

/** How {@linkcode loadConfig} works. */
export interface LoadOptions {
  /** The environment. Default: the process's own. */
  readonly env?: Env;
  /** What `$${hostname}` stands for. Default: this machine's name. */
  readonly hostname?: string;
  /**
   * Whether a credential of systemd's may lack where the process was given none: it is stood in for,
   * with a warning. For those who only look at a configuration.
   * @default false
   */
  readonly withoutCredentials?: boolean;
}

/** A configuration, unless it has errors, and what was found in it. */
export interface LoadResult {
  /** The configuration; absent if any finding is an error. */
  readonly config?: Config;
  /** Everything that was found, by place. */
  readonly findings: readonly Finding[];
}

/** Loads a configuration. Bad input of any kind is a finding; nothing is thrown for it. */
export function loadConfig(file: string, options: LoadOptions = {}): LoadResult {
  const findings = new Findings();
  const config = new Loader(file, options, findings).load();
  return config === undefined || findings.firstError !== undefined
    ? { findings: findings.sorted() }
    : { config, findings: findings.sorted() };
}

/** Properties that may not be known. */
type Loose<T> = { readonly [K in keyof T]: T[K] | undefined };

class Loader {
  readonly #file: string;
  readonly #findings: Findings;
  readonly #context: PreprocessContext;
  readonly #reader: SectionReader;
  #settings: GivenValues = new Map();

  constructor(file: string, options: LoadOptions, findings: Findings) {
    const env = options.env ?? Deno.env.get;
    this.#file = file;
    this.#findings = findings;
    this.#context = { findings, env, variables: new Variables(predefined(file, options)) };
    const folder = env("CREDENTIALS_DIRECTORY");
    const mayLack = options.withoutCredentials === true && folder === undefined;
    this.#reader = new SectionReader(findings, file, { folder, mayLack });
  }

  load(): Config | undefined {
    this.#readVars();
    const variables = this.#context.variables.copy();
    const roots = readPreprocessed(this.#file, { ...this.#context, variables });
    const root = roots && this.#root(roots);
    if (root === undefined) return undefined;
    checkStructure(root, this.#findings);
    const { settings, eslPasswordSource } = this.#readSettings(root);
    const profiles = inside(inside([root], "profiles"), "profile").map((e) => this.#profile(e));
    this.#checkNames("profile", profiles);
    return { file: this.#file, settings, eslPasswordSource, profiles };
  }

  /** FreeSWITCH reads vars.xml before everything else. Its problems are FreeSWITCH's. */
  #readVars(): void {
    const folder = freeswitchFolder(this.#file);
    const file = folder && join(folder, "vars.xml");
    if (file === undefined || !exists(file)) return;
    const findings = new Findings();
    readPreprocessed(file, { ...this.#context, findings });
    const fault = findings.firstError;
    if (fault !== undefined) this.#findings.warn(fault.at, "unusable-freeswitch-file", fault.text);
  }

  #root(roots: readonly XmlElement[]): XmlElement | undefined {
    const configurations = configurationsIn(roots);
    const named = configurations.find((e) => attribute(e, "name")?.value === "mosquitto.conf");
    if (named !== undefined) return named;
    const [only, ...others] = configurations;
    if (only !== undefined && others.length === 0) {
      const text = 'the root should be <configuration name="mosquitto.conf">';
      this.#findings.warn(only.at, "wrong-root", text);
      return only;
    }
    const at = roots[0]?.at ?? { file: this.#file, line: 1, column: 1 };
    const text = 'no configuration of mosquitto: expected <configuration name="mosquitto.conf">';
    this.#findings.error(at, "wrong-root", text);
    return undefined;
  }

  #readSettings(root: XmlElement): { settings: Settings; eslPasswordSource: string } {
    const elements = inside([root], "settings");
    const at = elements[0]?.at ?? root.at;
    const own = this.#read("settings", elements);
    this.#settings = own;
    const given = new Map([...readEventSocket(this.#file, this.#context), ...own]);
    const eslPasswordSource = this.#eslPasswordSource(at, own, given);
    const values = completeValues(settingsParameters, given);
    const eslPassword = values.eslPassword ?? new Secret(DEFAULT_PASSWORD);
    return {
      settings: { ...values, eslPassword, source: sourceOf(at, given) },
      eslPasswordSource,
    };
  }

  #eslPasswordSource(at: Position, own: GivenValues, given: GivenValues): string {
    const password = own.get("esl-password");
    if (password?.file !== undefined) return `esl-password-file ${password.file}`;
    if (password !== undefined) return `esl-password in ${place(password.at)}`;
    const folder = dirname(resolve(this.#file));
    const user = own.get("esl-user");
    if (user !== undefined) {
      const text = "`esl-user` needs `esl-password` or `esl-password-file`";
      this.#findings.error(user.at, "missing-parameter", text);
    } else if (!given.has("esl-password")) {
      const text = "no `esl-password` here and none in an event_socket.conf.xml in " +
        `${folder}: FreeSWITCH's default password is used; set \`esl-password\` or \`esl-password-file\``;
      this.#findings.warn(at, "default-esl-password", text);
    }
    return given.has("esl-password")
      ? `event_socket.conf.xml in ${folder}`
      : "FreeSWITCH's default";
  }

  #profile(element: XmlElement): ProfileConfig {
    const connections = inside([element], "connections");
    const defaults = this.#read("connection", connections);
    const profile = {
      ...this.#section(element, "profile", profileParameters),
      connections: inside(connections, "connection").map((e) => this.#connection(e, defaults)),
      publishers: inside(inside([element], "publishers"), "publisher")
        .map((e) => this.#publisher(e)),
      subscribers: inside(inside([element], "subscribers"), "subscriber")
        .map((e) => this.#subscriber(e)),
    };
    this.#checkNames("connection", profile.connections);
    this.#checkNames("publisher", profile.publishers);
    this.#checkNames("subscriber", profile.subscribers);
    return profile;
  }

  #connection(element: XmlElement, defaults: GivenValues): ConnectionConfig {
    const tls = inside([element], "tls");
    const will = inside([element], "will");
    const tlsGiven = this.#read("tls", tls.map((e) => mendSupport(e, this.#findings)));
    const willGiven = this.#read("will", will);
    return {
      ...this.#section(element, "connection", connectionParameters, defaults),
      tls: {
        ...completeValues(tlsParameters, tlsGiven),
        source: sourceOf(tls[0]?.at ?? element.at, tlsGiven),
      },
      will: {
        ...completeValues(willParameters, willGiven),
        source: sourceOf(will[0]?.at ?? element.at, willGiven),
      },
    };
  }

  #publisher(element: XmlElement): PublisherConfig {
    const topics = inside(inside([element], "topics"), "topic").map((e) =>
      this.#wired(this.#section(e, "publisherTopic", publisherTopicParameters))
    );
    this.#checkNames("topic", topics);
    return { ...this.#section(element, "publisher", publisherParameters), topics };
  }

  #subscriber(element: XmlElement): SubscriberConfig {
    const topics = inside(inside([element], "topics"), "topic").map((e) =>
      this.#wired(this.#section(e, "subscriberTopic", subscriberTopicParameters))
    );
    this.#checkNames("topic", topics);
    return { ...this.#section(element, "subscriber", subscriberParameters), topics };
  }

  /** A named section's name, values and source. */
  #section<P extends Parameters>(
    element: XmlElement,
    sectionName: SectionName,
    parameters: P,
    defaults: GivenValues = new Map(),
  ): Values<P> & Named {
    const given = new Map([...defaults, ...this.#read(sectionName, [element])]);
    return {
      ...completeValues(parameters, given, this.#settings),
      name: attribute(element, "name")?.value ?? "",
      source: sourceOf(element.at, given),
    };
  }

  #read(sectionName: SectionName, elements: readonly XmlElement[]): GivenValues {
    return this.#reader.read(sectionName, inside(elements, "param"));
  }

  /** Reports what a topic cannot be without. */
  #wired<T extends Named & Loose<Wired>>(topic: T): T & Wired {
    const { connectionName = "", pattern = "" } = topic;
    const { at, given } = topic.source;
    for (const [name, value] of Object.entries({ connection_name: connectionName, pattern })) {
      if (value !== "" || given.has(name)) continue;
      const text = `topic "${topic.name}" needs \`${name}\``;
      this.#findings.error(at, "missing-parameter", text);
    }
    return { ...topic, connectionName, pattern };
  }

  #checkNames(kind: string, sections: readonly Named[]): void {
    const places = new Map<string, Position>();
    for (const { name, source: { at } } of sections) {
      const first = places.get(name);
      if (first === undefined) places.set(name, at);
      else if (name !== "") {
        const text = `the name "${name}" is taken by the ${kind} at ${place(first)}`;
        this.#findings.error(at, "duplicate-name", text);
      }
    }
  }
}

/** The elements of a name directly in any of `elements`. */
function inside(elements: readonly XmlElement[], name: string): XmlElement[] {
  return elements.flatMap((element) => element.children.filter((child) => child.name === name));
}

function configurationsIn(elements: readonly XmlElement[]): XmlElement[] {
  return elements.flatMap((element) => {
    if (element.name === "configuration") return [element];
    return ["document", "section"].includes(element.name) ? configurationsIn(element.children) : [];
  });
}

/**
 * In mod_mosquitto's own example the second `enable` of `<tls>` was meant as `support`: a word of
 * `support` is read so.
 */
function mendSupport(tls: XmlElement, findings: Findings): XmlElement {
  let enables = 0;
  const children = tls.children.map((param) => {
    const name = attribute(param, "name");
    const value = attribute(param, "value");
    if (name?.value !== "enable" || value === undefined || value.value === "") return param;
    enables++;
    if (enables === 1 || "expected" in tlsParameters.support.read(value.value)) return param;
    const text = `the second \`enable\` of <tls> is read as \`support\`, since its value is ` +
      `"${value.value}"`;
    findings.warn(name.valueAt, "misspelling", text);
    return { ...param, attributes: [{ ...name, value: "support" }, value] };
  });
  return { ...tls, children };
}

/** What FreeSWITCH sets before it reads its configuration, as far as it can be known from outside. */
function predefined(file: string, options: LoadOptions): (name: string) => string | undefined {
  return (name) => {
    switch (name) {
      case "hostname":
        return options.hostname ?? Deno.hostname();
      case "conf_dir":
        return freeswitchFolder(file) ??
          ["/etc/freeswitch", "/usr/local/freeswitch/conf"].find(exists);
      case "log_dir":
        return freeswitchLogFolder();
      default:
        return undefined;
    }
  };
}
