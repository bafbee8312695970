/**
 * The demo's configuration: such as a user would write.
 *
 * @module
 */

/** What the demo's configuration is filled with. */
export interface DemoPorts {
  /** The broker's port. */
  readonly broker: number;
  /** The event socket's port. */
  readonly esl: number;
  /** A folder for state and control socket. */
  readonly folder: string;
}

/** The configuration as XML. */
export function demoConfiguration({ broker, esl, folder }: DemoPorts): string {
  return `<configuration name="mosquitto.conf" description="fsmqtt demo">
  <settings>
    <param name="log-level" value="warning"/>
    <param name="esl-port" value="${esl}"/>
    <param name="esl-password" value="ClueCon"/>
    <param name="state-dir" value="${folder}/state"/>
    <param name="control-socket" value="${folder}/control.sock"/>
  </settings>
  <profiles>
    <profile name="demo">
      <connections>
        <connection name="broker">
          <param name="host" value="127.0.0.1"/>
          <param name="port" value="${broker}"/>
        </connection>
      </connections>
      <publishers>
        <publisher name="events">
          <topics>
            <topic name="calls">
              <param name="connection_name" value="broker"/>
              <param name="event" value="CHANNEL_CREATE"/>
              <param name="event" value="CHANNEL_ANSWER"/>
              <param name="event" value="CHANNEL_HANGUP_COMPLETE"/>
              <param name="pattern" value="pbx/\${switchname}/calls"/>
              <param name="qos" value="1"/>
            </topic>
            <topic name="heartbeat">
              <param name="connection_name" value="broker"/>
              <param name="event" value="HEARTBEAT"/>
              <param name="pattern" value="pbx/\${switchname}/heartbeat"/>
            </topic>
            <topic name="jobs">
              <param name="connection_name" value="broker"/>
              <param name="event" value="BACKGROUND_JOB"/>
              <param name="pattern" value="pbx/\${switchname}/jobs"/>
              <param name="qos" value="1"/>
            </topic>
          </topics>
        </publisher>
      </publishers>
      <subscribers>
        <subscriber name="commands">
          <topics>
            <topic name="command">
              <param name="connection_name" value="broker"/>
              <param name="pattern" value="pbx/\${switchname}/command"/>
              <param name="qos" value="1"/>
              <param name="bgapi_authorized" value="true"/>
            </topic>
          </topics>
        </subscriber>
      </subscribers>
    </profile>
  </profiles>
</configuration>
`;
}
