import assert from "node:assert/strict";
import type { Config } from "../../lib/config/config.ts";
import { equalValues } from "../../lib/config/equal.ts";
import { packConfig, unpackConfig } from "../../lib/config/transfer.ts";
import { configOfFile } from "./helper.ts";

const XML = `<configuration name="mosquitto.conf">
  <settings><param name="esl-password" value="fs secret"/></settings>
  <profiles><profile name="p">
    <connections><connection name="c">
      <param name="host" value="broker.example"/><param name="password" value="mqtt secret"/>
      <tls>
        <param name="enable" value="true"/><param name="support" value="psk"/>
        <param name="identity" value="me"/><param name="psk" value="00ff"/>
      </tls>
      <will><param name="enable" value="true"/><param name="topic" value="w"/></will>
    </connection></connections>
    <publishers><publisher name="pub"><topics><topic name="t">
      <param name="connection_name" value="c"/><param name="pattern" value="e"/>
      <param name="event" value="CHANNEL_CREATE"/><param name="event" value="CUSTOM a::b"/>
    </topic></topics></publisher></publishers>
    <subscribers><subscriber name="sub"><topics><topic name="t">
      <param name="connection_name" value="c"/><param name="pattern" value="cmd"/>
      <param name="bgapi_authorized" value="true"/>
      <param name="bgapi_allow" value="show /channels|calls/"/>
      <param name="originate_allow_endpoint" value="/user\\/10\\d\\d/"/>
      <param name="hmac_key" value="hmac secret"/>
    </topic></topics></subscriber></subscribers>
  </profile></profiles>
</configuration>`;

/** A configuration, and it as another thread gets it. */
function both(): readonly [Config, Config] {
  const config = configOfFile(XML);
  return [config, unpackConfig(structuredClone(packConfig(config)))];
}

Deno.test("a configuration comes through with every value of every section", () => {
  const [before, after] = both();
  assert.deepEqual(JSON.parse(JSON.stringify(after)), JSON.parse(JSON.stringify(before)));
  const sections = ({ settings, profiles: [profile] }: Config) => {
    const [connection] = profile?.connections ?? [];
    const [topic] = profile?.subscribers[0]?.topics ?? [];
    assert(profile !== undefined && connection !== undefined && topic !== undefined);
    return { settings, connection, tls: connection.tls, subscriberTopic: topic };
  };
  const [one, other] = [sections(before), sections(after)];
  for (const name of ["settings", "connection", "tls", "subscriberTopic"] as const) {
    assert(equalValues(name, one[name], other[name]), name);
  }
});

Deno.test("secrets, rules and places are themselves again on the other side", () => {
  const [before, { settings, profiles: [profile] }] = both();
  assert.equal(settings.eslPassword.reveal(), "fs secret");
  assert.equal(`${settings.eslPassword}`, "********");
  assert.deepEqual(settings.source, before.settings.source);
  const [connection] = profile?.connections ?? [];
  assert.equal(connection?.tls.psk?.reveal(), "00ff");
  assert.deepEqual([...connection.source.given.keys()], ["host", "password"]);
  const [topic] = profile?.subscribers[0]?.topics ?? [];
  assert.equal(topic?.hmacKey?.reveal(), "hmac secret");
  const [command] = topic.bgapiAllow;
  assert.equal(command?.allows("show", "calls"), true);
  assert.equal(command.allows("show", "registrations"), false);
  assert.equal(topic.originateAllowEndpoint[0]?.allows("user/1001"), true);
  assert.equal(topic.originateAllowEndpoint[0].allows("user/2001"), false);
});
