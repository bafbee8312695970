import assert from "node:assert/strict";
import { join } from "node:path";
import { configuration, load, SETTINGS, withFiles } from "./helper.ts";

/** What is written, and the one line that is to come of it, without the file. */
const errors: Record<string, { text: string; expected: string }> = {
  "nothing at all": {
    text: "",
    expected: "1:1: error: malformed XML: document must contain a root element [malformed-xml]",
  },
  "an end tag too early": {
    text: '<configuration name="mosquitto.conf">\n  <settings>\n</configuration>',
    expected: "3:1: error: malformed XML: unexpected close tag; <settings> of line 2 is not " +
      "closed yet [malformed-xml]",
  },
  "a value without quotes": {
    text: '<configuration name="mosquitto.conf">\n<settings a=b/></configuration>',
    expected: "2:13: error: malformed XML: unquoted attribute value [malformed-xml]",
  },
  "an ampersand": {
    text:
      '<configuration name="mosquitto.conf">\n<!-- a & b -->\n<settings a="b&c"/></configuration>',
    expected: "3:15: error: malformed XML: `&` must be written `&amp;` [malformed-xml]",
  },
  "a comment without end": {
    text: '<configuration name="mosquitto.conf">\n<!-- a <settings/></configuration>',
    expected: "2:1: error: malformed XML: this comment is not closed [malformed-xml]",
  },
  "a quote that is missing": {
    text: '<configuration name="mosquitto.conf><settings/></configuration>',
    expected: "1:37: error: malformed XML: disallowed character; is a quote missing before it? " +
      "[malformed-xml]",
  },
  "two hyphens in a comment": {
    text: "<!-- a -- b -->",
    expected: "1:10: error: malformed XML: malformed comment; it cannot hold two hyphens in a " +
      "row [malformed-xml]",
  },
  "elements without end": {
    text: "<a>".repeat(100_000),
    expected: "1:303: error: malformed XML: elements are nested too deep [malformed-xml]",
  },
  "a DOCTYPE": {
    text: '<?xml version="1.0"?>\n <!DOCTYPE a [<!ENTITY b "c">]>\n<a>&b;</a>',
    expected: "2:2: error: a DOCTYPE is not allowed here; remove it [doctype]",
  },
  "another document": {
    text: "<html>\n</html>",
    expected: "1:1: error: no configuration of mosquitto: expected <configuration " +
      'name="mosquitto.conf"> [wrong-root]',
  },
  "an unknown element": {
    text: configuration(`${SETTINGS}\n <profils/>`),
    expected: "2:2: error: unknown element <profils> in <configuration>: did you mean " +
      "<profiles>? [unknown-element]",
  },
  "an element in the wrong place": {
    text: configuration(`${SETTINGS}<profiles><profile name="p"><connections>\n<tls/>
      </connections></profile></profiles>`),
    expected: "2:1: error: <tls> does not belong in <connections>, but in <connection> " +
      "[unknown-element]",
  },
  "an unknown attribute": {
    text: configuration(`${SETTINGS}<profiles>\n<profile nam="é" name="p"/></profiles>`),
    expected: "2:10: error: unknown attribute `nam` of <profile>: did you mean `name`? " +
      "[unknown-attribute]",
  },
  "a param without value": {
    text: configuration(
      '<settings><param name="esl-password" value="x"/>\n' +
        '<param name="log-enable"/></settings>',
    ),
    expected: "2:1: error: <param> needs the attribute `value` [missing-attribute]",
  },
  "an unknown parameter": {
    text: configuration(`${SETTINGS}<profiles><profile name="p"><connections>
  <connection name="😀"><param name="prot" value="1883"/></connection>
</connections></profile></profiles>`),
    expected: "2:37: error: unknown parameter `prot` in <connection>: did you mean `port`? " +
      "[unknown-parameter]",
  },
  "a parameter of another section": {
    text: configuration(
      '<settings><param name="esl-password" value="x"/>\n' +
        '<param name="host" value="a"/></settings>',
    ),
    expected: "2:14: error: unknown parameter `host` in <settings>: it belongs in <connection> " +
      "[unknown-parameter]",
  },
  "a number that is none": setting("esl-port", "8021x", "an integer 1-65535"),
  "a number out of bounds": setting("esl-port", "70000", "an integer 1-65535"),
  "a negative number": setting("event-queue-size", "-1", "an integer from 1 (events)"),
  "a log level that is none": setting(
    "log-level",
    "loud",
    "one of console, alert, critical, error, warning, notice, info, debug",
  ),
  "a truth that TLS must not guess": inConnection(
    '<tls>\n<param name="enable" value="ture"/></tls>',
    '2:29: error: `enable` cannot be "ture": expected true or false [wrong-value]',
  ),
  "a value of two lines": inConnection(
    '\n<param name="port" value="1&#10;2"/>',
    '2:27: error: `port` cannot be "1\\n2": expected an integer 1-65535 [wrong-value]',
  ),
  "a parameter of nearly every section": {
    text: configuration(
      '<settings><param name="esl-password" value="x"/>\n' +
        '<param name="enable" value="a"/></settings>',
    ),
    expected: "2:14: error: unknown parameter `enable` in <settings> [unknown-parameter]",
  },
  "a support that is meant as enable": inConnection(
    '<tls>\n<param name="enable" value="certificate"/></tls>',
    '2:29: error: `enable` cannot be "certificate": expected true or false [wrong-value]',
  ),
  "a template that is not known": inConnection(
    '\n<param name="client_id" value="${host}"/>',
    "2:32: error: `client_id` holds ${host}; only ${hostname} and ${switchname} are known " +
      "[unknown-template]",
  ),
  "a will topic with a wildcard": inConnection(
    '<will>\n<param name="topic" value="a/+"/></will>',
    '2:28: error: `topic` cannot be "a/+": expected an MQTT topic name; this one holds a ' +
      "wildcard (`#` or `+`), which only a subscription may [wrong-value]",
  ),
  "an event that FreeSWITCH does not have": inTopic(
    "publisher",
    '\n<param name="event" value="HEARTBEET"/>',
    '2:28: error: `event` cannot be "HEARTBEET": expected an event of FreeSWITCH (perhaps ' +
      "HEARTBEAT) [wrong-value]",
  ),
  "a subclass without CUSTOM": inTopic(
    "publisher",
    '\n<param name="event" value="sofia::register"/>',
    '2:28: error: `event` cannot be "sofia::register": expected CUSTOM before a subclass: CUSTOM ' +
      "sofia::register [wrong-value]",
  ),
  "several events in one": inTopic(
    "publisher",
    '\n<param name="event" value="TALK, NOTALK"/>',
    '2:28: error: `event` cannot be "TALK, NOTALK": expected one event of FreeSWITCH; give a ' +
      "param for each [wrong-value]",
  ),
  "a host that is an address with scheme and port": inConnection(
    '\n<param name="host" value="tcp://127.0.0.1:1883"/>',
    '2:27: error: `host` cannot be "tcp://127.0.0.1:1883": expected a host name or address ' +
      "alone; its port goes into a parameter of its own [wrong-value]",
  ),
  "a host with its port": inConnection(
    '\n<param name="host" value="localhost:1883"/>',
    '2:27: error: `host` cannot be "localhost:1883": expected a host name or address alone; its ' +
      "port goes into a parameter of its own [wrong-value]",
  ),
  "a QoS of 3": inTopic(
    "subscriber",
    '\n<param name="qos" value="3"/>',
    '2:26: error: `qos` cannot be "3": expected 0, 1 or 2 [wrong-value]',
  ),
  "a QoS that is a word of JavaScript": inTopic(
    "subscriber",
    '\n<param name="qos" value="constructor"/>',
    '2:26: error: `qos` cannot be "constructor": expected 0, 1 or 2 [wrong-value]',
  ),
  "a filter that is none": {
    text: topics(
      "subscriber",
      '<param name="connection_name" value="c"/>\n' +
        '<param name="pattern" value="a/#/b"/>',
    ),
    expected: '2:30: error: `pattern` cannot be "a/#/b": expected an MQTT topic filter; this one ' +
      "has a `#` that is not the whole last level [wrong-value]",
  },
  "a topic without pattern": {
    text: topics("publisher", '<param name="connection_name" value="c"/>', "\n"),
    expected: '2:1: error: topic "t" needs `pattern` [missing-parameter]',
  },
  "a topic without connection": {
    text: topics("subscriber", '<param name="pattern" value="c"/>', "\n"),
    expected: '2:1: error: topic "t" needs `connection_name` [missing-parameter]',
  },
  "a profile without name": {
    text: configuration(`${SETTINGS}<profiles>\n<profile/></profiles>`),
    expected: "2:1: error: <profile> needs the attribute `name` [missing-attribute]",
  },
  "two profiles of a name": {
    text: configuration(`${SETTINGS}<profiles><profile name="p"/>\n<profile name="p"/></profiles>`),
    expected: '2:1: error: the name "p" is taken by the profile at FILE:1 [duplicate-name]',
  },
  "a secret in a file that is not there": inConnection(
    '\n<param name="password_file" value="/nowhere/secret"/>',
    "2:36: error: Cannot read `password` from /nowhere/secret: No such file or directory " +
      "[secret-file]",
  ),
  "a secret and its file": inConnection(
    '<param name="password" value="hunter2"/>\n<param name="password_file" value="x"/>',
    "2:14: error: `password` and `password_file` cannot both be given; the first is at FILE:1 " +
      "[secret-twice]",
  ),
  "an ESL user without password": {
    text: configuration('<settings>\n<param name="esl-user" value="a@b"/></settings>'),
    expected: "2:31: error: `esl-user` needs `esl-password` or `esl-password-file` " +
      "[missing-parameter]",
  },
};

function setting(name: string, value: string, expected: string) {
  const content = '<settings><param name="esl-password" value="x"/>\n' +
    `<param name="${name}" value="${value}"/></settings>`;
  const column = '<param name="" value="'.length + name.length + 1;
  return {
    text: configuration(content),
    expected: `2:${column}: error: \`${name}\` cannot be "${value}": expected ${expected} ` +
      "[wrong-value]",
  };
}

function inConnection(content: string, expected: string) {
  const text = configuration(
    `${SETTINGS}<profiles><profile name="p"><connections>` +
      `<connection name="c">${content}</connection></connections></profile></profiles>`,
  );
  return { text, expected };
}

function topics(kind: "publisher" | "subscriber", content: string, before = ""): string {
  return configuration(
    `${SETTINGS}<profiles><profile name="p"><${kind}s><${kind} name="k"><topics>` +
      `${before}<topic name="t">${content}</topic></topics></${kind}></${kind}s></profile></profiles>`,
  );
}

function inTopic(kind: "publisher" | "subscriber", content: string, expected: string) {
  const wiring = '<param name="connection_name" value="c"/><param name="pattern" value="x"/>';
  return { text: topics(kind, wiring + content), expected };
}

for (const [what, { text, expected }] of Object.entries(errors)) {
  Deno.test(`an error tells the place and what was expected: ${what}`, () => {
    withFiles({ "mosquitto.conf.xml": text }, (folder) => {
      const file = join(folder, "mosquitto.conf.xml");
      const { config, lines } = load(file);
      assert.deepEqual(lines, [`${file}:${expected.replace("FILE", file)}`]);
      assert.equal(config, undefined);
    });
  });
}

Deno.test("a file that cannot be read is an error, not an exception", () => {
  const { config, lines } = load("/nowhere/mosquitto.conf.xml");
  assert.equal(config, undefined);
  assert.deepEqual(lines, [
    "/nowhere/mosquitto.conf.xml:1:1: error: Cannot read /nowhere/mosquitto.conf.xml: " +
    "No such file or directory [unreadable-file]",
  ]);
  assert.match(load("/").lines[0] ?? "", /Is a directory/);
});

Deno.test("all errors are told at once, by place", () => {
  const content = `<settings><param name="esl-password" value="x"/>
<param name="a" value="1"/>
<param name="esl-port" value="b"/><b/>
</settings>`;
  withFiles({ "f.xml": configuration(content) }, (folder) => {
    const { findings } = load(join(folder, "f.xml"));
    assert.deepEqual(findings.map(({ at, code }) => [at.line, code]), [
      [2, "unknown-parameter"],
      [3, "wrong-value"],
      [3, "unknown-element"],
    ]);
  });
});

Deno.test("bytes that are not UTF-8 are a warning at their line", () => {
  withFiles({}, (folder) => {
    const file = join(folder, "f.xml");
    const latin1 = [...configuration(`${SETTINGS}\n<!-- caf\xe9 -->`)].map((c) => c.charCodeAt(0));
    Deno.writeFileSync(file, Uint8Array.from(latin1));
    const { config, lines } = load(file);
    assert.ok(config);
    assert.deepEqual(lines, [`${file}:2:1: warning: not UTF-8: save the file as UTF-8 [not-utf8]`]);
  });
});

Deno.test("no finding shows a secret", () => {
  const secrets =
    '<param name="password" value="hunter2"/><param name="password" value="hunter3"/>' +
    '<tls><param name="enable" value="hunter4"/><param name="psk" value="hunter2"/></tls>';
  withFiles({ "f.xml": inConnection(secrets, "").text }, (folder) => {
    const { lines } = load(join(folder, "f.xml"));
    assert.equal(lines.length, 2);
    assert.doesNotMatch(lines.join("\n"), /hunter[23]/);
  });
});
