import { connect, type Socket } from "node:net"
import { AppError } from "@serialcast/contract"
import { type Clock, withDeadline } from "@serialcast/primitives"
import type { PortDriver } from "./port-driver.ts"
import { TcpPort } from "./tcp-port.ts"

const connectTimeoutMs = 5_000
// A box that lost its power says nothing: after this silence the system asks it, and gives up 10 s later (libuv).
const keepAliveMs = 10_000
const urlPattern = /^tcp:\/\/(?:\[([^\]]+)\]|([^:]+)):(\d+)$/

/**
 * A serial port behind a device server that passes bare bytes (ser2net raw, ESPHome, Moxa): `tcp://host:port`, an IPv6
 * address in brackets. The serial settings are the device server's own; those of the agent only tell how fast it is.
 */
export function createTcpDriver(url: string, { clock }: { readonly clock: Clock }): PortDriver {
  const [, address, name, port] = urlPattern.exec(url) ?? []
  const host = address ?? name
  if (host === undefined) {
    throw new AppError("bad_config", `port: expected an address like tcp://192.168.1.5:4001; found ${url}`)
  }
  return {
    async open(settings, listener) {
      const socket = await connectTo(host, Number(port), clock).catch((cause: unknown) => {
        throw new AppError("open_failed", explainConnectError(url, host, cause), { cause })
      })
      return new TcpPort(socket, settings, listener)
    },
  }
}

async function connectTo(host: string, port: number, clock: Clock): Promise<Socket> {
  const keepAlive = { keepAlive: true, keepAliveInitialDelay: keepAliveMs }
  const socket = connect({ host, port, noDelay: true, ...keepAlive })
  const connected = new Promise<Socket>((resolve, reject) => {
    socket.once("connect", () => {
      socket.off("error", reject)
      resolve(socket)
    })
    socket.once("error", reject)
  })
  const error = () => Object.assign(new Error("connecting took too long"), { code: "ETIMEDOUT" })
  try {
    return await withDeadline(connected, { clock, timeoutMs: connectTimeoutMs, error })
  } catch (problem) {
    socket.destroy()
    throw problem
  }
}

function explainConnectError(url: string, host: string, error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined
  switch (code) {
    case "ECONNREFUSED":
      return `${url} refuses connections; start the device server, or correct the number after the colon.`
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `The name ${host} is not known here; correct it, or use the address of the device server.`
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return `${host} cannot be reached; check its network and its address.`
    case "ETIMEDOUT":
      return `${url} did not answer within ${connectTimeoutMs / 1000} s; check that the device server is on, and firewalls.`
    default:
      return `${url} cannot be opened: ${error instanceof Error ? error.message : String(error)}.`
  }
}
