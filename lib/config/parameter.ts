/**
 * What a parameter is: how its text is read, what it means, what it defaults to.
 *
 * @module
 */

import {
  EVENT_NAMES,
  type EventSelector,
  eventSelectorText,
  parseEventSelector,
} from "../protocol/event_names.ts";
import { topicFilterFault, topicNameFault } from "../protocol/mqtt_topics.ts";
import {
  type CommandRule,
  readCommandRule,
  readValueRule,
  type ValueRule,
} from "../protocol/allow_rules.ts";
import { LOG_LEVELS, type LogLevel, parseLogLevel } from "../log/levels.ts";
import { Secret } from "../secret.ts";
import { nearest } from "./nearest.ts";
import { fillTemplate } from "./template.ts";
import { amountIn } from "./units.ts";

/** A value read from text: the value, perhaps with a remark; or what was expected instead. */
export type Reading<T> =
  | { readonly value: T; readonly remark?: string }
  | { readonly expected: string };

/** One parameter of the configuration. `T` is its value in a loaded configuration. */
export interface Parameter<T> {
  /** The kind of value, for people: `true/false`, `integer 1-65535`, `text`, … */
  readonly type: string;
  /** Reads the text of a `value` attribute that is not empty (an empty one means unset). */
  readonly read: (text: string) => Reading<unknown>;
  /** Writes one value as text that {@linkcode read} reads as the same value. */
  readonly write: (value: unknown) => string;
  /** The value where the parameter is not set. */
  readonly fallback: T;
  /** The default in words, where {@linkcode fallback} does not say it. */
  readonly fallbackText?: string;
  /** The parameter of `<settings>` whose value is the default of this one. */
  readonly inherits?: string;
  /** The unit of a number: `seconds`, `bytes`, `events`. */
  readonly unit?: string;
  /** What it does, in one or two sentences. */
  readonly help: string;
  /** Whether mod_mosquitto documents it. */
  readonly original: boolean;
  /** Whether it may be given more than once; the value is a list then. */
  readonly repeatable: boolean;
  /** Whether an empty value is an error: it would mean that something is not locked. */
  readonly neverEmpty: boolean;
  /** Whether the value is never shown, and may be given as a file beside it. */
  readonly secret: boolean;
  /** What the value is the path of, where it is one of something to be read. */
  readonly path?: "file" | "folder";
  /** Whether `${hostname}` and `${switchname}` may stand in it. */
  readonly templated: boolean;
  /** Other spellings that are understood, with a warning. */
  readonly misspellings: readonly string[];
  /** Values of mod_mosquitto's that meant something else there, and what is read instead. */
  readonly synonyms: Readonly<Record<string, string>>;
  /**
   * Whether a change of it is taken up by what runs. A change of any other parameter of a connection
   * means another connection: `reload` ends the present one.
   */
  readonly live: boolean;
}

/** What every kind of parameter is described with. */
export interface Description {
  /** See {@linkcode Parameter.help}. */
  readonly help: string;
  /** Set for what mod_mosquitto lacks. */
  readonly added?: true;
  /** See {@linkcode Parameter.inherits}. */
  readonly inherits?: string;
  /** See {@linkcode Parameter.unit}. */
  readonly unit?: string;
  /** What 0 means of a number that means something else from 1 on: `is no limit`. */
  readonly zero?: string;
  /** See {@linkcode Parameter.fallbackText}. */
  readonly fallbackText?: string;
  /** See {@linkcode Parameter.misspellings}. */
  readonly misspellings?: readonly string[];
  /** See {@linkcode Parameter.synonyms}. */
  readonly synonyms?: Readonly<Record<string, string>>;
  /** See {@linkcode Parameter.live}. */
  readonly live?: true;
  /** See {@linkcode Parameter.neverEmpty}. */
  readonly neverEmpty?: true;
}

/** A {@linkcode Description} with a default. */
export interface DescriptionWithDefault<T> extends Description {
  /** The value where the parameter is not set. */
  readonly default: T;
}

/** What a kind of parameter has beside its {@linkcode Description}. */
interface Kind {
  readonly write?: (value: unknown) => string;
  readonly repeatable?: boolean;
  readonly secret?: boolean;
  readonly templated?: boolean;
  readonly path?: "file" | "folder";
}

function parameter<T>(
  type: string,
  read: (text: string) => Reading<unknown>,
  fallback: T,
  description: Description,
  kind: Kind = {},
): Parameter<T> {
  const { added, live, neverEmpty, zero, misspellings = [], synonyms = {}, ...rest } = description;
  // What 0 means belongs to the first sentence, which says what the number is.
  const help = zero === undefined
    ? description.help
    : description.help.replace(/\.( |$)/, `; 0 ${zero}.$1`);
  return {
    type,
    read,
    write: kind.write ?? String,
    fallback,
    help,
    original: added !== true,
    repeatable: kind.repeatable ?? false,
    neverEmpty: neverEmpty === true,
    secret: kind.secret ?? false,
    templated: kind.templated ?? false,
    misspellings,
    synonyms,
    live: live === true,
    ...(kind.path === undefined ? {} : { path: kind.path }),
    ...(rest.inherits === undefined ? {} : { inherits: rest.inherits }),
    ...(rest.unit === undefined ? {} : { unit: rest.unit }),
    ...(rest.fallbackText === undefined ? {} : { fallbackText: rest.fallbackText }),
  };
}

const TRUE_WORDS = /^(yes|on|true|t|enabled|active|allow)$/i;
const FALSE_WORDS = /^(no|off|false|f|disabled|inactive|disallow|deny)$/i;

/**
 * FreeSWITCH's truth values (switch_utils.h, `switch_true`): the words above in any case, or a
 * number whose whole part is not 0. Anything else is false; what nobody would take for a "no" is
 * remarked on.
 */
function readTruth(text: string): Reading<boolean> {
  if (TRUE_WORDS.test(text)) return { value: true };
  if (/^[+-]?[0-9.]+$/.test(text)) return { value: Number.parseInt(text, 10) !== 0 };
  if (FALSE_WORDS.test(text)) return { value: false };
  return {
    value: false,
    remark: `"${text}" is read as false, as FreeSWITCH does; write true or false`,
  };
}

/** True or false. */
export function flag(description: DescriptionWithDefault<boolean>): Parameter<boolean> {
  return parameter("true/false", readTruth, description.default, description);
}

/** True or false where a slip of the pen must not end in false: it is an error here. */
export function strictFlag(description: DescriptionWithDefault<boolean>): Parameter<boolean> {
  const read = (text: string): Reading<boolean> => {
    const reading = readTruth(text);
    return "remark" in reading ? { expected: "true or false" } : reading;
  };
  return parameter("true/false", read, description.default, description);
}

/** A whole number within bounds. */
export function integer(
  min: number,
  max: number,
  description: DescriptionWithDefault<number>,
): Parameter<number> {
  const { type, read } = integerKind(min, max, description);
  return parameter(type, read, description.default, description);
}

/** A whole number within bounds, or nothing. */
export function optionalInteger(
  min: number,
  max: number,
  description: Description,
): Parameter<number | undefined> {
  const { type, read } = integerKind(min, max, description);
  return parameter<number | undefined>(type, read, undefined, description);
}

function integerKind(
  min: number,
  max: number,
  { unit, zero }: Description,
): { type: string; read: (text: string) => Reading<number> } {
  const type = max === Number.MAX_SAFE_INTEGER ? `integer from ${min}` : `integer ${min}-${max}`;
  return {
    type,
    read(text) {
      const value = Number(text);
      const isWhole = /^\d+$/.test(text);
      if (isWhole && value >= min && value <= max) return { value };
      const bounds = isWhole && value > max ? `integer ${min}-${max}` : type;
      const amount = unit === undefined ? undefined : amountIn(unit, text);
      return {
        expected: `an ${bounds}` + (unit === undefined ? "" : ` (${unit})`) +
          (zero === undefined ? "" : `; 0 ${zero}`) +
          // Nobody who wrote a little is to end with nothing, or with everything.
          (zero !== undefined && value > 0 && value < 1 ? ", and 1 is the least otherwise" : "") +
          (amount !== undefined && amount >= min && amount <= max ? `; ${text} is ${amount}` : ""),
      };
    },
  };
}

/** Any text, or nothing. */
export function text(description: Description): Parameter<string | undefined> {
  return parameter<string | undefined>("text", (value) => ({ value }), undefined, description);
}

/** The path of a file or folder that is read, or nothing. */
export function path(
  kind: "file" | "folder",
  description: Description,
): Parameter<string | undefined> {
  const read = (value: string) => ({ value });
  return parameter<string | undefined>(kind, read, undefined, description, { path: kind });
}

/** Any text in which `${hostname}` and `${switchname}` may stand, or nothing. */
export function template(description: Description): Parameter<string | undefined> {
  const read = (value: string) => ({ value });
  return parameter<string | undefined>("text", read, undefined, description, { templated: true });
}

/** Any text in which `${hostname}` and `${switchname}` may stand, with a default. */
export function templateOr(description: DescriptionWithDefault<string>): Parameter<string> {
  const read = (value: string) => ({ value });
  return parameter("text", read, description.default, description, { templated: true });
}

/** A host name or address, with a default. */
export function hostOr(description: DescriptionWithDefault<string>): Parameter<string> {
  return parameter("host name or address", readHost, description.default, description);
}

/** A host name or address, or nothing. */
export function host(description: Description): Parameter<string | undefined> {
  return parameter<string | undefined>("host name or address", readHost, undefined, description);
}

function readHost(value: string): Reading<string> {
  if (/[\s/@]/.test(value) || /^[^:]+:\d*$/.test(value)) {
    return { expected: "a host name or address alone; its port goes into a parameter of its own" };
  }
  return /^[\w.:%[\]-]+$/.test(value) ? { value } : {
    expected: "a host name of letters, digits, - and . (others by their xn-- form), or an address",
  };
}

/** A password or key. It may be given as the name of a file instead (`…_file`). */
export function secret(description: Description): Parameter<Secret | undefined> {
  const read = (value: string) => ({ value: new Secret(value) });
  return parameter<Secret | undefined>("secret", read, undefined, description, { secret: true });
}

/** One of some words, in any case, with a default. */
export function choiceOr<const W extends string>(
  words: readonly W[],
  description: DescriptionWithDefault<W>,
): Parameter<W> {
  return parameter<W>(words.join(", "), choiceReader(words), description.default, description);
}

/** One of some words, in any case, or nothing. */
export function choice<const W extends string>(
  words: readonly W[],
  description: Description,
): Parameter<W | undefined> {
  const read = choiceReader(words);
  return parameter<W | undefined>(words.join(", "), read, undefined, description);
}

function choiceReader<W extends string>(words: readonly W[]): (text: string) => Reading<W> {
  return (text) => {
    const word = words.find((word) => word.toLowerCase() === text.toLowerCase());
    return word === undefined ? { expected: `one of ${words.join(", ")}` } : { value: word };
  };
}

/** A log severity. */
export function logLevel(description: DescriptionWithDefault<LogLevel>): Parameter<LogLevel> {
  const read = (text: string): Reading<LogLevel> => {
    const level = parseLogLevel(text);
    return level === undefined ? { expected: `one of ${LOG_LEVELS.join(", ")}` } : { value: level };
  };
  return parameter(LOG_LEVELS.toReversed().join(", "), read, description.default, description);
}

/** An MQTT Quality of Service. */
export function qos(help: string): Parameter<0 | 1 | 2> {
  const read = (text: string): Reading<0 | 1 | 2> => {
    const value = ([0, 1, 2] as const).find((value) => String(value) === text);
    return value === undefined ? { expected: "0, 1 or 2" } : { value };
  };
  return parameter<0 | 1 | 2>("0, 1 or 2", read, 0, { help });
}

/** A topic that can be published to. */
export function topicName(description: Description): Parameter<string | undefined> {
  const read = topicReader(topicNameFault, "an MQTT topic name");
  return parameter<string | undefined>("MQTT topic name", read, undefined, description, {
    templated: true,
  });
}

/** A topic filter that can be subscribed to. */
export function topicFilter(description: Description): Parameter<string | undefined> {
  const read = topicReader(topicFilterFault, "an MQTT topic filter");
  return parameter<string | undefined>("MQTT topic filter", read, undefined, description, {
    templated: true,
  });
}

function topicReader(
  faultOf: (text: string) => string | undefined,
  what: string,
): (text: string) => Reading<string> {
  return (text) => {
    // A template's own `$`, `{` and `}` are no part of the topic.
    const fault = faultOf(fillTemplate(text, () => "x"));
    return fault === undefined ? { value: text } : { expected: `${what}; this one ${fault}` };
  };
}

/** Commands or applications that are allowed, one each time the parameter is given. */
export function commandRules(description: Description): Parameter<readonly CommandRule[]> {
  return parameter<readonly CommandRule[]>(
    "name, `name *`, `name /pattern/` or `name arguments`",
    readCommandRule,
    [],
    description,
    { write: (rule) => (rule as CommandRule).text, repeatable: true },
  );
}

/** Values that are allowed, one each time the parameter is given. */
export function valueRules(description: Description): Parameter<readonly ValueRule[]> {
  return parameter<readonly ValueRule[]>("value or /pattern/", readValueRule, [], description, {
    write: (rule) => (rule as ValueRule).text,
    repeatable: true,
  });
}

/** FreeSWITCH events, one each time the parameter is given. */
export function events(description: Description): Parameter<readonly EventSelector[]> {
  const read = (text: string): Reading<EventSelector> => {
    const selector = parseEventSelector(text);
    return selector === undefined ? { expected: expectedEvent(text) } : { value: selector };
  };
  return parameter<readonly EventSelector[]>("FreeSWITCH event", read, [], description, {
    write: (selector) => eventSelectorText(selector as EventSelector),
    repeatable: true,
  });
}

function expectedEvent(text: string): string {
  if (/[,;|]/.test(text)) return "one event of FreeSWITCH; give a param for each";
  if (/^\S+::\S+$/.test(text.trim())) return `CUSTOM before a subclass: CUSTOM ${text.trim()}`;
  const [name = ""] = text.trim().replace(/^SWITCH_EVENT_/i, "").split(/\s/);
  const meant = nearest(name, ["ALL", ...EVENT_NAMES]);
  const hint = meant === undefined ? "`fsmqtt events` lists them" : `perhaps ${meant}`;
  return `an event of FreeSWITCH (${hint})`;
}
