import type { Clock } from "@serialcast/primitives"
import { connectServer } from "../device-server/connect-server.ts"
import { parseServerAddress } from "../device-server/server-address.ts"
import type { PortDriver } from "../port-driver.ts"
import { TcpPort } from "./tcp-port.ts"

/**
 * A serial port behind a device server that passes bare bytes (ser2net raw, ESPHome, Moxa): `tcp://host:port`, an IPv6
 * address in brackets. The serial settings are the device server's own; those of the agent only tell how fast it is.
 */
export function createTcpDriver(url: string, { clock }: { readonly clock: Clock }): PortDriver {
  const address = parseServerAddress(url, "tcp://192.168.1.5:4001")
  return {
    async open(settings, listener) {
      return new TcpPort(await connectServer(address, clock), { settings, listener, clock })
    },
  }
}
