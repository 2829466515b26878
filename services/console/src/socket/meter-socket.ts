import type { IncomingMessage } from "node:http"
import { AppError } from "@serialcast/contract"
import type { ByteAccount } from "@serialcast/primitives"
import type { Refusals } from "@serialcast/service-kit"
import type { WebSocket } from "ws"
import type { PacedSocket } from "./paced-socket.ts"
import { closeCodes } from "./served-socket.ts"
import { SocketMemory } from "./socket-memory.ts"

export interface MeterOptions {
  readonly paced: PacedSocket
  readonly account: ByteAccount
  /** Are told when there is no room for what came, and when a frame breaks the protocol. */
  readonly refusals: Refusals
}

/** Keeps account of what comes in on a socket, which is closed when there is no room for it. */
export function meterSocket(
  socket: WebSocket,
  { socket: connection }: IncomingMessage,
  { paced, account, refusals }: MeterOptions,
): SocketMemory {
  const { remoteAddress } = connection
  const memory = new SocketMemory(account, () => {
    const error = new AppError("overloaded", "Too much of what clients sent is on its way.")
    refusals.report(remoteAddress, error)
    paced.close(closeCodes.tryAgainLater, `${error.code}: ${error.message}`)
    // What still comes is not read, so that it takes no room; a client that does not end is cut off.
    connection.pause()
  })
  // Before ws, which makes messages of it at once.
  connection.prependListener("data", (bytes: Uint8Array) => memory.read(bytes.byteLength))
  for (const kind of ["ping", "pong"] as const)
    socket.on(kind, (data: Uint8Array) => memory.tookControl(data.byteLength))
  // Before whoever serves it, who makes a write of it.
  socket.on("message", () => memory.tookMessage())
  // ws closes the socket with the code that says what is wrong; of a connection that broke nothing is to be said.
  socket.on("error", (error: Error & { code?: string }) => {
    if (error.code?.startsWith("WS_ERR_"))
      refusals.report(remoteAddress, new AppError("bad_message", error.message))
  })
  return memory
}
