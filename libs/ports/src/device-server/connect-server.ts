import { connect, type Socket } from "node:net"
import { AppError } from "@serialcast/contract"
import { type Clock, withDeadline } from "@serialcast/primitives"
import { keepAliveDelayMs } from "@serialcast/primitives/tcp"
import type { ServerAddress } from "./server-address.ts"

const connectTimeoutMs = 5_000

/** Connects to a device server, for bytes that go out at once. Throws `open_failed` with a sentence. */
export async function connectServer(address: ServerAddress, clock: Clock): Promise<Socket> {
  const { host, port } = address
  const socket = connect({
    host,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveDelayMs,
  })
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
  } catch (cause) {
    socket.destroy()
    throw new AppError("open_failed", explain(address, cause), { cause })
  }
}

function explain({ url, host }: ServerAddress, error: unknown): string {
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
