export interface Welcome {
  readonly token: string
  readonly ports: { readonly console: number; readonly http: number; readonly broker: number }
  /** First level of every topic. */
  readonly root: string
}

/** What a user needs in order to come in: a link that logs in, and the commands that use the same token. */
export function welcomeText({ token, ports, root }: Welcome): string {
  return `
Open Serialcast in a browser on this machine (elsewhere, replace localhost by its address):

    http://localhost:${ports.console}/?token=${token}

The same token lets programs in, over HTTP and, as the password of any user name, over MQTT:

    curl -H 'Authorization: Bearer ${token}' http://localhost:${ports.http}/api/v1/devices
    mosquitto_sub -p ${ports.broker} -u me -P '${token}' -v -t '${root}/#'

`
}
